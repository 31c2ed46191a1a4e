//! What happened, in order: for programs that were away, or that ask instead of being told.

use super::{
    input::Params,
    page::{Limit, Page, place},
    problem::Problem,
    refusals,
    token::Caller,
};
use crate::state::WebState;
use axum::{Json, extract::State};
use jiff::Timestamp;
use scheduler::EventView;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn routes() -> OpenApiRouter<WebState> {
    OpenApiRouter::new().routes(routes!(list))
}

/// Something that happened, as webhooks are told of it too.
#[derive(Serialize, ToSchema)]
struct Event {
    /// Grows from event to event, with gaps. `webhook-id` is `evt_` and this number.
    number: i64,
    #[serde(rename = "type")]
    #[schema(examples("appointment.booked"))]
    kind: String,
    #[schema(value_type = String, format = DateTime)]
    timestamp: Timestamp,
    /// What it is about as it was then, an appointment or who waits for one: ids, state, times and version. No names.
    #[schema(value_type = Object)]
    data: Value,
}

impl From<EventView> for Event {
    fn from(view: EventView) -> Self {
        Self { number: view.number, kind: view.kind, timestamp: view.occurred_at, data: view.data }
    }
}

/// Where to go on.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct After {
    /// The number of the last event that was read; 0 reads from the oldest that is kept.
    #[serde(default)]
    #[param(value_type = Option<i64>, minimum = 0, default = 0)]
    #[serde(deserialize_with = "not_negative")]
    after: i64,
    /// How many items at most.
    #[serde(default)]
    #[param(value_type = Option<i32>, minimum = 1, maximum = 200, default = 50)]
    limit: Limit,
    /// `next` of the page before; it goes before `after`.
    cursor: Option<String>,
}

fn not_negative<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let number = i64::deserialize(deserializer)?;
    if number >= 0 { Ok(number) } else { Err(D::Error::custom("give 0 or more")) }
}

/// The events after a number, in order. Events are kept for 30 days; a practitioner's program is told of their own appointments.
#[utoipa::path(get, path = "/events", tag = "events", operation_id = "list_events", params(After),
    responses((status = 200, body = Page<Event>), refusals::Any))]
async fn list(
    State(state): State<WebState>,
    caller: Caller,
    Params(asked): Params<After>,
) -> Result<Json<Page<Event>>, Problem> {
    let after = place(asked.cursor.as_deref())?.unwrap_or(asked.after);
    let limit = asked.limit;
    let read = scheduler::events(&state.db, caller.actor(), caller.own(), after, limit.and_one()).await?;
    Ok(Json(Page::new(read, limit.0, |event| event.number).map(Event::from)))
}
