//! The consultation as the patient sees it: the practitioner's face, their own, and four controls.

use super::{Stage, ice_servers_at, join_token, running};
use crate::{errors::PageError, extract::VisitPatient, page::Page, state::WebState};
use askama::Template;
use axum::{
    Json,
    extract::State,
    response::{Html, IntoResponse, Redirect, Response},
};
use service::ice_servers::IceServer;

#[derive(Template)]
#[template(path = "consultation/patient.html")]
struct PatientConsultation {
    page: Page,
    stage: Stage,
    clinic: String,
    leave: String,
}

/// The page while the encounter runs; before, the waiting room, and after, the goodbye.
pub(crate) async fn get(
    State(state): State<WebState>,
    patient: VisitPatient,
    page: Page,
) -> Result<Response, PageError> {
    let VisitPatient { actor, appointment: id } = patient;
    let appointment = scheduler::glance(&state.db, &actor, id).await?.ok_or(PageError::NotFound)?;
    // The waiting room knows where everybody else belongs.
    let Some(encounter) = running(&appointment) else {
        return Ok(Redirect::to(&format!("/waiting/{id}")).into_response());
    };
    let clinic = scheduler::clinic(&state.db, &actor).await?.name;
    let (other, own) = (&appointment.practitioner.title_and_name, &appointment.patient.name);
    let stage = Stage {
        join_tokens: format!("/consultation/{id}/join-tokens"),
        ice_servers: ice_servers_at(&state, &format!("/consultation/{id}")),
        next: format!("/goodbye/{id}"),
        ..Stage::new(&appointment, encounter, state.clock.now(), other, own)
    };
    let leave = format!("/consultation/{id}/leave");
    Ok(Html(PatientConsultation { page, stage, clinic, leave }.render()?).into_response())
}

/// A join token for the patient.
pub(crate) async fn join_tokens(State(state): State<WebState>, patient: VisitPatient) -> Result<Response, PageError> {
    let VisitPatient { actor, appointment } = patient;
    let appointment = scheduler::glance(&state.db, &actor, appointment).await?.ok_or(PageError::NotFound)?;
    let encounter = appointment.encounter.ok_or(PageError::NotFound)?;
    join_token(&state, &actor, encounter.id).await
}

/// STUN and TURN servers for the patient.
pub(crate) async fn ice_servers(
    State(state): State<WebState>,
    patient: VisitPatient,
) -> Result<Json<Vec<IceServer>>, PageError> {
    let VisitPatient { actor, appointment } = patient;
    let appointment = scheduler::glance(&state.db, &actor, appointment).await?.ok_or(PageError::NotFound)?;
    let encounter = appointment.encounter.ok_or(PageError::NotFound)?;
    super::ice_servers(&state, &actor, encounter.id).await
}

/// The patient leaves the room. The encounter goes on, and the goodbye shows the way back.
pub(crate) async fn leave(patient: VisitPatient) -> Redirect {
    Redirect::to(&format!("/goodbye/{}", patient.appointment))
}
