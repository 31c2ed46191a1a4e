//! Making and disabling webhooks. The secret of a new one is shown in the answer, and never again.

use super::{Notes, render};
use crate::{
    api,
    errors::PageError,
    extract::{Administrator, Id},
    page::Page,
    state::WebState,
};
use axum::{
    Form,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use domain::WebhookId;
use scheduler::{NewWebhook, WebhookError};
use serde::Deserialize;

#[derive(Deserialize)]
pub(crate) struct WebhookForm {
    #[serde(default)]
    url: String,
    /// Sent only when it is ticked.
    allow_private: Option<String>,
}

/// Makes a webhook and shows its secret.
pub(crate) async fn post(
    State(state): State<WebState>,
    administrator: Administrator,
    page: Page,
    Form(form): Form<WebhookForm>,
) -> Result<Response, PageError> {
    let allow_private = form.allow_private.is_some();
    let new = NewWebhook { url: form.url.clone(), allow_private };
    let by = administrator.actor();
    let problem = match scheduler::create_webhook(&state.db, &*state.clock, &*state.random, &by, new).await {
        Ok((_, secret)) => {
            let notes = Notes { new_secret: Some(secret), ..Notes::default() };
            return render(&state, &administrator, page, StatusCode::OK, notes).await;
        }
        Err(WebhookError::Target(why)) => api::webhooks::words(why),
        Err(WebhookError::TooMany) => "There are as many webhooks as there may be. Disable one that is not needed.",
        Err(WebhookError::NotAllowed) => return Err(PageError::Forbidden),
        Err(WebhookError::NotFound) => return Err(PageError::NotFound),
        Err(WebhookError::Database(error)) => return Err(error.into()),
    };
    let notes = Notes { webhook_problem: Some(problem), url: form.url, allow_private, ..Notes::default() };
    render(&state, &administrator, page, StatusCode::UNPROCESSABLE_ENTITY, notes).await
}

/// Tells a webhook nothing any more. Disabling it twice is disabling it once.
pub(crate) async fn disable(
    State(state): State<WebState>,
    administrator: Administrator,
    Id(id): Id<WebhookId>,
) -> Result<Response, PageError> {
    match scheduler::disable_webhook(&state.db, &*state.clock, &administrator.actor(), id).await {
        Ok(()) | Err(WebhookError::NotFound) => Ok(Redirect::to("/api-tokens#webhooks").into_response()),
        Err(WebhookError::Database(error)) => Err(error.into()),
        Err(_) => Err(PageError::Forbidden),
    }
}
