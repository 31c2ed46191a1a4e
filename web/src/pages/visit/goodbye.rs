//! Where a patient's way ends: the visit is over, was called off, or they left and may come back.

use super::Visit;
use crate::{
    errors::PageError,
    extract::VisitPatient,
    live::{Live, live},
    page::Page,
    state::WebState,
};
use askama::Template;
use axum::{
    extract::State,
    response::{Html, IntoResponse, Redirect, Response},
};
use domain::{AppointmentState, EncounterState};
use scheduler::{Absent, AppointmentView};
use service::bus::Topic;

#[derive(Template)]
#[template(path = "visit/goodbye.html")]
struct GoodbyePage {
    page: Page,
    visit: Visit,
    farewell: Farewell,
    /// The patient's link, for the way back.
    link: String,
}

/// Why the patient is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Farewell {
    /// The practitioner ended the visit.
    Ended,
    /// The patient left; the practitioner is, or will be, there.
    Left,
    /// The patient waited and nobody admitted them.
    NotSeen,
    /// It was called off, or the time has passed.
    Cancelled,
}

impl Farewell {
    /// Nothing for who still waits.
    fn of(appointment: &AppointmentView) -> Option<Self> {
        Some(match (appointment.state, &appointment.encounter) {
            (AppointmentState::Fulfilled, Some(encounter)) if encounter.state == EncounterState::InProgress => {
                Self::Left
            }
            (AppointmentState::Fulfilled, _) => Self::Ended,
            (AppointmentState::Booked, _) => Self::Left,
            (AppointmentState::Arrived, _) if appointment.left => Self::Left,
            (AppointmentState::Arrived, _) => return None,
            (AppointmentState::NoShow, _) if appointment.absent == Some(Absent::Practitioner) => Self::NotSeen,
            (AppointmentState::Cancelled | AppointmentState::NoShow, _) => Self::Cancelled,
        })
    }
}

/// The page.
pub(crate) async fn get(
    State(state): State<WebState>,
    patient: VisitPatient,
    page: Page,
) -> Result<Response, PageError> {
    let visit = Visit::find(&state, &patient.actor, patient.appointment).await?.ok_or(PageError::NotFound)?;
    let appointment = &visit.appointment;
    let Some(farewell) = Farewell::of(appointment) else {
        return Ok(Redirect::to(&format!("/waiting/{}", appointment.id)).into_response());
    };
    let token = scheduler::visit_link(&state.site.keys.visit_link, appointment.id, appointment.link_version);
    let link = format!("/visit/{}", token.expose());
    Ok(Html(GoodbyePage { page, visit, farewell, link }.render()?).into_response())
}

/// Tells who left when there is nothing to come back to any more.
pub(crate) async fn events(
    State(state): State<WebState>,
    patient: VisitPatient,
) -> Result<impl IntoResponse, PageError> {
    let VisitPatient { actor, appointment: id } = patient;
    live(&state.clone(), &[Topic::Appointment(id)], move || {
        let (state, actor) = (state.clone(), actor.clone());
        async move {
            let appointment = scheduler::glance(&state.db, &actor, id).await?.ok_or(PageError::NotFound)?;
            Ok(match Farewell::of(&appointment) {
                Some(Farewell::Ended | Farewell::NotSeen | Farewell::Cancelled) => Live::Go(format!("/goodbye/{id}")),
                Some(Farewell::Left) | None => Live::Fragment(String::new()),
            })
        }
    })
}
