//! Programs of the clinic: the tokens they call the API with, and the webhooks they are told by.

pub(crate) mod tokens;
pub(crate) mod webhooks;

use crate::{
    errors::PageError,
    extract::Administrator,
    page::{Here, Page, Staff},
    state::WebState,
    words,
};
use askama::Template;
use axum::{
    extract::State,
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};
use domain::{Redacted, Role};
use jiff::tz::TimeZone;
use scheduler::{ApiTokenView, PractitionerView, WebhookView};

/// The most webhooks the page shows.
const MAX_SHOWN: i64 = 100;

#[derive(Template)]
#[template(path = "programs/show.html")]
struct ProgramsPage {
    page: Page,
    staff: Staff,
    practitioners: Vec<PractitionerView>,
    tokens: Vec<Token>,
    webhooks: Vec<Webhook>,
    notes: Notes,
}

/// What was typed, what is wrong with it, and what is shown this once.
#[derive(Default)]
pub(crate) struct Notes {
    new_token: Option<Redacted<String>>,
    new_secret: Option<Redacted<String>>,
    token_problem: Option<&'static str>,
    webhook_problem: Option<&'static str>,
    name: String,
    /// `receptionist`, `administrator`, or the id of a practitioner.
    acts_as: String,
    url: String,
    allow_private: bool,
}

struct Token {
    token: ApiTokenView,
    acts_as: String,
    used: String,
    made: String,
}

struct Webhook {
    webhook: WebhookView,
    stands: String,
}

/// The page.
pub(crate) async fn get(
    State(state): State<WebState>,
    administrator: Administrator,
    page: Page,
) -> Result<Response, PageError> {
    render(&state, &administrator, page, StatusCode::OK, Notes::default()).await
}

/// The page with `notes`.
async fn render(
    state: &WebState,
    administrator: &Administrator,
    page: Page,
    status: StatusCode,
    notes: Notes,
) -> Result<Response, PageError> {
    let by = administrator.actor();
    let zone = &administrator.clinic.zone;
    let tokens = scheduler::api_tokens(&state.db, &by).await?;
    let webhooks = scheduler::webhooks(&state.db, &by, None, MAX_SHOWN).await?;
    let html = ProgramsPage {
        page,
        staff: Staff::at_desk(state, administrator, Here::Programs).await?,
        practitioners: scheduler::practitioners(&state.db, &by).await?,
        tokens: tokens.into_iter().filter(|token| token.revoked_at.is_none()).map(|token| told(token, zone)).collect(),
        webhooks: webhooks.into_iter().map(|webhook| stands(webhook, zone)).collect(),
        notes,
    };
    Ok((status, Html(html.render()?)).into_response())
}

fn told(token: ApiTokenView, zone: &TimeZone) -> Token {
    let acts_as = match (token.role, &token.practitioner) {
        (Role::Practitioner, Some(name)) => name.clone(),
        (role, _) => role.as_str().to_owned(),
    };
    let used = token
        .last_used_at
        .map_or_else(|| "never used".to_owned(), |at| format!("last used {}", words::date_and_time(at, zone)));
    let by = token.created_by.as_deref().map(|name| format!(" by {name}")).unwrap_or_default();
    let made = format!("made {}{by}", words::date_and_time(token.created_at, zone));
    Token { token, acts_as, used, made }
}

fn stands(webhook: WebhookView, zone: &TimeZone) -> Webhook {
    let mut stands = match (webhook.disabled_at, webhook.last_delivered_at) {
        (Some(at), _) => format!("disabled {}", words::date_and_time(at, zone)),
        (None, Some(at)) => format!("last told {}", words::date_and_time(at, zone)),
        (None, None) => "nothing told yet".to_owned(),
    };
    if webhook.waiting > 0 && webhook.disabled_at.is_none() {
        stands += &format!(", {} waiting", webhook.waiting);
    }
    if webhook.given_up > 0 {
        stands += &format!(", {} given up", webhook.given_up);
    }
    if let Some(outcome) = webhook.last_outcome.as_deref().filter(|_| webhook.disabled_at.is_none()) {
        stands += &format!(". Last attempt: {outcome}");
    }
    Webhook { webhook, stands }
}
