//! A patient who comes without an appointment.

use super::{Appointment, answer, book::created};
use crate::{
    announce,
    api::{
        input::Body,
        problem::{Code, Problem},
        refusals,
        token::Desk,
    },
    state::WebState,
};
use axum::{extract::State, response::Response};
use domain::{PatientId, PractitionerId, VisitTypeId};
use scheduler::{WalkIn, WalkInError};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn routes() -> OpenApiRouter<WebState> {
    OpenApiRouter::new().routes(routes!(walk_in))
}

/// Who came, and whom they wait for.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewWalkIn)]
#[serde(deny_unknown_fields)]
struct New {
    #[schema(value_type = Uuid)]
    practitioner_id: PractitionerId,
    #[schema(value_type = Uuid)]
    patient_id: PatientId,
    #[schema(value_type = Uuid)]
    visit_type_id: VisitTypeId,
}

/// Books a visit that begins now, whose patient has arrived. It depends on no free time.
#[utoipa::path(post, path = "/walk-ins", tag = "appointments", operation_id = "walk_in", request_body = New,
    responses((status = 201, body = Appointment, headers(("Location" = String), ("ETag" = String))),
        refusals::Any, refusals::Body, refusals::Conflict))]
async fn walk_in(State(state): State<WebState>, desk: Desk, Body(new): Body<New>) -> Result<Response, Problem> {
    let by = desk.actor();
    let request = WalkIn { patient: new.patient_id, practitioner: new.practitioner_id, visit_type: new.visit_type_id };
    let id = scheduler::walk_in(&state.db, &*state.clock, &*state.random, by, request).await.map_err(refused)?;
    announce::appointment(&state, by, id).await;
    Ok(created(id, answer(&state, by, id).await?))
}

fn refused(error: WalkInError) -> Problem {
    let code = Code::from(&error);
    match error {
        WalkInError::PatientBusy => Problem::new(code, "The patient has another appointment at that time."),
        WalkInError::QueueFull => Problem::new(code, "The practitioner's queue is as long as it may be."),
        WalkInError::NotOffered => {
            Problem::field(code, "visit_type_id", "The practitioner does not offer this type of visit.")
        }
        WalkInError::NoSuchPatient => Problem::field(code, "patient_id", "The clinic has no such patient."),
        WalkInError::NoSuchPractitioner => {
            Problem::field(code, "practitioner_id", "The clinic has no such practitioner.")
        }
        WalkInError::Database(error) => error.into(),
    }
}
