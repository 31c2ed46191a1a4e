//! A patient stands before the desk.

use super::Appointment;
use crate::{
    announce,
    api::{
        input::Id,
        problem::{Code, Problem},
        refusals,
        token::Desk,
        version::{IfMatch, mismatch},
    },
    state::WebState,
};
use axum::extract::State;
use domain::AppointmentId;
use scheduler::ArriveError;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn routes() -> OpenApiRouter<WebState> {
    OpenApiRouter::new().routes(routes!(arrive))
}

/// The patient is here: they get the seat of their appointment, or keep it.
#[utoipa::path(post, path = "/appointments/{id}/arrive", tag = "appointments", operation_id = "arrive",
    params(("id" = Uuid, Path), ("If-Match" = Option<String>, Header, description = "The `ETag` of the version that is meant.")),
    responses((status = 200, body = Appointment, headers(("ETag" = String))),
        refusals::Any, refusals::Missing, refusals::Conflict, refusals::Changed))]
async fn arrive(
    State(state): State<WebState>,
    desk: Desk,
    Id(id): Id<AppointmentId>,
    version: IfMatch,
) -> Result<Appointment, Problem> {
    let by = desk.actor();
    let if_version = super::insisted(&state, by, id, &version).await?;
    scheduler::arrive_if(&state.db, &*state.clock, by, id, if_version).await.map_err(refused)?;
    announce::appointment(&state, by, id).await;
    super::answer(&state, by, id).await
}

fn refused(error: ArriveError) -> Problem {
    match error {
        ArriveError::NotFound => Problem::not_found(),
        ArriveError::TooEarly { opens_at } => {
            Problem::new(Code::TooEarly, format!("The waiting room opens at {opens_at}."))
        }
        ArriveError::TooLate => Problem::new(Code::TooLate, "The time of the appointment has passed."),
        ArriveError::Cancelled => Problem::new(Code::WrongState, "The appointment was cancelled."),
        ArriveError::Ended => Problem::new(Code::WrongState, "The visit has ended."),
        ArriveError::Changed => mismatch(),
        ArriveError::Database(error) => error.into(),
    }
}
