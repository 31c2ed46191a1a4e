//! Interpreters, rooms and devices, which can be reserved with a visit.

use super::{input::Params, page::Page, practitioners::Paging, problem::Problem, refusals, token::Caller};
use crate::state::WebState;
use axum::{Json, extract::State};
use domain::ResourceId;
use scheduler::views::{ResourceKind, ResourceView};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn routes() -> OpenApiRouter<WebState> {
    OpenApiRouter::new().routes(routes!(list))
}

/// What a resource is.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Interpreter,
    Room,
    Device,
}

/// An interpreter, a room or a device.
#[derive(Serialize, ToSchema)]
struct Resource {
    #[schema(value_type = Uuid)]
    id: ResourceId,
    kind: Kind,
    name: String,
    /// Between which an interpreter translates, as BCP 47 tags in lower case; else none.
    languages: Vec<String>,
}

impl From<ResourceView> for Resource {
    fn from(view: ResourceView) -> Self {
        let kind = match view.kind {
            ResourceKind::Interpreter => Kind::Interpreter,
            ResourceKind::Room => Kind::Room,
            ResourceKind::Device => Kind::Device,
        };
        Self { id: view.id, kind, name: view.name, languages: view.languages }
    }
}

/// The interpreters, rooms and devices of the clinic, by id.
#[utoipa::path(get, path = "/resources", tag = "clinic", operation_id = "list_resources", params(Paging),
    responses((status = 200, body = Page<Resource>), refusals::Any))]
async fn list(
    State(state): State<WebState>,
    caller: Caller,
    Params(paging): Params<Paging>,
) -> Result<Json<Page<Resource>>, Problem> {
    let all = scheduler::resources(&state.db, caller.actor()).await?;
    let page = Page::of_all(all, paging.cursor.as_deref(), paging.limit.0, |one| one.id)?;
    Ok(Json(page.map(Resource::from)))
}
