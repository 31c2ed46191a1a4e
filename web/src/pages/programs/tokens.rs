//! Making and revoking tokens. A new one is shown in the answer, and never again.

use super::{Notes, render};
use crate::{
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
use domain::{ApiTokenId, Role};
use scheduler::{ApiTokenError, NewApiToken};
use serde::Deserialize;

#[derive(Deserialize)]
pub(crate) struct TokenForm {
    #[serde(default)]
    name: String,
    #[serde(default)]
    acts_as: String,
}

/// Makes a token and shows it.
pub(crate) async fn post(
    State(state): State<WebState>,
    administrator: Administrator,
    page: Page,
    Form(form): Form<TokenForm>,
) -> Result<Response, PageError> {
    let (role, practitioner) = match form.acts_as.as_str() {
        "receptionist" => (Role::Receptionist, None),
        "administrator" => (Role::Administrator, None),
        id => (Role::Practitioner, id.parse().ok()),
    };
    let new = NewApiToken { name: form.name.clone(), role, practitioner };
    let by = administrator.actor();
    let made = scheduler::create_api_token(&state.db, &*state.clock, &*state.random, &by, new).await;
    let problem = match made {
        Ok((_, token)) => {
            let notes = Notes { new_token: Some(token), ..Notes::default() };
            return render(&state, &administrator, page, StatusCode::OK, notes).await;
        }
        Err(ApiTokenError::NameMissing) => "Give it a name of at most 100 characters, so that you know it again.",
        Err(ApiTokenError::PractitionerMissing) => "Choose what the program may do.",
        Err(ApiTokenError::TooMany) => "There are as many tokens as there may be. Revoke one that is not needed.",
        Err(ApiTokenError::NotAllowed) => return Err(PageError::Forbidden),
        Err(ApiTokenError::NotFound) => return Err(PageError::NotFound),
        Err(ApiTokenError::Database(error)) => return Err(error.into()),
    };
    let notes = Notes { token_problem: Some(problem), name: form.name, acts_as: form.acts_as, ..Notes::default() };
    render(&state, &administrator, page, StatusCode::UNPROCESSABLE_ENTITY, notes).await
}

/// Makes a token worthless. Revoking it twice is revoking it once.
pub(crate) async fn revoke(
    State(state): State<WebState>,
    administrator: Administrator,
    Id(id): Id<ApiTokenId>,
) -> Result<Response, PageError> {
    match scheduler::revoke_api_token(&state.db, &*state.clock, &administrator.actor(), id).await {
        Ok(()) | Err(ApiTokenError::NotFound) => Ok(Redirect::to("/api-tokens").into_response()),
        Err(ApiTokenError::Database(error)) => Err(error.into()),
        Err(_) => Err(PageError::Forbidden),
    }
}
