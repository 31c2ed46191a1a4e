//! The waiting room: a document that works without a camera and without scripts, and moves on by itself when the
//! practitioner admits.

use super::Visit;
use crate::{
    announce,
    errors::PageError,
    extract::VisitPatient,
    live::{Live, live},
    page::Page,
    state::WebState,
};
use askama::Template;
use axum::{
    Form,
    extract::State,
    http::StatusCode,
    response::{Html, IntoResponse, Redirect, Response},
};
use domain::{Actor, AppointmentId, AppointmentState, EncounterState, PractitionerId};
use scheduler::{AppointmentView, Readiness};
use serde::Deserialize;
use service::bus::Topic;

#[derive(Template)]
#[template(path = "visit/waiting.html")]
struct WaitingPage {
    page: Page,
    visit: Visit,
    place: Place,
}

/// The part of the page that changes.
#[derive(Template)]
#[template(path = "visit/place.html")]
struct Place {
    headline: String,
    sentence: String,
}

/// What the device check reports.
#[derive(Deserialize)]
pub(crate) struct Checked {
    readiness: Readiness,
}

/// The page, or where the patient belongs by now.
pub(crate) async fn get(
    State(state): State<WebState>,
    patient: VisitPatient,
    page: Page,
) -> Result<Response, PageError> {
    let visit = Visit::find(&state, &patient.actor, patient.appointment).await?.ok_or(PageError::NotFound)?;
    if let Some(path) = elsewhere(&visit.appointment) {
        return Ok(Redirect::to(&path).into_response());
    }
    let place = place(&visit.appointment);
    Ok(Html(WaitingPage { page, visit, place }.render()?).into_response())
}

/// The patient's place whenever it changes, and the way on when admitted.
pub(crate) async fn events(
    State(state): State<WebState>,
    patient: VisitPatient,
) -> Result<impl IntoResponse, PageError> {
    let VisitPatient { actor, appointment } = patient;
    let queue = scheduler::practitioner_of(&state.db, &actor, appointment).await?.ok_or(PageError::NotFound)?;
    live(&state.clone(), &topics(appointment, queue), move || {
        let (state, actor) = (state.clone(), actor.clone());
        async move { look(&state, &actor, appointment, queue).await }
    })
}

/// What changes the page: the patient's own appointment, and those before it in the same queue. A clinic's other queues would make
/// every patient's page read again whenever anybody arrives anywhere.
fn topics(appointment: AppointmentId, queue: PractitionerId) -> [Topic; 2] {
    [Topic::Appointment(appointment), Topic::Queue(queue)]
}

async fn look(state: &WebState, by: &Actor, id: AppointmentId, queue: PractitionerId) -> Result<Live, PageError> {
    let appointment = scheduler::glance(&state.db, by, id).await?.ok_or(PageError::NotFound)?;
    if let Some(path) = elsewhere(&appointment) {
        return Ok(Live::Go(path));
    }
    if appointment.practitioner.id != queue {
        // The page names whom the patient waits for, and listens to their queue: it begins anew.
        return Ok(Live::Go(format!("/waiting/{id}")));
    }
    scheduler::seen(&state.db, &*state.clock, by, id).await?;
    Ok(Live::Fragment(place(&appointment).render()?))
}

/// What the device check found, for those who will see the patient.
pub(crate) async fn readiness(
    State(state): State<WebState>,
    patient: VisitPatient,
    Form(checked): Form<Checked>,
) -> Result<StatusCode, PageError> {
    let VisitPatient { actor, appointment } = patient;
    scheduler::report_readiness(&state.db, &*state.clock, &actor, appointment, checked.readiness).await?;
    announce::appointment(&state, &actor, appointment).await;
    Ok(StatusCode::NO_CONTENT)
}

/// The patient leaves. The seat is kept, and the link leads back to it.
pub(crate) async fn leave(State(state): State<WebState>, patient: VisitPatient) -> Result<Redirect, PageError> {
    let VisitPatient { actor, appointment } = patient;
    scheduler::leave_seat(&state.db, &*state.clock, &actor, appointment).await?;
    announce::appointment(&state, &actor, appointment).await;
    Ok(Redirect::to(&format!("/goodbye/{appointment}")))
}

/// Where a patient who does not wait belongs.
fn elsewhere(appointment: &AppointmentView) -> Option<String> {
    let id = appointment.id;
    match appointment.state {
        AppointmentState::Arrived if !appointment.left => None,
        AppointmentState::Fulfilled => match &appointment.encounter {
            Some(encounter) if encounter.state == EncounterState::InProgress => Some(format!("/consultation/{id}")),
            _ => Some(format!("/goodbye/{id}")),
        },
        _ => Some(format!("/goodbye/{id}")),
    }
}

/// The patient's place in plain words: nothing is promised that is not known.
fn place(appointment: &AppointmentView) -> Place {
    let name = &appointment.practitioner.short;
    let (headline, sentence) = match appointment.ahead {
        0 => ("You are next.".to_owned(), format!("{name} knows that you are here and will call you in.")),
        1 => ("There is 1 person before you.".to_owned(), format!("{name} will see them first, and then you.")),
        ahead => {
            (format!("There are {ahead} people before you."), format!("{name} will see them first, and then you."))
        }
    };
    Place { headline, sentence }
}
