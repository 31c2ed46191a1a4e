//! Moving an appointment to another time.

use super::{
    Appointment,
    refused::{conflicts, refused},
};
use crate::{
    announce,
    api::{
        input::{Body, Id, Instant},
        problem::{Code, Problem},
        refusals,
        scope::Scope,
        token::Desk,
        version::{IfMatch, mismatch},
    },
    state::WebState,
};
use axum::extract::State;
use domain::{AppointmentId, PractitionerId};
use scheduler::{Reschedule, RescheduleError};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn routes() -> OpenApiRouter<WebState> {
    OpenApiRouter::new().routes(routes!(reschedule))
}

/// Where to, and why.
#[derive(Deserialize, ToSchema)]
#[schema(as = Move)]
#[serde(deny_unknown_fields)]
struct Move {
    /// The start of a slot. The others of a series move as far by the clock on the wall.
    #[schema(value_type = String, format = DateTime)]
    start: Instant,
    /// With whom from now on, if that changes too.
    #[schema(value_type = Option<Uuid>)]
    practitioner_id: Option<PractitionerId>,
    #[schema(min_length = 1, max_length = 500, pattern = r"\S")]
    reason: String,
    #[serde(default)]
    #[schema(inline)]
    scope: Scope,
    /// Why it may lie beside another appointment of the practitioner, if the time is taken.
    #[schema(min_length = 1, max_length = 500, pattern = r"\S")]
    overbook_reason: Option<String>,
}

/// Moves an appointment, or as much of its series as `scope` says: all of it or nothing. The patient is told.
#[utoipa::path(post, path = "/appointments/{id}/reschedule", tag = "appointments", operation_id = "reschedule_appointment",
    request_body = Move,
    params(("id" = Uuid, Path), ("If-Match" = Option<String>, Header, description = "The `ETag` of the version that is meant.")),
    responses((status = 200, body = Appointment, headers(("ETag" = String))),
        refusals::Any, refusals::Missing, refusals::Body, refusals::Conflict, refusals::Changed))]
async fn reschedule(
    State(state): State<WebState>,
    desk: Desk,
    Id(id): Id<AppointmentId>,
    version: IfMatch,
    Body(asked): Body<Move>,
) -> Result<Appointment, Problem> {
    let by = desk.actor();
    let if_version = super::insisted(&state, by, id, &version).await?;
    let request = Reschedule {
        practitioner: asked.practitioner_id,
        scope: asked.scope.into(),
        if_version,
        overbook: asked.overbook_reason,
        ..Reschedule::new(id, asked.start.0, asked.reason)
    };
    let before = scheduler::practitioner_of(&state.db, by, id).await?;
    let moved = scheduler::reschedule(&state.db, &*state.clock, by, request).await.map_err(not_moved)?;
    announce::moved(&state, by, &moved, before).await;
    super::answer(&state, by, id).await
}

fn not_moved(error: RescheduleError) -> Problem {
    let code = Code::from(&error);
    match error {
        RescheduleError::NotFound => Problem::not_found(),
        RescheduleError::NotPossible(_) => {
            Problem::new(code, "Only an appointment that is booked and has not begun can be moved.")
        }
        RescheduleError::Waits => {
            Problem::new(code, "The patient is here and waits: it can be moved to another time of the same day only.")
        }
        RescheduleError::ReasonMissing => Problem::field(code, "reason", "Give a reason of 1 to 500 characters."),
        RescheduleError::Changed => mismatch(),
        RescheduleError::Refused(error) => refused(error),
        RescheduleError::Conflicts(all) => conflicts(all),
        RescheduleError::Database(error) => error.into(),
    }
}
