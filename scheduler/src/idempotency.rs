//! Requests that are sent twice, since an answer was lost, and done once (draft-ietf-httpapi-idempotency-key-header).

use crate::tables;
use aws_lc_rs::digest::{SHA256, digest};
use domain::Actor;
use serde_json::Value;
use service::postgres::Db;
use sqlx::PgConnection;
use uuid::Uuid;

/// The longest key, in characters.
pub const MAX_KEY_CHARS: usize = 255;

/// What the sender calls a request by, the same each time it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// A key, unless it is empty or longer than [`MAX_KEY_CHARS`].
    pub fn new(key: impl Into<String>) -> Option<Self> {
        let key = key.into();
        (1..=MAX_KEY_CHARS).contains(&key.chars().count()).then_some(Self(key))
    }
}

/// Keeps what the request of a key is answered, and says what its sender is to be told: the answer that was kept first.
///
/// Comes after the transaction of the request, since the answer tells of what was committed. Who dies in between leaves it to the
/// next time the request is sent.
pub async fn keep_answer(db: &Db, by: &Actor, key: &IdempotencyKey, answer: Value) -> Result<Value, sqlx::Error> {
    let mut tx = db.begin(by).await?;
    let kept = tables::idempotency_keys::keep_answer(&mut tx, by, &key.0, &answer).await?;
    tx.commit().await?;
    Ok(kept.unwrap_or(answer))
}

/// What a key means this time.
pub(crate) enum Claim {
    /// Nothing was done under it: go on, and `result` is what comes of it once the transaction commits.
    New,
    /// The same was done before, and this came of it.
    Done(Uuid),
    /// Something else was done under it.
    Reused,
}

/// Claims the key for a request whose words are `request`, in the transaction of what it does.
pub(crate) async fn claim(
    connection: &mut PgConnection,
    by: &Actor,
    key: Option<&IdempotencyKey>,
    request: &str,
    result: Uuid,
) -> Result<Claim, sqlx::Error> {
    let Some(IdempotencyKey(key)) = key else {
        return Ok(Claim::New);
    };
    let digest = digest(&SHA256, request.as_bytes());
    Ok(match tables::idempotency_keys::claim(connection, by, key, digest.as_ref(), result).await? {
        None => Claim::New,
        Some(used) if used.request_digest == digest.as_ref() => Claim::Done(used.result_id),
        Some(_) => Claim::Reused,
    })
}
