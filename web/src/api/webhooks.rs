//! Who is told what happens. For administrators' tokens.

use super::{
    input::{Body, Id, Params},
    page::{Page, place},
    practitioners::Paging,
    problem::{Code, Problem},
    refusals,
    token::Administrator,
};
use crate::state::WebState;
use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
};
use domain::WebhookId;
use jiff::Timestamp;
use scheduler::{DeliveryView, NewWebhook, WebhookError, WebhookView};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn routes() -> OpenApiRouter<WebState> {
    OpenApiRouter::new().routes(routes!(list, add)).routes(routes!(disable)).routes(routes!(deliveries))
}

/// A webhook with how far it was told.
#[derive(Serialize, ToSchema)]
struct Webhook {
    #[schema(value_type = Uuid)]
    id: WebhookId,
    url: String,
    /// It may be an address within the house.
    allow_private: bool,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// Since when it is told nothing.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    disabled_at: Option<Timestamp>,
    /// Events it is still to be told.
    waiting: i64,
    /// Events it could not be told within a day.
    given_up: i64,
    #[schema(value_type = Option<String>, format = DateTime, required)]
    last_delivered_at: Option<Timestamp>,
    /// What the last attempt at the event that waits came to.
    #[schema(required, examples("status 503"))]
    last_outcome: Option<String>,
}

impl From<WebhookView> for Webhook {
    fn from(view: WebhookView) -> Self {
        Self {
            id: view.id,
            url: view.url,
            allow_private: view.may_be_private,
            created_at: view.created_at,
            disabled_at: view.disabled_at,
            waiting: view.waiting,
            given_up: view.given_up,
            last_delivered_at: view.last_delivered_at,
            last_outcome: view.last_outcome,
        }
    }
}

/// The webhooks of the clinic in the order in which they were made, those that were disabled included.
#[utoipa::path(get, path = "/webhooks", tag = "webhooks", operation_id = "list_webhooks", params(Paging),
    responses((status = 200, body = Page<Webhook>), refusals::Any))]
async fn list(
    State(state): State<WebState>,
    administrator: Administrator,
    Params(paging): Params<Paging>,
) -> Result<Json<Page<Webhook>>, Problem> {
    let after = place(paging.cursor.as_deref())?;
    let read = scheduler::webhooks(&state.db, administrator.actor(), after, paging.limit.and_one()).await?;
    let page = Page::new(read, paging.limit.0, |webhook| (webhook.created_at, webhook.id));
    Ok(Json(page.map(Webhook::from)))
}

/// A webhook to make.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewWebhook)]
#[serde(deny_unknown_fields)]
struct New {
    /// Begins with `https://`; `http://` only with `allow_private`.
    #[schema(min_length = 1, max_length = 2000, format = "uri", examples("https://desk.example.org/bedside"))]
    url: String,
    /// The address lies within the house: loopback and private networks are accepted, and plain HTTP.
    #[serde(default)]
    allow_private: bool,
}

/// A webhook that was made.
#[derive(Serialize, ToSchema)]
struct Made {
    #[schema(value_type = Uuid)]
    id: WebhookId,
    /// Verifies what is sent (Standard Webhooks). Shown this once.
    secret: String,
}

/// Makes a webhook, which is told of every event from here on: at least once, in order, signed as Standard Webhooks says.
#[utoipa::path(post, path = "/webhooks", tag = "webhooks", operation_id = "create_webhook", request_body = New,
    responses((status = 201, body = Made), refusals::Any, refusals::Body, refusals::Conflict))]
async fn add(
    State(state): State<WebState>,
    administrator: Administrator,
    Body(new): Body<New>,
) -> Result<impl IntoResponse, Problem> {
    let new = NewWebhook { url: new.url, allow_private: new.allow_private };
    let by = administrator.actor();
    let made = scheduler::create_webhook(&state.db, &*state.clock, &*state.random, by, new).await;
    let (id, secret) = made.map_err(refused)?;
    Ok((StatusCode::CREATED, [(header::CACHE_CONTROL, "no-store")], Json(Made { id, secret: secret.into_inner() })))
}

/// Disables a webhook for good. It stays in the list.
#[utoipa::path(post, path = "/webhooks/{id}/disable", tag = "webhooks", operation_id = "disable_webhook", params(("id" = Uuid, Path)),
    responses((status = 204), refusals::Any, refusals::Missing))]
async fn disable(
    State(state): State<WebState>,
    administrator: Administrator,
    Id(id): Id<WebhookId>,
) -> Result<StatusCode, Problem> {
    scheduler::disable_webhook(&state.db, &*state.clock, administrator.actor(), id).await.map_err(refused)?;
    Ok(StatusCode::NO_CONTENT)
}

/// One event on its way to one webhook.
#[derive(Serialize, ToSchema)]
struct Delivery {
    /// The event's number.
    number: i64,
    #[serde(rename = "type")]
    kind: String,
    /// How often it was tried.
    attempts: i32,
    #[schema(required, examples("timed out"))]
    last_outcome: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime, required)]
    delivered_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime, required)]
    given_up_at: Option<Timestamp>,
}

impl From<DeliveryView> for Delivery {
    fn from(view: DeliveryView) -> Self {
        Self {
            number: view.number,
            kind: view.kind,
            attempts: view.attempts,
            last_outcome: view.last_outcome,
            delivered_at: view.delivered_at,
            given_up_at: view.given_up_at,
        }
    }
}

/// What a webhook was told, newest first.
#[utoipa::path(get, path = "/webhooks/{id}/deliveries", tag = "webhooks", operation_id = "list_deliveries",
    params(("id" = Uuid, Path), Paging),
    responses((status = 200, body = Page<Delivery>), refusals::Any, refusals::Missing))]
async fn deliveries(
    State(state): State<WebState>,
    administrator: Administrator,
    Id(id): Id<WebhookId>,
    Params(paging): Params<Paging>,
) -> Result<Json<Page<Delivery>>, Problem> {
    let before = place(paging.cursor.as_deref())?.unwrap_or(i64::MAX);
    let by = administrator.actor();
    let read = scheduler::webhook_deliveries(&state.db, by, id, before, paging.limit.and_one()).await;
    let page = Page::new(read.map_err(refused)?, paging.limit.0, |delivery| delivery.number);
    Ok(Json(page.map(Delivery::from)))
}

fn refused(error: WebhookError) -> Problem {
    match error {
        WebhookError::NotAllowed => Problem::forbidden(),
        WebhookError::Target(why) => Problem::field(Code::TargetRefused, "url", words(why)),
        WebhookError::TooMany => {
            Problem::new(Code::TooManyOfThem, "A clinic may have 20 webhooks. Disable one that is not needed any more.")
        }
        WebhookError::NotFound => Problem::not_found(),
        WebhookError::Database(error) => error.into(),
    }
}

/// Why an address cannot be told, as a sentence.
pub(crate) fn words(why: scheduler::TargetError) -> &'static str {
    use scheduler::TargetError;
    match why {
        TargetError::Unreadable => {
            "Give an address like https://example.org/hook, of at most 2,000 characters and without a password."
        }
        TargetError::NotHttps => "The address must begin with https://, unless it may be a private one.",
        TargetError::Private => "The address belongs to a private network. Say that it may, if it is meant.",
        TargetError::Never => "Nothing can be told to this address.",
    }
}
