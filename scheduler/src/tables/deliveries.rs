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
    let rows = sqlx::query!(
        r#"with stuck as (
               select o.id, o.appointment_id, o.kind, o.version, o.due_at
               from outbox o
               where o.clinic_id = $1 and o.state = 'failed'
               union all
               select o.id, o.appointment_id, o.kind, o.version, o.due_at
               from outbox o
               where o.clinic_id = $1 and o.state = 'waiting' and o.attempts > 0 and o.due_at <= $4
               union all
               select o.id, o.appointment_id, o.kind, o.version, o.due_at
               from outbox o
               where o.clinic_id = $1
                 and o.state = 'waiting'
                 and o.attempts = 0
                 and o.channel in ('email', 'sms')
                 and o.next_attempt_at <= $4
           ),
           about as (
               select appointment_id, kind, version, due_at from stuck where appointment_id is not null
               union all
               select v.appointment_id, s.kind, v.version, s.due_at
               from stuck s
               join outbox_visits v on v.clinic_id = $1 and v.outbox_id = s.id and not v.left_out
           ),
           lost as (
               select distinct on (a.id) a.id, a.starts_at, o.kind
               from about o
               join appointments a on a.clinic_id = $1 and a.id = o.appointment_id
               where a.state in ('booked', 'cancelled')
                 and a.starts_at > $2
                 and a.starts_at < $3
                 and (o.kind = 'link' or o.version = a.sequence)
                 and (o.kind = 'cancellation') = (a.state = 'cancelled')
                 and not exists (
                     select from outbox s
                     where s.clinic_id = $1
                       and s.appointment_id = o.appointment_id
                       and s.state = 'sent'
                       and s.due_at >= o.due_at
                 )
                 and not exists (
                     select
                     from outbox_visits v
                     join outbox s on s.clinic_id = v.clinic_id and s.id = v.outbox_id
                     where v.clinic_id = $1
                       and v.appointment_id = o.appointment_id
                       and not v.left_out
                       and s.state = 'sent'
                       and s.due_at >= o.due_at
                 )
               order by a.id, o.due_at desc
           )
           select
               id as "appointment!: AppointmentId",
               starts_at as "starts_at!: jiff_sqlx::Timestamp",
               kind as "kind?: MessageKind"
           from (
               select id, starts_at, kind from lost
               union all
               select a.id, a.starts_at, null
               from patients p
               join appointments a on a.clinic_id = p.clinic_id and a.patient_id = p.id
               where p.clinic_id = $1
                 and p.email is null
                 and p.phone is null
                 and a.state = 'booked'
                 and a.starts_at > $2
                 and a.starts_at < $3
                 and not exists (select from lost where lost.id = a.id)
           ) unreached
           order by starts_at, id
           limit $5"#,
        clinic.0,
        now.to_sqlx() as _,
        until.to_sqlx() as _,
        overdue.to_sqlx() as _,
        MAX_UNREACHED,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Unreached { appointment: row.appointment, starts_at: row.starts_at.to_jiff(), kind: row.kind })
        .collect())
}
