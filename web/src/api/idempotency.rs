//! The header `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): a request that is sent again is done once.

use super::problem::{Code, Problem};
use axum::{extract::FromRequestParts, http::request::Parts};
use scheduler::IdempotencyKey;

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
