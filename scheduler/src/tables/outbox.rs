//! `outbox`: mail that was decided on and is to be sent.

use domain::{AppointmentId, ClinicId};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use service::postgres::one_row;
use sqlx::PgConnection;
use uuid::Uuid;

/// A mail, as written and as sent.
pub(crate) struct Letter {
    pub(crate) id: Uuid,
    pub(crate) appointment: AppointmentId,
    pub(crate) recipient: String,
    pub(crate) subject: String,
    pub(crate) body: String,
    pub(crate) attempts: i32,
}

/// Puts a mail in.
pub(crate) async fn add(
    connection: &mut PgConnection,
    clinic: ClinicId,
    letter: &Letter,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into outbox (clinic_id, id, appointment_id, recipient, subject, body, written_at, next_attempt_at)
         values ($1, $2, $3, $4, $5, $6, $7, $7)",
        clinic.0,
        letter.id,
        letter.appointment.0,
        letter.recipient,
        letter.subject,
        letter.body,
        now.to_sqlx() as _,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Takes the mail that is due for longest; no other scheduler gets it while the transaction lasts.
pub(crate) async fn take_due(
    connection: &mut PgConnection,
    clinic: ClinicId,
    now: Timestamp,
) -> Result<Option<Letter>, sqlx::Error> {
    sqlx::query_as!(
        Letter,
        r#"select id, appointment_id as "appointment: AppointmentId", recipient, subject, body, attempts
           from outbox
           where clinic_id = $1 and next_attempt_at <= $2 and sent_at is null and given_up_at is null
           order by next_attempt_at
           limit 1
           for update skip locked"#,
        clinic.0,
        now.to_sqlx() as _,
    )
    .fetch_optional(connection)
    .await
}

/// It was sent: what it said, and to whom, is no longer needed.
pub(crate) async fn mark_sent(
    connection: &mut PgConnection,
    clinic: ClinicId,
    id: Uuid,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let result = sqlx::query!(
        "update outbox
         set sent_at = $3, attempts = attempts + 1, recipient = '', body = ''
         where clinic_id = $1 and id = $2",
        clinic.0,
        id,
        now.to_sqlx() as _,
    )
    .execute(connection)
    .await?;
    one_row(&result)
}

/// It was not sent: again at `next_attempt_at`, or never without somebody's help.
pub(crate) async fn mark_failed(
    connection: &mut PgConnection,
    clinic: ClinicId,
    id: Uuid,
    next_attempt_at: Timestamp,
    given_up_at: Option<Timestamp>,
) -> Result<(), sqlx::Error> {
    let result = sqlx::query!(
        "update outbox
         set attempts = attempts + 1, next_attempt_at = $3, given_up_at = $4
         where clinic_id = $1 and id = $2",
        clinic.0,
        id,
        next_attempt_at.to_sqlx() as _,
        given_up_at.map(|at| at.to_sqlx()) as _,
    )
    .execute(connection)
    .await?;
    one_row(&result)
}
