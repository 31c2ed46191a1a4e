//! Practitioners, who are seen by every program of the clinic.

use super::{
    input::{Id, Params},
    page::{Limit, Page},
    problem::Problem,
    refusals,
    token::Caller,
};
use crate::state::WebState;
use axum::{Json, extract::State};
use domain::PractitionerId;
use scheduler::PractitionerView;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn routes() -> OpenApiRouter<WebState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(show))
}

/// A practitioner.
#[derive(Serialize, ToSchema)]
struct Practitioner {
    #[schema(value_type = Uuid)]
    id: PractitionerId,
    /// `Dr Hannah Osei`.
    name: String,
    /// `Dr Osei`.
    short_name: String,
    speciality: String,
}

impl From<PractitionerView> for Practitioner {
    fn from(view: PractitionerView) -> Self {
        Self { id: view.id, name: view.title_and_name, short_name: view.short, speciality: view.speciality }
    }
}

/// What a list without filters understands.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Paging {
    /// How many items at most.
    #[serde(default)]
    #[param(value_type = Option<i32>, minimum = 1, maximum = 200, default = 50)]
    pub(super) limit: Limit,
    /// `next` of the page before.
    pub(super) cursor: Option<String>,
}

/// The practitioners of the clinic, by id.
#[utoipa::path(get, path = "/practitioners", tag = "practitioners", operation_id = "list_practitioners", params(Paging),
    responses((status = 200, body = Page<Practitioner>), refusals::Any))]
async fn list(
    State(state): State<WebState>,
    caller: Caller,
    Params(paging): Params<Paging>,
) -> Result<Json<Page<Practitioner>>, Problem> {
    let all = scheduler::practitioners(&state.db, caller.actor()).await?;
    let page = Page::of_all(all, paging.cursor.as_deref(), paging.limit.0, |one| one.id)?;
    Ok(Json(page.map(Practitioner::from)))
}

/// One practitioner.
#[utoipa::path(get, path = "/practitioners/{id}", tag = "practitioners", operation_id = "get_practitioner",
    params(("id" = Uuid, Path)), responses((status = 200, body = Practitioner), refusals::Any, refusals::Missing))]
async fn show(
    State(state): State<WebState>,
    caller: Caller,
    Id(id): Id<PractitionerId>,
) -> Result<Json<Practitioner>, Problem> {
    let all = scheduler::practitioners(&state.db, caller.actor()).await?;
    let one = all.into_iter().find(|one| one.id == id).ok_or_else(Problem::not_found)?;
    Ok(Json(one.into()))
}
