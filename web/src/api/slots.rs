//! When a visit may begin.

use super::{
    input::{Bound, BoundText, Params},
    page::{Limit, Page, place},
    problem::{Code, Problem},
    refusals,
    token::Caller,
};
use crate::state::WebState;
use axum::{Json, extract::State};
use domain::{PractitionerId, VisitTypeId};
use jiff::{SignedDuration, Timestamp};
use scheduler::{FindSlotsError, OpenSlot, SlotSearch};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

/// How far a search looks when no end is given.
const DEFAULT_STRETCH: SignedDuration = SignedDuration::from_hours(14 * 24);

pub(crate) fn routes() -> OpenApiRouter<WebState> {
    OpenApiRouter::new().routes(routes!(list))
}

/// A free slot.
#[derive(Serialize, ToSchema)]
struct Slot {
    #[schema(value_type = Uuid)]
    practitioner_id: PractitionerId,
    #[schema(value_type = Uuid)]
    visit_type_id: VisitTypeId,
    #[schema(value_type = String, format = DateTime)]
    start: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    end: Timestamp,
}

/// What is looked for.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Asked {
    #[param(value_type = Uuid)]
    visit_type_id: VisitTypeId,
    /// With whom; without it everybody who offers the type.
    #[param(value_type = Option<Uuid>)]
    practitioner_id: Option<PractitionerId>,
    /// From this instant or day of the clinic on; without it from now.
    #[param(value_type = Option<BoundText>, inline)]
    from: Option<Bound>,
    /// Before this instant, or on this day of the clinic at the latest; without it within two weeks of `from`.
    #[param(value_type = Option<BoundText>, inline)]
    to: Option<Bound>,
    /// A language that the practitioner speaks, as a BCP 47 tag.
    #[param(value_type = Option<String>, min_length = 2, max_length = 35, example = "pt-br")]
    language: Option<String>,
    /// How many items at most.
    #[serde(default)]
    #[param(value_type = Option<i32>, minimum = 1, maximum = 200, default = 50)]
    limit: Limit,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Free slots by start. A slot is an offer, not a promise: booking it says whether it is still free.
#[utoipa::path(get, path = "/slots", tag = "slots", operation_id = "list_slots", params(Asked),
    responses((status = 200, body = Page<Slot>), refusals::Any))]
async fn list(
    State(state): State<WebState>,
    caller: Caller,
    Params(asked): Params<Asked>,
) -> Result<Json<Page<Slot>>, Problem> {
    let by = caller.actor();
    let zone = scheduler::clinic(&state.db, by).await?.zone;
    let from = asked.from.map_or_else(|| state.clock.now(), |bound| bound.first(&zone));
    let to = asked.to.map_or_else(|| from.saturating_add(DEFAULT_STRETCH).unwrap_or(from), |bound| bound.last(&zone));
    if asked.language.as_ref().is_some_and(|tag| !(2..=35).contains(&tag.chars().count()) || tag.contains('\0')) {
        return Err(Problem::fields([("language".to_owned(), "Give a language as a tag like pt-br.".to_owned())]));
    }
    let search = SlotSearch {
        practitioners: asked.practitioner_id.into_iter().collect(),
        visit_type: asked.visit_type_id,
        from,
        to,
        language: asked.language,
        time_of_day: None,
        zone: None,
        after: place(asked.cursor.as_deref())?,
        limit: asked.limit.0 + 1,
    };
    let found = scheduler::find_slots(&state.db, &*state.clock, by, &search).await.map_err(refused)?;
    let page = Page::new(found, asked.limit.0, |slot| (slot.starts_at, slot.practitioner));
    Ok(Json(page.map(|slot| shown(slot, asked.visit_type_id))))
}

fn shown(slot: OpenSlot, visit_type_id: VisitTypeId) -> Slot {
    Slot { practitioner_id: slot.practitioner, visit_type_id, start: slot.starts_at, end: slot.ends_at }
}

fn refused(error: FindSlotsError) -> Problem {
    match error {
        FindSlotsError::NoSuchVisitType => {
            Problem::field(Code::NoSuchVisitType, "visit_type_id", "The clinic does not offer this type of visit.")
        }
        FindSlotsError::EndsBeforeItBegins => {
            Problem::field(Code::EndsBeforeItBegins, "to", "The end lies before the beginning.")
        }
        FindSlotsError::Database(error) => error.into(),
    }
}
