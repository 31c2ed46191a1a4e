//! Booking: one page, no wizard. Type to find the patient, choose whom and when, and book.
//!
//! What is typed travels in the body of a POST, never in an address, even where nothing is changed by it.

use crate::{
    announce,
    errors::PageError,
    extract::Receptionist,
    page::{Here, Page, Staff},
    pages::patients::chosen::Chosen,
    refusal::{Code, Refusal},
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
use form::Wanted;
pub(crate) use form::{BookingForm, Options};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use notice::Notice;
pub(crate) use notice::{PATIENT_BUSY, another_time_helps, lines, sentence};
use scheduler::{BookError, BookSeriesError, SeriesRequest};
use times::Time;
pub(crate) use times::instead;

mod form;
mod notice;
mod times;

#[derive(Template)]
#[template(path = "appointments/new.html")]
struct BookingPage {
    page: Page,
    staff: Staff,
    notice: Option<Notice>,
    who: Chosen,
    options: Options,
    form: BookingForm,
    date: Date,
    long_date: String,
    times: Vec<Time>,
    /// Where the patient's own clock hangs, if it shows another time that day.
    theirs: Option<String>,
    /// Where nothing is free on the day: the first day on which something is.
    next_free: Option<(Date, String)>,
}

impl BookingPage {
    /// Something of what is seldom needed is filled in, or might help now.
    fn has_more(&self) -> bool {
        let form = &self.form;
        let texts = [&form.room, &form.device, &form.repeat, &form.other_time, &form.overbook];
        texts.iter().any(|text| !text.is_empty()) || self.notice.as_ref().is_some_and(|notice| notice.may_overbook)
    }
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

/// Books, one visit or a series. Whatever stands in the way, everything typed is still there.
pub(crate) async fn post(
    State(state): State<WebState>,
    receptionist: Receptionist,
    page: Page,
    Form(mut form): Form<BookingForm>,
) -> Result<Response, PageError> {
    let zone = &receptionist.clinic.zone;
    let wanted = match form::wanted(&state, &receptionist.actor(), &form, zone).await? {
        Ok(wanted) => wanted,
        Err(what) => return show(&state, &receptionist, page, form, Some(Notice::missing(what)), None).await,
    };
    let (notice, lost) = match book(&state, &receptionist, &wanted).await? {
        Ok(answer) => return Ok(answer),
        Err(refusal) => refusal,
    };
    if notice.may_overbook && form.other_time.is_empty() {
        form.other_time = words::time(wanted.request.starts_at, zone);
    }
    show(&state, &receptionist, page, form, Some(notice), lost).await
}

/// The way to what was booked; or what stands in the way, with the slot that was lost.
async fn book(
    state: &WebState,
    receptionist: &Receptionist,
    wanted: &Wanted,
) -> Result<Result<Response, (Notice, Option<Timestamp>)>, PageError> {
    let by = receptionist.actor();
    let zone = &receptionist.clinic.zone;
    let request = wanted.request.clone();
    let Some(recurrence) = wanted.recurrence.clone() else {
        return Ok(match book_one(state, receptionist, wanted).await {
            Ok(id) => {
                announce::appointment(state, &by, id).await;
                Ok(Redirect::to(&format!("/appointments/{id}")).into_response())
            }
            Err(BookError::Database(error)) if !service::postgres::gave_up(&error) => return Err(error.into()),
            Err(refusal) => {
                let is_lost =
                    !matches!(refusal, BookError::PatientBusy | BookError::NoSuchPatient | BookError::Database(_));
                let notice = Notice::refused(state, &by, zone, &request, &refusal).await?;
                Err((notice, is_lost.then_some(request.starts_at)))
            }
        });
    };
    let series = SeriesRequest { first: request, recurrence, leave_out_conflicts: wanted.leave_out };
    Ok(match scheduler::book_series(&state.db, &*state.clock, &*state.random, &by, series).await {
        Ok(booked) => {
            announce::appointments(state, &by, &booked.appointments).await;
            let first = booked.appointments.first().ok_or(PageError::NotFound)?;
            Ok(Redirect::to(&format!("/appointments/{first}")).into_response())
        }
        Err(BookSeriesError::Database(error)) => return Err(error.into()),
        Err(BookSeriesError::Conflicts(conflicts)) => Err((Notice::conflicts(&conflicts), None)),
        Err(BookSeriesError::Refused(refusal)) => {
            Err((Notice::refused(state, &by, zone, &wanted.request, &refusal).await?, None))
        }
        Err(BookSeriesError::Recurrence(refusal)) => Err((Notice::missing(form::unrepeatable(&refusal)), None)),
    })
}

/// Books one visit. A hold that has run out is no reason to refuse a time that is still free.
async fn book_one(
    state: &WebState,
    receptionist: &Receptionist,
    wanted: &Wanted,
) -> Result<domain::AppointmentId, BookError> {
    let by = receptionist.actor();
    let mut request = wanted.request.clone();
    let booked = scheduler::book(&state.db, &*state.clock, &*state.random, &by, request.clone()).await;
    if !matches!(booked, Err(BookError::HoldGone)) {
        return booked;
    }
    request.hold = None;
    scheduler::book(&state.db, &*state.clock, &*state.random, &by, request).await
}

/// Renders the form. `lost` is the slot that was taken meanwhile: struck, with the nearest free one chosen instead.
async fn show(
    state: &WebState,
    receptionist: &Receptionist,
    page: Page,
    form: BookingForm,
    notice: Option<Notice>,
    lost: Option<Timestamp>,
) -> Result<Response, PageError> {
    let by = receptionist.actor();
    let zone = &receptionist.clinic.zone;
    let options = Options::new(state, &by, &form).await?;
    let today = words::day_of(state.clock.now(), zone);
    let date = match form.day(zone) {
        Some(date) => date,
        None => times::first_free(state, &by, &options, today, zone).await?.unwrap_or(today),
    };
    let who = form.who(state, &by).await?;
    let theirs = match &who.patient {
        Some(patient) => scheduler::patient_zone(&state.db, &by, patient.id).await?,
        None => None,
    };
    let theirs = theirs.filter(|theirs| shows_another_time(theirs, zone, date));
    let times = times::of_day(state, &by, &options, &form, date, lost, (zone, theirs.as_ref())).await?;
    let next_free = match times.iter().any(|time| !time.is_taken) {
        true => None,
        false => times::first_free(state, &by, &options, date.max(today), zone).await?,
    };
    let status = notice.as_ref().map_or(StatusCode::OK, |notice| notice.code.status());
    let html = BookingPage {
        page,
        staff: Staff::at_desk(state, receptionist, Here::Today).await?,
        notice,
        who,
        theirs: theirs.as_ref().map(words::zone),
        options,
        form,
        date,
        long_date: words::long_date(date),
        times,
        next_free: next_free.map(|date| (date, words::long_date(date))),
    };
    Ok((status, Html(html.render()?)).into_response())
}

/// Whether two clocks differ at noon of a day.
fn shows_another_time(one: &TimeZone, other: &TimeZone, date: Date) -> bool {
    let noon = other.to_timestamp(date.at(12, 0, 0, 0)).unwrap_or_default();
    one.to_offset(noon) != other.to_offset(noon)
}

/// The instant of a time on the clock on the wall, or the sentence that says why there is none.
pub(crate) fn instant(date: Date, time: jiff::civil::Time, zone: &TimeZone) -> Result<Timestamp, Refusal> {
    let at = zone.to_ambiguous_timestamp(date.to_datetime(time));
    if matches!(at.offset(), jiff::tz::AmbiguousOffset::Gap { .. }) {
        let sentence = "That time does not exist on that day: the clocks go forward.";
        return Err(Refusal::new(Code::NoSuchTime, sentence));
    }
    at.earlier().map_err(|_| Refusal::new(Code::TooFarAhead, "That time is too far away."))
}
