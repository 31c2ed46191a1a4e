//! What became of the rows of `outbox`, for the desk.

use crate::messages::{Channel, Delivery, MessageKind, MessageState, Problem, Unreached};
use domain::{AppointmentId, ClinicId};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;

/// The messages about an appointment, in the order of time; without those that wait although the visit was moved meanwhile.
pub(crate) async fn of_appointment(
    connection: &mut PgConnection,
    clinic: ClinicId,
    id: AppointmentId,
) -> Result<Vec<Delivery>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"with about as (
               select id, version from outbox where clinic_id = $1 and appointment_id = $2
               union all
               select outbox_id, version
               from outbox_visits
               where clinic_id = $1 and appointment_id = $2 and not left_out
           )
           select
               o.kind as "kind: MessageKind",
               o.ahead_minutes,
               o.channel as "channel: Channel",
               o.state as "state: MessageState",
               o.problem as "problem: Problem",
               coalesce(o.settled_at, o.next_attempt_at) as "at!: jiff_sqlx::Timestamp",
               o.attempts
           from about
           join outbox o on o.clinic_id = $1 and o.id = about.id
           join appointments a on a.clinic_id = $1 and a.id = $2
           where (o.state <> 'waiting' or o.kind = 'link' or about.version = a.sequence)
             and (o.state <> 'waiting' or o.kind in ('link', 'cancellation') or a.state = 'booked')
           order by coalesce(o.settled_at, o.next_attempt_at), o.channel, o.ahead_minutes desc, o.id"#,
        clinic.0,
        id.0,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Delivery {
            kind: row.kind,
            ahead_minutes: row.ahead_minutes,
            channel: row.channel,
            state: row.state,
            problem: row.problem,
            at: row.at.to_jiff(),
            attempts: row.attempts,
        })
        .collect())
}

/// The most patients on the list of those who were not reached.
const MAX_UNREACHED: i64 = 200;

/// Visits between `now` and `until` whose newest word reached nobody: it failed, or is due since before `overdue`, and nothing
/// that was due with it or later was sent. And those whose patient has no address at all.
pub(crate) async fn unreached(
    connection: &mut PgConnection,
    clinic: ClinicId,
    now: Timestamp,
    until: Timestamp,
    overdue: Timestamp,
) -> Result<Vec<Unreached>, sqlx::Error> {
    let rows = sqlx::query_file!(
        "src/tables/unreached.sql",
        clinic.0,
        now.to_sqlx() as _,
        until.to_sqlx() as _,
        overdue.to_sqlx() as _,
        MAX_UNREACHED,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| Unreached { appointment: row.appointment, kind: row.kind }).collect())
}
