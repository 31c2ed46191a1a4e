//! Booking: one page, no wizard. Type to find the patient, choose whom and when, and book.
//!
//! What is typed travels in the body of a POST, never in an address, even where nothing is changed by it.

use super::announce;
use crate::{
    errors::PageError,
    extract::Receptionist,
    page::{Here, Page, Staff},
    pages::patients,
    state::WebState,
    words,
};
use askama::Template;
use axum::{
    Form,
    extract::{Query, State},
    http::StatusCode,
    response::{Html, IntoResponse, Redirect, Response},
};
use domain::{Actor, PatientId, PractitionerId, VisitTypeId};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use scheduler::{BookError, BookRequest, PatientView, PractitionerView, VisitTypeView};
use serde::Deserialize;

/// The fields as they were typed and chosen; all may be missing.
#[derive(Deserialize, Default, Clone)]
#[serde(default)]
pub(crate) struct BookingForm {
    /// What stands in the field "Patient".
    q: String,
    /// The patient chosen for it.
    patient: String,
    practitioner: String,
    /// What kind of visit; without it, or when the practitioner does not offer it, the first that they offer.
    visit_type: String,
    date: String,
    /// The start of the chosen slot.
    at: String,
    /// Days to go forward or back.
    step: i64,
}

#[derive(Template)]
#[template(path = "appointments/new.html")]
struct BookingPage {
    page: Page,
    staff: Staff,
    notice: Option<Notice>,
    who: Who,
    practitioners: Vec<PractitionerView>,
    practitioner: Option<PractitionerId>,
    visit_types: Vec<VisitTypeView>,
    visit_type: Option<VisitTypeId>,
    date: Date,
    long_date: String,
    times: Vec<Time>,
}

impl BookingPage {
    fn is_selected(&self, one: &PractitionerView) -> bool {
        self.practitioner == Some(one.id)
    }

    fn is_visit_type(&self, one: &VisitTypeView) -> bool {
        self.visit_type == Some(one.id)
    }
}

/// What stands in the way.
struct Notice {
    what: String,
    then: &'static str,
}

/// The field "Patient": what stands in it, who was chosen, who was found.
struct Who {
    q: String,
    chosen: Option<PatientView>,
    found: Vec<PatientView>,
    has_searched: bool,
}

/// A slot as a radio button.
struct Time {
    starts_at: Timestamp,
    label: String,
    is_chosen: bool,
    is_taken: bool,
}

/// The form, as a link from the desk or from a new patient fills it.
pub(crate) async fn get(
    State(state): State<WebState>,
    receptionist: Receptionist,
    page: Page,
    Query(form): Query<BookingForm>,
) -> Result<Response, PageError> {
    show(&state, &receptionist, page, form, None, None).await
}

/// The form again: somebody searched without a script, or wants to see other times. Nothing is booked.
pub(crate) async fn look(
    State(state): State<WebState>,
    receptionist: Receptionist,
    page: Page,
    Form(form): Form<BookingForm>,
) -> Result<Response, PageError> {
    show(&state, &receptionist, page, form, None, None).await
}

/// Books. Whatever stands in the way, everything typed is still there.
pub(crate) async fn post(
    State(state): State<WebState>,
    receptionist: Receptionist,
    page: Page,
    Form(form): Form<BookingForm>,
) -> Result<Response, PageError> {
    let by = receptionist.actor();
    let request = match request(&state, &by, &form).await? {
        Ok(request) => request,
        Err(what) => {
            let notice = Notice { what: what.to_owned(), then: "Everything else you entered is still here." };
            return show(&state, &receptionist, page, form, Some(notice), None).await;
        }
    };
    match scheduler::book(&state.db, &*state.clock, &*state.random, &by, request.clone()).await {
        Ok(id) => {
            announce(&state, &by, id).await;
            Ok(Redirect::to(&format!("/appointments/{id}")).into_response())
        }
        Err(BookError::Database(error)) => Err(error.into()),
        Err(refusal) => {
            let notice = refused(&state, &receptionist, &request, &refusal).await?;
            let is_lost = !matches!(refusal, BookError::PatientBusy | BookError::NoSuchPatient);
            show(&state, &receptionist, page, form, Some(notice), is_lost.then_some(request.starts_at)).await
        }
    }
}

/// What to book, or what is still missing. A single patient who fits what was typed needs no choosing.
async fn request(
    state: &WebState,
    by: &Actor,
    form: &BookingForm,
) -> Result<Result<BookRequest, &'static str>, PageError> {
    let who = who(state, by, form).await?;
    let only = (who.found.len() == 1).then(|| who.found[0].id);
    let Some(patient) = who.chosen.map(|patient| patient.id).or(only) else {
        return Ok(Err(if who.found.is_empty() { "Find the patient first." } else { "Choose the patient." }));
    };
    let Ok(practitioner) = form.practitioner.parse() else {
        return Ok(Err("Choose the practitioner."));
    };
    let Ok(starts_at) = form.at.parse() else {
        return Ok(Err("Choose a time."));
    };
    let visit_types = scheduler::visit_types(&state.db, by).await?;
    let Some(visit_type) = visit_type(&visit_types, form, practitioner) else {
        return Ok(Err("This practitioner offers no visits yet."));
    };
    Ok(Ok(BookRequest::new(patient, practitioner, visit_type.id, starts_at)))
}

/// The chosen type of visit, or the first that the practitioner offers.
fn visit_type<'a>(
    visit_types: &'a [VisitTypeView],
    form: &BookingForm,
    practitioner: PractitionerId,
) -> Option<&'a VisitTypeView> {
    let mut offered = visit_types.iter().filter(|one| one.practitioners.contains(&practitioner));
    let chosen = form.visit_type.parse().ok();
    offered.clone().find(|one| Some(one.id) == chosen).or_else(|| offered.next())
}

/// The refusal as a sentence with the time and the name in it.
async fn refused(
    state: &WebState,
    receptionist: &Receptionist,
    request: &BookRequest,
    refusal: &BookError,
) -> Result<Notice, PageError> {
    let time = words::time(request.starts_at, &receptionist.clinic.zone);
    let practitioners = scheduler::practitioners(&state.db, &receptionist.actor()).await?;
    let with = practitioners.into_iter().find(|one| one.id == request.practitioner);
    let with = with.map_or_else(|| "this practitioner".to_owned(), |one| one.short);
    let kept = "Everything else you entered is still here. The nearest free times are below.";
    let (what, then) = match refusal {
        BookError::SlotTaken => (format!("{time} with {with} has just been taken."), kept),
        BookError::PatientBusy => (
            format!("The patient has another appointment at {time}."),
            "Choose another time, or cancel the other appointment first.",
        ),
        BookError::OutsideSchedule => (format!("{with} does not work at {time}."), kept),
        BookError::TooSoon => (format!("{time} is too soon for this type of visit."), kept),
        BookError::TooFarAhead => (format!("{time} is too far ahead for this type of visit."), kept),
        BookError::NotOffered => {
            (format!("{with} does not offer this type of visit."), "Choose another type or practitioner.")
        }
        BookError::InThePast => (format!("{time} has passed."), kept),
        BookError::NoSuchPatient => ("This patient is not known here.".to_owned(), "Find the patient again."),
        BookError::NoInterpreterFree => {
            (format!("No interpreter between these languages is free at {time}."), "Choose another time.")
        }
        BookError::RoomTaken => (format!("The room is taken at {time}."), kept),
        BookError::DeviceTaken => (format!("The device is taken at {time}."), kept),
        BookError::NoSuchResource => ("This room or device is not known here.".to_owned(), "Choose another one."),
        BookError::HoldGone => (format!("{time} is not kept for you any more."), kept),
        BookError::TooManyHolds => ("Too many times are being kept at once.".to_owned(), "Try again in a minute."),
        BookError::KeyReused => ("This form was sent before with other entries.".to_owned(), kept),
        BookError::ReasonMissing => (
            "Say why this visit goes beside another one, in at most 500 characters.".to_owned(),
            "It stays with the appointment.",
        ),
        BookError::NoSuchPractitioner | BookError::Database(_) => {
            ("This practitioner is not known here.".to_owned(), "Choose another one.")
        }
    };
    Ok(Notice { what, then })
}

/// Renders the form. `taken` is the slot that was lost: struck, with the nearest free one chosen instead.
async fn show(
    state: &WebState,
    receptionist: &Receptionist,
    page: Page,
    form: BookingForm,
    notice: Option<Notice>,
    taken: Option<Timestamp>,
) -> Result<Response, PageError> {
    let by = receptionist.actor();
    let zone = &receptionist.clinic.zone;
    let practitioners = scheduler::practitioners(&state.db, &by).await?;
    let practitioner = form.practitioner.parse().ok().filter(|id| practitioners.iter().any(|one| one.id == *id));
    let practitioner = practitioner.or(practitioners.first().map(|one| one.id));
    let visit_types = scheduler::visit_types(&state.db, &by).await?;
    let visit_type = practitioner.and_then(|id| visit_type(&visit_types, &form, id));
    let date = date(state, &by, &form, practitioner.zip(visit_type), zone).await?;
    let slots = match practitioner.zip(visit_type) {
        Some((id, visit_type)) => {
            scheduler::free_slots(&state.db, &*state.clock, &by, id, Some(visit_type), date).await?
        }
        None => Vec::new(),
    };
    let starts: Vec<_> = slots.into_iter().map(|slot| slot.starts_at).collect();
    let status = if notice.is_none() { StatusCode::OK } else { StatusCode::CONFLICT };
    let html = BookingPage {
        page,
        staff: Staff::new(receptionist, Here::Today),
        notice,
        who: who(state, &by, &form).await?,
        practitioners,
        practitioner,
        visit_type: visit_type.map(|one| one.id),
        visit_types,
        date,
        long_date: words::long_date(date),
        times: times(starts, form.at.parse().ok(), taken, zone),
    };
    Ok((status, Html(html.render()?)).into_response())
}

/// The day asked for; without one that of the chosen time, or the first with a free slot.
async fn date(
    state: &WebState,
    by: &Actor,
    form: &BookingForm,
    wanted: Option<(PractitionerId, &VisitTypeView)>,
    zone: &TimeZone,
) -> Result<Date, PageError> {
    if let Ok(date) = form.date.parse::<Date>() {
        return Ok(date.saturating_add(jiff::Span::new().days(form.step.clamp(-31, 31))));
    }
    if let Ok(at) = form.at.parse::<Timestamp>() {
        return Ok(words::day_of(at, zone));
    }
    let today = words::day_of(state.clock.now(), zone);
    let Some((id, visit_type)) = wanted else { return Ok(today) };
    let free = scheduler::next_day_with_free_slot(&state.db, &*state.clock, by, id, Some(visit_type), today).await?;
    Ok(free.unwrap_or(today))
}

/// A patient stays chosen as long as the field still says who they are; otherwise what it says is searched for.
async fn who(state: &WebState, by: &Actor, form: &BookingForm) -> Result<Who, PageError> {
    let q = form.q.trim();
    if let Ok(id) = form.patient.parse::<PatientId>()
        && let Some(patient) = scheduler::patient(&state.db, by, id).await?
        && (q.is_empty() || q == patients::label(&patient) || is_picked_from_list(state, by, q, id).await?)
    {
        return Ok(Who { q: patients::label(&patient), chosen: Some(patient), found: Vec::new(), has_searched: false });
    }
    let found = if q.is_empty() { Vec::new() } else { scheduler::find_patients(&state.db, by, q).await? };
    Ok(Who { q: q.to_owned(), chosen: None, found, has_searched: !q.is_empty() })
}

/// Without a script the patient is a radio button below what was searched for.
async fn is_picked_from_list(state: &WebState, by: &Actor, q: &str, id: PatientId) -> Result<bool, PageError> {
    Ok(scheduler::find_patients(&state.db, by, q).await?.iter().any(|patient| patient.id == id))
}

fn times(starts: Vec<Timestamp>, chosen: Option<Timestamp>, taken: Option<Timestamp>, zone: &TimeZone) -> Vec<Time> {
    let nearest = taken.and_then(|taken| starts.iter().min_by_key(|at| at.duration_since(taken).abs()).copied());
    let chosen = nearest.or(chosen);
    let lost = taken.filter(|taken| !starts.contains(taken));
    let mut times: Vec<_> = starts
        .into_iter()
        .chain(lost)
        .map(|starts_at| Time {
            starts_at,
            label: words::time(starts_at, zone),
            is_chosen: chosen == Some(starts_at),
            is_taken: taken == Some(starts_at),
        })
        .collect();
    times.sort_by_key(|time| time.starts_at);
    times
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_time_is_struck_and_the_nearest_is_chosen() {
        let at = |text: &str| text.parse::<Timestamp>().expect("a timestamp");
        let free = vec![at("2026-11-24T10:00:00Z"), at("2026-11-24T10:50:00Z")];
        let lost = at("2026-11-24T10:30:00Z");
        let shown = times(free, Some(lost), Some(lost), &TimeZone::UTC);
        let described: Vec<_> = shown.iter().map(|time| (&*time.label, time.is_taken, time.is_chosen)).collect();
        assert_eq!(described, [("10:00", false, false), ("10:30", true, false), ("10:50", false, true)]);
    }
}
