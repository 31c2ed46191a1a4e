//! Appointments: read here, and in a file each what is done to them.

mod arrive;
mod book;
mod cancel;
mod join_tokens;
mod refused;
mod reschedule;
mod show;
mod walk_in;

pub(crate) use refused::refused;
pub(crate) use show::Appointment;

use super::{problem::Problem, version::IfMatch};
use crate::state::WebState;
use domain::{Actor, AppointmentId};
use utoipa_axum::router::OpenApiRouter;

pub(crate) fn routes() -> OpenApiRouter<WebState> {
    OpenApiRouter::new()
        .merge(show::routes())
        .merge(book::routes())
        .merge(walk_in::routes())
        .merge(arrive::routes())
        .merge(reschedule::routes())
        .merge(cancel::routes())
        .merge(join_tokens::routes())
}

/// The version to insist on: `None` when the request is meant for any.
async fn insisted(state: &WebState, by: &Actor, id: AppointmentId, version: &IfMatch) -> Result<Option<i64>, Problem> {
    if version.is_any() {
        return Ok(None);
    }
    let present = scheduler::appointment_facts(&state.db, by, id).await?.ok_or_else(Problem::not_found)?;
    version.insist(present.version)
}

/// The appointment as it is after it was changed.
async fn answer(state: &WebState, by: &Actor, id: AppointmentId) -> Result<Appointment, Problem> {
    let facts = scheduler::appointment_facts(&state.db, by, id).await?;
    Ok(facts.ok_or_else(Problem::not_found)?.into())
}
