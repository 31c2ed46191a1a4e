//! What may be booked.

use super::{input::Params, page::Page, practitioners::Paging, problem::Problem, refusals, token::Caller};
use crate::state::WebState;
use axum::{Json, extract::State};
use domain::{PractitionerId, VisitTypeId};
use scheduler::VisitTypeView;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn routes() -> OpenApiRouter<WebState> {
    OpenApiRouter::new().routes(routes!(list))
}

/// A type of visit.
#[derive(Serialize, ToSchema)]
struct VisitType {
    #[schema(value_type = Uuid)]
    id: VisitTypeId,
    name: String,
    /// How long it takes.
    minutes: i16,
    /// Kept free before it in the practitioner's time.
    buffer_before_minutes: i16,
    /// Kept free after it.
    buffer_after_minutes: i16,
    /// How long before its start it must be booked.
    min_notice_minutes: i32,
    /// How far ahead it may be booked.
    horizon_days: i16,
    /// Until how long before the start patients may cancel by themselves.
    cancel_notice_minutes: i32,
    /// Patients may book it by themselves.
    is_public: bool,
    /// Who offers it.
    #[schema(value_type = Vec<Uuid>)]
    practitioner_ids: Vec<PractitionerId>,
}

impl From<VisitTypeView> for VisitType {
    fn from(view: VisitTypeView) -> Self {
        Self {
            id: view.id,
            name: view.name,
            minutes: view.minutes,
            buffer_before_minutes: view.buffer_before_minutes,
            buffer_after_minutes: view.buffer_after_minutes,
            min_notice_minutes: view.min_notice_minutes,
            horizon_days: view.horizon_days,
            cancel_notice_minutes: view.cancel_notice_minutes,
            is_public: view.is_public,
            practitioner_ids: view.practitioners,
        }
    }
}

/// The types of visit that are offered, by id.
#[utoipa::path(get, path = "/visit-types", tag = "visit types", operation_id = "list_visit_types", params(Paging),
    responses((status = 200, body = Page<VisitType>), refusals::Any))]
async fn list(
    State(state): State<WebState>,
    caller: Caller,
    Params(paging): Params<Paging>,
) -> Result<Json<Page<VisitType>>, Problem> {
    let all = scheduler::visit_types(&state.db, caller.actor()).await?;
    let page = Page::of_all(all, paging.cursor.as_deref(), paging.limit.0, |one| one.id)?;
    Ok(Json(page.map(VisitType::from)))
}
