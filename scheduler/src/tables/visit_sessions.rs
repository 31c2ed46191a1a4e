//! `visit_sessions`: the cookies of patients' browsers.

use domain::{AppointmentId, ClinicId, PatientId};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;

/// A session as the door shows it.
pub(crate) struct VisitSession {
    pub(crate) clinic: ClinicId,
    pub(crate) appointment: AppointmentId,
    pub(crate) patient: PatientId,
    pub(crate) expires_at: jiff_sqlx::Timestamp,
}

/// How many browsers one appointment remembers: a family's phones and computers. One more, and the oldest is forgotten.
const MAX_BROWSERS: i64 = 20;

/// Adds a session.
pub(crate) async fn add(
    connection: &mut PgConnection,
    clinic: ClinicId,
    token_hash: &[u8],
    visit: (PatientId, AppointmentId),
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into visit_sessions (token_hash, clinic_id, appointment_id, patient_id, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6)",
        token_hash,
        clinic.0,
        visit.1.0,
        visit.0.0,
        now.to_sqlx() as _,
        expires_at.to_sqlx() as _,
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "delete from visit_sessions
         where clinic_id = $1
           and token_hash in (
               select token_hash
               from visit_sessions
               where clinic_id = $1 and appointment_id = $2
               order by created_at desc
               offset $3
           )",
        clinic.0,
        visit.1.0,
        MAX_BROWSERS,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Finds a session, expired or not. Goes through a door.
pub(crate) async fn find(
    connection: &mut PgConnection,
    token_hash: &[u8],
) -> Result<Option<VisitSession>, sqlx::Error> {
    sqlx::query_as!(
        VisitSession,
        r#"select
               clinic_id as "clinic!: ClinicId",
               appointment_id as "appointment!: AppointmentId",
               patient_id as "patient!: PatientId",
               expires_at as "expires_at!: jiff_sqlx::Timestamp"
           from find_visit_session($1)"#,
        token_hash,
    )
    .fetch_optional(connection)
    .await
}

/// Forgets the sessions that expired before `before`.
pub(crate) async fn purge(
    connection: &mut PgConnection,
    clinic: ClinicId,
    before: Timestamp,
) -> Result<u64, sqlx::Error> {
    let result = sqlx::query!(
        "delete from visit_sessions
         where clinic_id = $1 and expires_at < $2",
        clinic.0,
        before.to_sqlx() as _,
    )
    .execute(connection)
    .await?;
    Ok(result.rows_affected())
}
