//! `join_tokens`: which were made, and which were used.

use domain::{ClinicId, ParticipantId};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;
use uuid::Uuid;

/// Notes a token that is about to be given out.
pub(crate) async fn add(
    connection: &mut PgConnection,
    clinic: ClinicId,
    id: Uuid,
    participant: ParticipantId,
    expires_at: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into join_tokens (id, clinic_id, participant_id, expires_at)
         values ($1, $2, $3, $4)",
        id,
        clinic.0,
        participant.0,
        expires_at.to_sqlx() as _,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Uses a token up. Of all who try, one is told `true`.
pub(crate) async fn use_up(
    connection: &mut PgConnection,
    clinic: ClinicId,
    id: Uuid,
    participant: ParticipantId,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let result = sqlx::query!(
        "update join_tokens
         set used_at = $4
         where clinic_id = $1 and id = $2 and participant_id = $3 and used_at is null and expires_at > $4",
        clinic.0,
        id,
        participant.0,
        now.to_sqlx() as _,
    )
    .execute(connection)
    .await?;
    Ok(result.rows_affected() == 1)
}

/// Forgets tokens that expired before `before`; an expired one is refused with or without its row.
pub(crate) async fn purge(
    connection: &mut PgConnection,
    clinic: ClinicId,
    before: Timestamp,
) -> Result<u64, sqlx::Error> {
    let result = sqlx::query!(
        "delete from join_tokens
         where clinic_id = $1 and expires_at < $2",
        clinic.0,
        before.to_sqlx() as _,
    )
    .execute(connection)
    .await?;
    Ok(result.rows_affected())
}
