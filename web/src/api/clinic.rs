//! The clinic whose token it is.

use super::{problem::Problem, refusals, token::Caller};
use crate::state::WebState;
use axum::{Json, extract::State};
use domain::ClinicId;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn routes() -> OpenApiRouter<WebState> {
    OpenApiRouter::new().routes(routes!(show))
}

/// A clinic.
#[derive(Serialize, ToSchema)]
struct Clinic {
    #[schema(value_type = Uuid)]
    id: ClinicId,
    /// As on the sign at the door.
    name: String,
    /// The IANA zone of its wall clocks.
    #[schema(examples("Europe/London"))]
    time_zone: String,
    /// For patients who cannot come in.
    phone: String,
    /// How many minutes before the start a patient may arrive.
    arrive_early_minutes: i64,
    /// How many minutes after the end a patient may still arrive.
    arrive_late_minutes: i64,
}

/// The clinic of this token.
#[utoipa::path(get, path = "/clinic", tag = "clinic", operation_id = "get_clinic",
    responses((status = 200, body = Clinic), refusals::Any))]
async fn show(State(state): State<WebState>, caller: Caller) -> Result<Json<Clinic>, Problem> {
    let clinic = scheduler::clinic(&state.db, caller.actor()).await?;
    Ok(Json(Clinic {
        id: clinic.id,
        name: clinic.name,
        time_zone: clinic.zone.iana_name().unwrap_or("UTC").to_owned(),
        phone: clinic.phone,
        arrive_early_minutes: clinic.early.as_mins(),
        arrive_late_minutes: clinic.late.as_mins(),
    }))
}
