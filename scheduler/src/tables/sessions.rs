//! `sessions` and `sign_in_attempts`, as far as time throws them away. `web` writes these tables.

use domain::ClinicId;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;

/// Forgets the sessions that expired before `before`.
pub(crate) async fn purge(
    connection: &mut PgConnection,
    clinic: ClinicId,
    before: Timestamp,
) -> Result<u64, sqlx::Error> {
    let result = sqlx::query!(
        "delete from sessions
         where clinic_id = $1 and expires_at < $2",
        clinic.0,
        before.to_sqlx() as _,
    )
    .execute(connection)
    .await?;
    Ok(result.rows_affected())
}

/// Forgets attempts to sign in made before `before`, in all clinics. Goes through a door.
pub(crate) async fn purge_attempts(connection: &mut PgConnection, before: Timestamp) -> Result<(), sqlx::Error> {
    sqlx::query_scalar!("select purge_sign_in_attempts($1)", before.to_sqlx() as _).fetch_one(connection).await?;
    Ok(())
}
