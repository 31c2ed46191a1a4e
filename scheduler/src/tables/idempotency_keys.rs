//! `idempotency_keys`: requests that are sent twice and done once.

use domain::{Actor, ClinicId, Who};
use jiff::SignedDuration;
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

/// What is known of a key that was used before.
pub(crate) struct Used {
    /// SHA-256 of what was asked for then.
    pub(crate) request_digest: Vec<u8>,
    /// What came of it.
    pub(crate) result_id: Uuid,
}

/// Notes what comes of a request, or finds what came of it before.
///
/// While another transaction uses the key, this waits for its end: of two that arrive at once, the second finds the first's
/// result, or takes its place if it came to nothing.
pub(crate) async fn claim(
    connection: &mut PgConnection,
    by: &Actor,
    key: &str,
    request_digest: &[u8],
    result_id: Uuid,
) -> Result<Option<Used>, sqlx::Error> {
    let actor = actor(by);
    let result = sqlx::query!(
        "insert into idempotency_keys (clinic_id, actor_id, key, request_digest, result_id)
         values ($1, $2, $3, $4, $5)
         on conflict on constraint idempotency_keys_pkey do nothing",
        by.clinic.0,
        actor,
        key,
        request_digest,
        result_id,
    )
    .execute(&mut *connection)
    .await?;
    if result.rows_affected() == 1 {
        return Ok(None);
    }
    let used = sqlx::query_as!(
        Used,
        "select request_digest, result_id from idempotency_keys where clinic_id = $1 and actor_id = $2 and key = $3",
        by.clinic.0,
        actor,
        key,
    );
    used.fetch_one(connection).await.map(Some)
}

/// Keeps the answer to the request of a key unless there is one, and says which there is. `None` when the key was forgotten.
pub(crate) async fn keep_answer(
    connection: &mut PgConnection,
    by: &Actor,
    key: &str,
    answer: &Value,
) -> Result<Option<Value>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"update idempotency_keys
           set answer = coalesce(answer, $4)
           where clinic_id = $1 and actor_id = $2 and key = $3
           returning answer as "answer!""#,
        by.clinic.0,
        actor(by),
        key,
        answer,
    )
    .fetch_optional(connection)
    .await
}

/// Forgets the keys that were used longer than `age` ago.
pub(crate) async fn purge(
    connection: &mut PgConnection,
    clinic: ClinicId,
    age: SignedDuration,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "delete from idempotency_keys where clinic_id = $1 and used_at <= now() - make_interval(secs => $2)",
        clinic.0,
        age.as_secs_f64(),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Keys are each sender's own. Our services share theirs.
fn actor(by: &Actor) -> Uuid {
    match by.who {
        Who::Account { id, .. } => id.0,
        Who::ApiToken { id, .. } => id.0,
        Who::Patient { id, .. } => id.0,
        Who::Service(_) => Uuid::nil(),
    }
}
