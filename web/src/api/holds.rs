//! A time is kept while a form is filled in.

use super::{
    appointments::refused,
    input::{Body, Id, Instant},
    problem::Problem,
    refusals,
    token::Desk,
};
use crate::{announce, state::WebState};
use axum::{Json, extract::State, http::StatusCode};
use domain::{HoldId, PatientId, PractitionerId, VisitTypeId};
use jiff::{SignedDuration, Timestamp};
use scheduler::HoldRequest;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// How long a time is kept when nothing is said: as long as somebody takes to fill in a form.
const DEFAULT_SECONDS: u16 = 300;

/// The longest that it may be kept.
const MAX_SECONDS: u16 = 3_600;

pub(crate) fn routes() -> OpenApiRouter<WebState> {
    OpenApiRouter::new().routes(routes!(hold)).routes(routes!(release))
}

/// A time to keep.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewHold)]
#[serde(deny_unknown_fields)]
struct New {
    #[schema(value_type = Uuid)]
    practitioner_id: PractitionerId,
    #[schema(value_type = Uuid)]
    visit_type_id: VisitTypeId,
    /// The start of a slot.
    #[schema(value_type = String, format = DateTime)]
    start: Instant,
    /// The only one who may then have it; nothing while that is open.
    #[schema(value_type = Option<Uuid>)]
    patient_id: Option<PatientId>,
    /// For how long.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 3600, default = 300)]
    seconds: Option<u16>,
}

/// A time that is kept.
#[derive(Serialize, ToSchema)]
struct Hold {
    /// Sent as `hold_id`, books it.
    #[schema(value_type = Uuid)]
    id: HoldId,
    #[schema(value_type = Uuid)]
    practitioner_id: PractitionerId,
    #[schema(value_type = Uuid)]
    visit_type_id: VisitTypeId,
    #[schema(value_type = String, format = DateTime)]
    start: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    end: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// Keeps a free slot: until it expires nobody else can book or hold it.
#[utoipa::path(post, path = "/holds", tag = "slots", operation_id = "hold", request_body = New,
    responses((status = 201, body = Hold), refusals::Any, refusals::Body, refusals::Conflict))]
async fn hold(
    State(state): State<WebState>,
    desk: Desk,
    Body(new): Body<New>,
) -> Result<(StatusCode, Json<Hold>), Problem> {
    let seconds = new.seconds.unwrap_or(DEFAULT_SECONDS);
    if !(1..=MAX_SECONDS).contains(&seconds) {
        return Err(Problem::fields([("seconds".to_owned(), "Give 1 to 3600.".to_owned())]));
    }
    let request = HoldRequest {
        practitioner: new.practitioner_id,
        visit_type: new.visit_type_id,
        starts_at: new.start.0,
        patient: new.patient_id,
    };
    let lifetime = SignedDuration::from_secs(seconds.into());
    let by = desk.actor();
    let held = scheduler::hold(&state.db, &*state.clock, &*state.random, by, request, lifetime).await;
    let held = held.map_err(refused)?;
    announce::desks(&state, by).await;
    let hold = Hold {
        id: held.id,
        practitioner_id: held.practitioner,
        visit_type_id: held.visit_type,
        start: held.starts_at,
        end: held.ends_at,
        expires_at: held.expires_at,
    };
    Ok((StatusCode::CREATED, Json(hold)))
}

/// Lets a held time go. One that is gone already is let go, too.
#[utoipa::path(delete, path = "/holds/{id}", tag = "slots", operation_id = "release_hold", params(("id" = Uuid, Path)),
    responses((status = 204), refusals::Any, refusals::Missing))]
async fn release(State(state): State<WebState>, desk: Desk, Id(id): Id<HoldId>) -> Result<StatusCode, Problem> {
    scheduler::release_hold(&state.db, desk.actor(), id).await?;
    announce::desks(&state, desk.actor()).await;
    Ok(StatusCode::NO_CONTENT)
}
