//! Moving an appointment to another time or practitioner, with a reason. The desk asks the same in a dialog, by drag or key.

use super::book;
use crate::{
    announce,
    errors::PageError,
    extract::{Id, Receptionist},
    page::{Here, Page, Staff},
    refusal::{Code, Refusal},
    state::WebState,
    words,
};
use askama::Template;
use axum::{
    Form,
    extract::State,
    http::StatusCode,
    response::{Html, IntoResponse, Redirect, Response},
};
use domain::{Actor, AppointmentId, PractitionerId, Scope};
use jiff::{
    civil::{Date, Time},
    tz::TimeZone,
};
use scheduler::{AppointmentView, BookError, PractitionerView, Reschedule, RescheduleError, Starts};
use serde::Deserialize;

#[derive(Template)]
#[template(path = "appointments/move.html")]
struct MovePage {
    page: Page,
    staff: Staff,
    appointment: AppointmentView,
    when: String,
    practitioners: Vec<PractitionerView>,
    form: MoveForm,
    problem: Option<Problem>,
}

impl MovePage {
    fn is_with(&self, one: &PractitionerView) -> bool {
        self.form.practitioner == one.id.to_string()
    }
}

/// What stands in the way.
struct Problem {
    code: Code,
    what: String,
    /// Of a series: which visits cannot go there.
    conflicts: Vec<String>,
    /// It can be put there beside the other visit.
    may_overbook: bool,
}

impl From<Refusal> for Problem {
    fn from(Refusal { code, sentence: what }: Refusal) -> Self {
        Self { code, what, conflicts: Vec::new(), may_overbook: false }
    }
}

/// Day and time on the clinic's wall clock, as typed.
#[derive(Deserialize, Default, Clone)]
#[serde(default)]
pub(crate) struct MoveForm {
    date: String,
    time: String,
    practitioner: String,
    reason: String,
    scope: String,
    /// Anything: beside the visit that is there already, for the same reason.
    overbook: String,
}

/// The form, filled with where it is now.
pub(crate) async fn get(
    State(state): State<WebState>,
    receptionist: Receptionist,
    Id(id): Id<AppointmentId>,
    page: Page,
) -> Result<Response, PageError> {
    let by = receptionist.actor();
    let appointment = scheduler::glance(&state.db, &by, id).await?.ok_or(PageError::NotFound)?;
    let local = appointment.starts_at.to_zoned(receptionist.clinic.zone.clone());
    let form = MoveForm {
        date: local.date().to_string(),
        time: words::time(appointment.starts_at, &receptionist.clinic.zone),
        practitioner: appointment.practitioner.id.to_string(),
        ..MoveForm::default()
    };
    let is_over = appointment.state.reschedule().is_err();
    let problem = is_over
        .then(|| Refusal::new(Code::WrongState, "It cannot be moved any more. Book a new appointment instead.").into());
    show(&state, &receptionist, page, appointment, form, problem).await
}

/// Moves it, or shows the form again with what stands in the way and everything as typed.
pub(crate) async fn post(
    State(state): State<WebState>,
    receptionist: Receptionist,
    Id(id): Id<AppointmentId>,
    page: Page,
    Form(form): Form<MoveForm>,
) -> Result<Response, PageError> {
    let by = receptionist.actor();
    let zone = &receptionist.clinic.zone;
    let appointment = scheduler::glance(&state.db, &by, id).await?.ok_or(PageError::NotFound)?;
    let problem = match request(&form, &appointment, zone) {
        Err(refusal) => refusal.into(),
        Ok(request) => match scheduler::reschedule(&state.db, &*state.clock, &by, request.clone()).await {
            Ok(moved) => {
                announce::moved(&state, &by, &moved, Some(appointment.practitioner.id)).await;
                return Ok(Redirect::to(&format!("/appointments/{id}")).into_response());
            }
            Err(RescheduleError::NotFound) => return Err(PageError::NotFound),
            Err(RescheduleError::Database(error)) => return Err(error.into()),
            Err(refusal) => refused(&state, &receptionist, &appointment, &request, &refusal).await?,
        },
    };
    show(&state, &receptionist, page, appointment, form, Some(problem)).await
}

fn request(form: &MoveForm, appointment: &AppointmentView, zone: &TimeZone) -> Result<Reschedule, Refusal> {
    let date: Date = form.date.trim().parse().map_err(|_| Refusal::invalid("Choose the day."))?;
    let time: Time = form.time.trim().parse().map_err(|_| Refusal::invalid("Write the time like 14:30."))?;
    let starts_at = book::instant(date, time, zone)?;
    let practitioner: Option<PractitionerId> = form.practitioner.parse().ok();
    let mut request = Reschedule::new(appointment.id, starts_at, form.reason.clone());
    request.practitioner = practitioner.filter(|id| *id != appointment.practitioner.id);
    request.starts = Starts::AnyMinute;
    request.scope = scope(&form.scope);
    request.overbook = (!form.overbook.is_empty()).then(|| form.reason.clone());
    Ok(request)
}

/// How much of a series; of what cannot be read, as little as possible.
pub(crate) fn scope(typed: &str) -> Scope {
    match typed {
        "following" => Scope::ThisAndFollowing,
        "series" => Scope::Series,
        _ => Scope::This,
    }
}

async fn refused(
    state: &WebState,
    receptionist: &Receptionist,
    appointment: &AppointmentView,
    request: &Reschedule,
    refusal: &RescheduleError,
) -> Result<Problem, PageError> {
    let sentence = match refusal {
        RescheduleError::ReasonMissing => "Say why, in at most 500 characters. It stays in the history.".to_owned(),
        RescheduleError::NotPossible(_) => "It cannot be moved any more.".to_owned(),
        RescheduleError::Waits => "The patient is here and waits. Choose another time of today.".to_owned(),
        RescheduleError::Changed => "Somebody changed it in the meantime. Below is how it stands now.".to_owned(),
        RescheduleError::Conflicts(_) => "These visits of the series cannot be moved there, so none was.".to_owned(),
        RescheduleError::Refused(why) => {
            let (by, zone) = (receptionist.actor(), &receptionist.clinic.zone);
            let (with, name) = practitioner_of(state, &by, request, appointment).await?;
            let sentence = book::sentence(why, &words::time(request.starts_at, zone), &name);
            match why {
                BookError::PatientBusy => format!("{sentence} {}", book::PATIENT_BUSY),
                why if book::another_time_helps(why) => {
                    let what = (with, appointment.visit_type.id);
                    format!("{sentence} {}", book::instead(state, &by, what, request.starts_at, zone).await?)
                }
                _ => sentence,
            }
        }
        RescheduleError::NotFound | RescheduleError::Database(_) => "It could not be moved.".to_owned(),
    };
    Ok(Problem {
        conflicts: if let RescheduleError::Conflicts(conflicts) = refusal {
            book::lines(conflicts)
        } else {
            Vec::new()
        },
        may_overbook: matches!(refusal, RescheduleError::Refused(BookError::SlotTaken)),
        ..Refusal::new(refusal, sentence).into()
    })
}

/// With whom it would be, and what they are called.
async fn practitioner_of(
    state: &WebState,
    by: &Actor,
    request: &Reschedule,
    appointment: &AppointmentView,
) -> Result<(PractitionerId, String), PageError> {
    let id = request.practitioner.unwrap_or(appointment.practitioner.id);
    let one = scheduler::practitioners(&state.db, by).await?.into_iter().find(|one| one.id == id);
    Ok((id, one.map_or_else(|| "this practitioner".to_owned(), |one| one.short)))
}

async fn show(
    state: &WebState,
    receptionist: &Receptionist,
    page: Page,
    appointment: AppointmentView,
    form: MoveForm,
    problem: Option<Problem>,
) -> Result<Response, PageError> {
    let status = problem.as_ref().map_or(StatusCode::OK, |problem| problem.code.status());
    let html = MovePage {
        page,
        staff: Staff::at_desk(state, receptionist, Here::Today).await?,
        when: words::date_and_time(appointment.starts_at, &receptionist.clinic.zone),
        practitioners: scheduler::practitioners(&state.db, &receptionist.actor()).await?,
        appointment,
        form,
        problem,
    };
    Ok((status, Html(html.render()?)).into_response())
}
