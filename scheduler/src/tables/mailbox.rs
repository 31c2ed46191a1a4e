//! `mailbox`: where messages land in the demo.

use crate::messages::{CalendarFile, Channel, Mail};
use domain::{AppointmentId, ClinicId};
use jiff_sqlx::ToSqlx as _;
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

/// How many messages a clinic's mailbox keeps.
const KEPT: i64 = 100;

/// Delivers a message, and throws away the oldest beyond [`KEPT`].
pub(crate) async fn deliver(connection: &mut PgConnection, clinic: ClinicId, mail: &Mail) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into mailbox (clinic_id, id, channel, appointment_id, recipient, subject, body, html, invitations,
                              delivered_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        clinic.0,
        mail.id,
        mail.channel as _,
        mail.appointment.map(|id| id.0),
        mail.recipient,
        mail.subject,
        mail.body,
        mail.html,
        Json(&mail.invitations) as _,
        mail.delivered_at.to_sqlx() as _,
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

/// What is in the mailbox, or one message of it, newest first.
pub(crate) async fn list(
    connection: &mut PgConnection,
    clinic: ClinicId,
    id: Option<Uuid>,
) -> Result<Vec<Mail>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select
               id,
               channel as "channel: Channel",
               appointment_id as "appointment: AppointmentId",
               recipient,
               subject,
               body,
               html,
               invitations as "invitations: Json<Vec<CalendarFile>>",
               delivered_at as "delivered_at: jiff_sqlx::Timestamp"
           from mailbox
           where clinic_id = $1 and ($2::uuid is null or id = $2)
           order by delivered_at desc, id"#,
        clinic.0,
        id,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Mail {
            id: row.id,
            channel: row.channel,
            appointment: row.appointment,
            recipient: row.recipient,
            subject: row.subject,
            body: row.body,
            html: row.html,
            invitations: row.invitations.0,
            delivered_at: row.delivered_at.to_jiff(),
        })
        .collect())
}
