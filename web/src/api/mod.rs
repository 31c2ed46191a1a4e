//! `/api/v1`: the same verbs as the pages, for programs. Handler, route and description are one: each operation carries its
//! `#[utoipa::path]`, and the router gathers them into `/api/openapi.json`.

mod appointments;
mod clinic;
mod events;
mod holds;
mod idempotency;
mod input;
mod limits;
mod page;
mod patients;
mod practitioners;
pub(crate) mod problem;
mod refusals;
mod resources;
mod scope;
mod slots;
mod token;
mod version;
mod visit_types;
mod waitlist;
pub(crate) mod webhooks;

pub use limits::Limits;

use crate::state::WebState;
use axum::{Json, Router, routing::get};
use utoipa::{
    OpenApi,
    openapi::{
        InfoBuilder, LicenseBuilder, OpenApi as Description, OpenApiBuilder,
        security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};
use utoipa_axum::router::OpenApiRouter;

/// How the description begins.
const ABOUT: &str = "The front desk's verbs for programs. Times are RFC 3339 instants; ids are UUIDs. Lists answer \
    `{\"items\": […], \"next\": cursor or null}`. Refusals are RFC 9457 problems whose `type` ends in a stable code. \
    An administrator makes tokens on the page \"Programs\". `docs/api.md` begins with an example.";

/// Everything below `/api`.
pub(crate) fn router() -> Router<WebState> {
    let (router, description) = operations().split_for_parts();
    let description = Json(finished(description));
    router.route("/api/openapi.json", get(async move || description.clone()))
}

fn operations() -> OpenApiRouter<WebState> {
    let v1 = OpenApiRouter::new()
        .merge(clinic::routes())
        .merge(practitioners::routes())
        .merge(visit_types::routes())
        .merge(resources::routes())
        .merge(slots::routes())
        .merge(holds::routes())
        .merge(patients::routes())
        .merge(appointments::routes())
        .merge(waitlist::routes())
        .merge(events::routes())
        .merge(webhooks::routes());
    OpenApiRouter::with_openapi(begun()).nest("/api/v1", v1)
}

fn begun() -> Description {
    #[derive(OpenApi)]
    #[openapi()]
    struct Empty;

    let license = LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build();
    let info = InfoBuilder::new().title("Bedside").version("1").description(Some(ABOUT)).license(Some(license)).build();
    OpenApiBuilder::from(Empty::openapi()).info(info).build()
}

/// Adds what no single operation says: the bearer token that all of them need, and the schema of refusals.
fn finished(mut description: Description) -> Description {
    let components = description.components.get_or_insert_default();
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("bds_…")
        .description(Some("An API token of a role, from the page \"Programs\"."))
        .build();
    components.security_schemes.insert("bearer".to_owned(), SecurityScheme::Http(bearer).into());
    let mut more = Vec::new();
    refusals::schemas(&mut more);
    components.schemas.extend(more);
    description.security = Some(vec![SecurityRequirement::new("bearer", Vec::<String>::new())]);
    description
}
