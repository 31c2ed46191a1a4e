//! The header `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): a request that is sent again is done once.

use super::problem::{Code, Problem};
use crate::state::WebState;
use axum::{extract::FromRequestParts, http::request::Parts};
use domain::Actor;
use scheduler::IdempotencyKey;
use serde::{Serialize, de::DeserializeOwned};

/// What the sender calls the request by, if it says so.
pub(crate) struct Key(pub(crate) Option<IdempotencyKey>);

impl<S: Sync> FromRequestParts<S> for Key {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Some(value) = parts.headers.get("idempotency-key") else { return Ok(Self(None)) };
        let key = value.to_str().ok().and_then(IdempotencyKey::new);
        let unreadable = || Problem::field(Code::Invalid, "Idempotency-Key", "Send 1 to 255 characters of ASCII.");
        key.map(|key| Self(Some(key))).ok_or_else(unreadable)
    }
}

/// What the sender is told: `answer` the first time, and that again whenever the request is sent again.
pub(crate) async fn first_answer<T: Serialize + DeserializeOwned>(
    state: &WebState,
    by: &Actor,
    key: Option<&IdempotencyKey>,
    answer: T,
) -> Result<T, Problem> {
    let Some(key) = key else { return Ok(answer) };
    let told = serde_json::to_value(&answer).expect("an answer is JSON");
    let first = scheduler::keep_answer(&state.db, by, key, told).await?;
    // One of an older release may lack a field of this one; the present state says it.
    Ok(serde_json::from_value(first).unwrap_or(answer))
}
