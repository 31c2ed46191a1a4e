//! `mailbox`: where mail lands in the demo.

use crate::{outbox::Mail, tables::outbox::Letter};
use domain::{AppointmentId, ClinicId};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;

/// How many mails a clinic's mailbox keeps.
const KEPT: i64 = 100;

/// Delivers a mail, and throws away the oldest beyond [`KEPT`].
pub(crate) async fn deliver(
    connection: &mut PgConnection,
    clinic: ClinicId,
    letter: &Letter,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into mailbox (clinic_id, id, appointment_id, recipient, subject, body, delivered_at)
         values ($1, $2, $3, $4, $5, $6, $7)",
        clinic.0,
        letter.id,
        letter.appointment.0,
        letter.recipient,
        letter.subject,
        letter.body,
        now.to_sqlx() as _,
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "delete from mailbox
         where clinic_id = $1
           and id in (select id from mailbox where clinic_id = $1 order by delivered_at desc, id offset $2)",
        clinic.0,
        KEPT,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// What is in the mailbox, newest first.
pub(crate) async fn list(connection: &mut PgConnection, clinic: ClinicId) -> Result<Vec<Mail>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select
               id,
               appointment_id as "appointment: AppointmentId",
               recipient,
               subject,
               body,
               delivered_at as "delivered_at: jiff_sqlx::Timestamp"
           from mailbox
           where clinic_id = $1
           order by delivered_at desc, id"#,
        clinic.0,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Mail {
            id: row.id,
            appointment: row.appointment,
            recipient: row.recipient,
            subject: row.subject,
            body: row.body,
            delivered_at: row.delivered_at.to_jiff(),
        })
        .collect())
}
