//! `outbox`: messages that were decided on, and what became of them.

use crate::messages::{Address, Channel, MessageKind, MessageState, Notice, Planned, Problem, VisitNow};
use domain::{AppointmentId, AppointmentState, ClinicId, SeriesId};
use jiff::{Timestamp, tz::TimeZone};
use jiff_sqlx::ToSqlx as _;
use service::postgres::one_row;
use sqlx::PgConnection;
use uuid::Uuid;

/// What planning needs to know of a visit.
pub(crate) struct Visit {
    pub(crate) id: AppointmentId,
    pub(crate) starts_at: jiff_sqlx::Timestamp,
    pub(crate) sequence: i32,
    pub(crate) email: Option<String>,
    pub(crate) phone: Option<String>,
    pub(crate) reminder_minutes: Vec<i32>,
}

/// The visits of some appointments, for planning.
pub(crate) async fn visits(
    connection: &mut PgConnection,
    clinic: ClinicId,
    ids: &[AppointmentId],
) -> Result<Vec<Visit>, sqlx::Error> {
    let ids: Vec<_> = ids.iter().map(|id| id.0).collect();
    sqlx::query_as!(
        Visit,
        r#"select
               a.id as "id: AppointmentId",
               a.starts_at as "starts_at: jiff_sqlx::Timestamp",
               a.sequence,
               p.email,
               p.phone,
               c.reminder_minutes
           from appointments a
           join patients p on p.clinic_id = a.clinic_id and p.id = a.patient_id
           join clinics c on c.id = a.clinic_id
           where a.clinic_id = $1 and a.id = any ($2)"#,
        clinic.0,
        &ids,
    )
    .fetch_all(connection)
    .await
}

/// Plans messages about an appointment, each on every channel. What is planned already stays as it is: `outbox_once` says so.
pub(crate) async fn plan(
    connection: &mut PgConnection,
    clinic: ClinicId,
    (appointment, version): (AppointmentId, i32),
    channels: &[Channel],
    planned: &[Planned],
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let kinds: Vec<_> = planned.iter().map(|message| message.kind).collect();
    let ahead: Vec<_> = planned.iter().map(|message| message.ahead_minutes).collect();
    let due: Vec<_> = planned.iter().map(|message| message.due_at.to_string()).collect();
    sqlx::query!(
        "insert into outbox (clinic_id, appointment_id, kind, ahead_minutes, version, channel, due_at, next_attempt_at,
                             written_at)
         select $1, $2, m.kind, m.ahead, $3, c.channel, m.due_at, m.due_at, $4
         from unnest($5::text[], $6::integer[], $7::text[]::timestamptz[]) as m (kind, ahead, due_at)
         cross join unnest($8::text[]) as c (channel)
         on conflict on constraint outbox_once do nothing",
        clinic.0,
        appointment.0,
        version,
        now.to_sqlx() as _,
        kinds as _,
        &ahead,
        &due,
        channels as _,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Plans one message about several visits of a series on every channel, at once.
pub(crate) async fn plan_together(
    connection: &mut PgConnection,
    clinic: ClinicId,
    (series, version): (SeriesId, i32),
    kind: MessageKind,
    channels: &[Channel],
    visits: &[(AppointmentId, i32)],
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let ids: Vec<_> = visits.iter().map(|(id, _)| id.0).collect();
    let versions: Vec<_> = visits.iter().map(|(_, version)| *version).collect();
    sqlx::query!(
        "with message as (
             insert into outbox (clinic_id, series_id, version, kind, channel, due_at, next_attempt_at, written_at)
             select $1, $2, $3, $8, c.channel, $4, $4, $4
             from unnest($5::text[]) as c (channel)
             returning id
         )
         insert into outbox_visits (clinic_id, outbox_id, appointment_id, version)
         select $1, message.id, v.id, v.version
         from message
         cross join unnest($6::uuid[], $7::integer[]) as v (id, version)",
        clinic.0,
        series.0,
        version,
        now.to_sqlx() as _,
        channels as _,
        &ids,
        &versions,
        kind as _,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The version of the next link that the desk sends. Two desks at once get the same, and one message goes out.
pub(crate) async fn next_link(
    connection: &mut PgConnection,
    clinic: ClinicId,
    appointment: AppointmentId,
) -> Result<i32, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select coalesce(max(version) + 1, 0) as "version!"
           from outbox
           where clinic_id = $1 and appointment_id = $2 and kind = 'link'"#,
        clinic.0,
        appointment.0,
    )
    .fetch_one(connection)
    .await
}

/// Adds what is told to an address.
pub(crate) async fn add(
    connection: &mut PgConnection,
    clinic: ClinicId,
    to: Address<'_>,
    notice: &Notice<'_>,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into outbox (clinic_id, kind, version, channel, due_at, next_attempt_at, written_at, recipient, path,
                             about_at, expires_at)
         values ($1, $2, 0, $3, $4, $4, $4, $5, $6, $7, $8)",
        clinic.0,
        notice.kind as _,
        to.channel() as _,
        now.to_sqlx() as _,
        to.as_str(),
        notice.path,
        notice.about.map(|at| at.to_sqlx()) as _,
        notice.expires_at.to_sqlx() as _,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// A message whose time has come, with the visit as it stands now.
pub(crate) struct Taken {
    pub(crate) id: Uuid,
    pub(crate) kind: MessageKind,
    pub(crate) ahead_minutes: i32,
    pub(crate) version: i32,
    pub(crate) channel: Channel,
    pub(crate) due_at: Timestamp,
    pub(crate) attempts: i32,
    /// Where it goes; `None` when the patient has no such address any more.
    pub(crate) to: Option<String>,
    pub(crate) path: Option<String>,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) starts_at: Option<Timestamp>,
    /// The zone of the patient, where it is known.
    pub(crate) zone: Option<TimeZone>,
    pub(crate) visit: Option<TakenVisit>,
    /// The visits of [`visits_of`] are what it is about.
    pub(crate) is_about_series: bool,
    pub(crate) reminder_minutes: Vec<i32>,
}

/// The visit of a message that was taken.
#[derive(Clone, Copy)]
pub(crate) struct TakenVisit {
    pub(crate) appointment: AppointmentId,
    pub(crate) link_version: i16,
    pub(crate) ends_at: Timestamp,
    pub(crate) now: VisitNow,
}

struct Row {
    id: Uuid,
    kind: MessageKind,
    ahead_minutes: i32,
    version: i32,
    due_at: jiff_sqlx::Timestamp,
    attempts: i32,
    recipient: Option<String>,
    path: Option<String>,
    about_at: Option<jiff_sqlx::Timestamp>,
    expires_at: Option<jiff_sqlx::Timestamp>,
    is_about_series: bool,
    appointment_id: Option<AppointmentId>,
    state: Option<AppointmentState>,
    sequence: Option<i32>,
    link_version: Option<i16>,
    starts_at: Option<jiff_sqlx::Timestamp>,
    ends_at: Option<jiff_sqlx::Timestamp>,
    closes_at: Option<jiff_sqlx::Timestamp>,
    email: Option<String>,
    phone: Option<String>,
    time_zone: Option<String>,
    reminder_minutes: Vec<i32>,
}

/// Takes the message of a channel that is due for longest; no other worker gets it while the transaction lasts.
pub(crate) async fn take_due(
    connection: &mut PgConnection,
    clinic: ClinicId,
    channel: Channel,
    now: Timestamp,
) -> Result<Option<Taken>, sqlx::Error> {
    let row = sqlx::query_as!(
        Row,
        r#"select
               o.id,
               o.kind as "kind: MessageKind",
               o.ahead_minutes,
               o.version,
               o.due_at as "due_at: jiff_sqlx::Timestamp",
               o.attempts,
               o.recipient,
               o.path,
               o.about_at as "about_at: jiff_sqlx::Timestamp",
               o.expires_at as "expires_at: jiff_sqlx::Timestamp",
               o.series_id is not null as "is_about_series!",
               a.id as "appointment_id?: AppointmentId",
               a.state as "state?: AppointmentState",
               a.sequence as "sequence?",
               a.link_version as "link_version?",
               a.starts_at as "starts_at?: jiff_sqlx::Timestamp",
               a.ends_at as "ends_at?: jiff_sqlx::Timestamp",
               a.ends_at + make_interval(mins => c.arrive_late_minutes) as "closes_at?: jiff_sqlx::Timestamp",
               p.email as "email?",
               p.phone as "phone?",
               p.time_zone as "time_zone?",
               c.reminder_minutes
           from outbox o
           join clinics c on c.id = o.clinic_id
           left join appointments a on a.clinic_id = o.clinic_id and a.id = o.appointment_id
           left join series s on s.clinic_id = o.clinic_id and s.id = o.series_id
           left join patients p on p.clinic_id = o.clinic_id and p.id = coalesce(a.patient_id, s.patient_id)
           where o.clinic_id = $1 and o.channel = $2 and o.state = 'waiting' and o.next_attempt_at <= $3
           order by o.next_attempt_at
           limit 1
           for update of o skip locked"#,
        clinic.0,
        channel as _,
        now.to_sqlx() as _,
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| taken(row, channel)))
}

fn taken(row: Row, channel: Channel) -> Taken {
    let instant = |at: Option<jiff_sqlx::Timestamp>| at.map(jiff_sqlx::Timestamp::to_jiff);
    let visit = row.appointment_id.map(|appointment| TakenVisit {
        appointment,
        link_version: row.link_version.expect("an appointment has a link"),
        ends_at: instant(row.ends_at).expect("an appointment has an end"),
        now: VisitNow {
            state: row.state.expect("an appointment has a state"),
            sequence: row.sequence.expect("an appointment has a sequence"),
            starts_at: instant(row.starts_at).expect("an appointment has a start"),
            closes_at: instant(row.closes_at).expect("an appointment has an end"),
        },
    });
    let of_patient = match channel {
        Channel::Email => row.email,
        Channel::Sms => row.phone,
    };
    Taken {
        id: row.id,
        kind: row.kind,
        ahead_minutes: row.ahead_minutes,
        version: row.version,
        channel,
        due_at: row.due_at.to_jiff(),
        attempts: row.attempts,
        to: row.recipient.or(of_patient),
        path: row.path,
        expires_at: instant(row.expires_at),
        starts_at: instant(row.starts_at).or(instant(row.about_at)),
        // A name that this version of the zones does not have: the clinic's zone is used instead, and none is named.
        zone: row.time_zone.and_then(|name| TimeZone::get(&name).ok()),
        visit,
        is_about_series: row.is_about_series,
        reminder_minutes: row.reminder_minutes,
    }
}

/// The visits that a message about a series tells of, each with the version it had when that was planned, in the order of time.
pub(crate) async fn visits_of(
    connection: &mut PgConnection,
    clinic: ClinicId,
    message: Uuid,
) -> Result<Vec<(i32, TakenVisit)>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select
               v.version,
               a.id as "appointment: AppointmentId",
               a.link_version,
               a.state as "state: AppointmentState",
               a.sequence,
               a.starts_at as "starts_at: jiff_sqlx::Timestamp",
               a.ends_at as "ends_at: jiff_sqlx::Timestamp",
               a.ends_at + make_interval(mins => c.arrive_late_minutes) as "closes_at!: jiff_sqlx::Timestamp"
           from outbox_visits v
           join appointments a on a.clinic_id = v.clinic_id and a.id = v.appointment_id
           join clinics c on c.id = v.clinic_id
           where v.clinic_id = $1 and v.outbox_id = $2
           order by a.starts_at, a.id"#,
        clinic.0,
        message,
    )
    .fetch_all(connection)
    .await?;
    let visits = rows.into_iter().map(|row| {
        let now = VisitNow {
            state: row.state,
            sequence: row.sequence,
            starts_at: row.starts_at.to_jiff(),
            closes_at: row.closes_at.to_jiff(),
        };
        let (appointment, link_version, ends_at) = (row.appointment, row.link_version, row.ends_at.to_jiff());
        (row.version, TakenVisit { appointment, link_version, ends_at, now })
    });
    Ok(visits.collect())
}

/// Notes that a message about a series told of no other visits than these.
pub(crate) async fn told_only_of(
    connection: &mut PgConnection,
    clinic: ClinicId,
    message: Uuid,
    told: &[AppointmentId],
) -> Result<(), sqlx::Error> {
    let told: Vec<_> = told.iter().map(|id| id.0).collect();
    sqlx::query!(
        "update outbox_visits
         set left_out = true
         where clinic_id = $1 and outbox_id = $2 and appointment_id <> all ($3)",
        clinic.0,
        message,
        &told,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Writes what became of a message. Its address and its link are no longer needed.
pub(crate) async fn settle(
    connection: &mut PgConnection,
    clinic: ClinicId,
    message: &Taken,
    state: MessageState,
    problem: Option<Problem>,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    // A skipped message was not tried.
    let tried = i32::from(state != MessageState::Skipped);
    let result = sqlx::query!(
        "update outbox
         set state = $3, problem = $4, settled_at = $5, attempts = attempts + $6, recipient = null, path = null
         where clinic_id = $1 and id = $2 and state = 'waiting'",
        clinic.0,
        message.id,
        state as _,
        problem as _,
        now.to_sqlx() as _,
        tried,
    )
    .execute(connection)
    .await?;
    one_row(&result)
}

/// It was not taken: again at `next_attempt_at`.
pub(crate) async fn put_off(
    connection: &mut PgConnection,
    clinic: ClinicId,
    id: Uuid,
    next_attempt_at: Timestamp,
) -> Result<(), sqlx::Error> {
    let result = sqlx::query!(
        "update outbox
         set attempts = attempts + 1, next_attempt_at = $3
         where clinic_id = $1 and id = $2 and state = 'waiting'",
        clinic.0,
        id,
        next_attempt_at.to_sqlx() as _,
    )
    .execute(connection)
    .await?;
    one_row(&result)
}
