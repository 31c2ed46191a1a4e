//! Calling an appointment off.

use super::Appointment;
use crate::{
    announce,
    api::{
        input::{Body, Id},
        problem::{Code, Problem},
        refusals,
        scope::Scope,
        token::Desk,
        version::{IfMatch, mismatch},
    },
    state::WebState,
};
use axum::extract::State;
use domain::AppointmentId;
use scheduler::{Cancel, CancelError};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn routes() -> OpenApiRouter<WebState> {
    OpenApiRouter::new().routes(routes!(cancel))
}

/// Why, and how much of a series.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Cancellation {
    #[schema(min_length = 1, max_length = 500, pattern = r"\S")]
    reason: String,
    #[serde(default)]
    #[schema(inline)]
    scope: Scope,
}

/// Cancels an appointment, or as much of its series as `scope` says. The time is free again, and the patient is told.
#[utoipa::path(post, path = "/appointments/{id}/cancel", tag = "appointments", operation_id = "cancel_appointment",
    request_body = Cancellation,
    params(("id" = Uuid, Path), ("If-Match" = Option<String>, Header, description = "The `ETag` of the version that is meant.")),
    responses((status = 200, body = Appointment, headers(("ETag" = String))),
        refusals::Any, refusals::Missing, refusals::Body, refusals::Conflict, refusals::Changed))]
async fn cancel(
    State(state): State<WebState>,
    desk: Desk,
    Id(id): Id<AppointmentId>,
    version: IfMatch,
    Body(asked): Body<Cancellation>,
) -> Result<Appointment, Problem> {
    let by = desk.actor();
    let if_version = super::insisted(&state, by, id, &version).await?;
    let request = Cancel { scope: asked.scope.into(), if_version, ..Cancel::new(id, asked.reason) };
    let cancelled = scheduler::cancel(&state.db, &*state.clock, by, request).await.map_err(refused)?;
    announce::appointments(&state, by, &cancelled).await;
    super::answer(&state, by, id).await
}

fn refused(error: CancelError) -> Problem {
    let code = Code::from(&error);
    match error {
        CancelError::NotFound => Problem::not_found(),
        CancelError::NotPossible(_) => {
            Problem::new(code, "It is over, cancelled or missed, and cannot be cancelled any more.")
        }
        CancelError::ReasonMissing => Problem::field(code, "reason", "Give a reason of 1 to 500 characters."),
        CancelError::TooLate => Problem::new(code, "It is too late to cancel without calling the clinic."),
        CancelError::Changed => mismatch(),
        CancelError::Database(error) => error.into(),
    }
}
