//! `appointments`.

use crate::series::SeriesVisit;
use crate::tables::presences;
use domain::{
    Actor, AppointmentId, AppointmentState, ClinicId, PatientId, PractitionerId, Scope, SeriesId, Source, VisitTypeId,
    Who,
};
use jiff::{Timestamp, civil::DateTime};
use jiff_sqlx::ToSqlx as _;
use service::postgres::one_row;
use sqlx::PgConnection;

/// An appointment to be written.
pub(crate) struct New<'a> {
    pub(crate) id: AppointmentId,
    pub(crate) patient: PatientId,
    pub(crate) practitioner: PractitionerId,
    pub(crate) visit_type: VisitTypeId,
    pub(crate) starts_at: Timestamp,
    pub(crate) ends_at: Timestamp,
    pub(crate) wall_time: DateTime,
    /// The zone of the wall.
    pub(crate) time_zone: &'a str,
    pub(crate) booked_at: Timestamp,
    pub(crate) source: Source,
    /// 0 is the practitioner's own time; in any other one a reason and a name are needed.
    pub(crate) lane: i16,
    pub(crate) overbook_reason: Option<&'a str>,
    pub(crate) overbooked_by: Option<&'a str>,
    pub(crate) series: Option<SeriesId>,
    pub(crate) interpreted_between: Option<[String; 2]>,
}

/// Where an appointment was moved to.
pub(crate) struct Moved<'a> {
    pub(crate) practitioner: PractitionerId,
    pub(crate) starts_at: Timestamp,
    pub(crate) ends_at: Timestamp,
    pub(crate) wall_time: DateTime,
    /// The zone of the wall.
    pub(crate) time_zone: &'a str,
    pub(crate) reason: &'a str,
    pub(crate) lane: i16,
    pub(crate) overbook_reason: Option<&'a str>,
    pub(crate) overbooked_by: Option<&'a str>,
}

/// What a step needs to know of an appointment, whose row is locked until the transaction ends.
pub(crate) struct Locked {
    pub(crate) id: AppointmentId,
    pub(crate) state: AppointmentState,
    pub(crate) patient: PatientId,
    pub(crate) practitioner: PractitionerId,
    pub(crate) starts_at: jiff_sqlx::Timestamp,
    pub(crate) ends_at: jiff_sqlx::Timestamp,
    pub(crate) visit_type: VisitTypeId,
    pub(crate) cancel_notice_minutes: i32,
    pub(crate) wall_time: jiff_sqlx::DateTime,
    /// The zone of the wall.
    pub(crate) time_zone: String,
    pub(crate) interpreted_between: Option<Vec<String>>,
    pub(crate) series: Option<SeriesId>,
    pub(crate) version: i64,
}

/// Adds a booked appointment.
pub(crate) async fn add(connection: &mut PgConnection, by: &Actor, new: &New<'_>) -> Result<(), sqlx::Error> {
    let booked_by = match by.who {
        Who::Account { id, .. } => Some(id.0),
        Who::ApiToken { .. } | Who::Patient { .. } | Who::Service(_) => None,
    };
    sqlx::query!(
        "insert into appointments (clinic_id, id, patient_id, practitioner_id, visit_type_id, state, starts_at,
                                   ends_at, wall_time, time_zone, booked_at, booked_by, source, lane,
                                   overbook_reason, overbooked_by, series_id, interpreted_between)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)",
        by.clinic.0,
        new.id.0,
        new.patient.0,
        new.practitioner.0,
        new.visit_type.0,
        AppointmentState::Booked.as_str(),
        new.starts_at.to_sqlx() as _,
        new.ends_at.to_sqlx() as _,
        new.wall_time.to_sqlx() as _,
        new.time_zone,
        new.booked_at.to_sqlx() as _,
        booked_by,
        new.source.as_str(),
        new.lane,
        new.overbook_reason,
        new.overbooked_by,
        new.series.map(|id| id.0),
        new.interpreted_between.as_ref().map(<[String; 2]>::as_slice),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Finds an appointment and locks its row: steps of one appointment happen one after the other.
pub(crate) async fn lock(
    connection: &mut PgConnection,
    clinic: ClinicId,
    id: AppointmentId,
) -> Result<Option<Locked>, sqlx::Error> {
    Ok(lock_all(connection, clinic, id, None).await?.pop())
}

/// Finds an appointment and those of its series that `scope` says and that may still be changed, in order, and locks their rows.
///
/// The one that was asked for is among them however it stands, unless there is none such.
pub(crate) async fn lock_scope(
    connection: &mut PgConnection,
    clinic: ClinicId,
    id: AppointmentId,
    scope: Scope,
) -> Result<Vec<Locked>, sqlx::Error> {
    let series = match scope {
        Scope::This => None,
        Scope::ThisAndFollowing | Scope::Series => series_of(connection, clinic, id).await?,
    };
    let mut members = lock_all(connection, clinic, id, series).await?;
    members.sort_by_key(|one| (one.starts_at.to_jiff(), one.id));
    if scope == Scope::ThisAndFollowing
        && let Some(chosen) = members.iter().position(|one| one.id == id)
    {
        members.drain(..chosen);
    }
    Ok(members)
}

/// Two who lock a series take its rows in one order.
async fn lock_all(
    connection: &mut PgConnection,
    clinic: ClinicId,
    id: AppointmentId,
    series: Option<SeriesId>,
) -> Result<Vec<Locked>, sqlx::Error> {
    sqlx::query_as!(
        Locked,
        r#"select
               a.id as "id: AppointmentId",
               a.state as "state: AppointmentState",
               a.patient_id as "patient: PatientId",
               a.practitioner_id as "practitioner: PractitionerId",
               a.starts_at as "starts_at: jiff_sqlx::Timestamp",
               a.ends_at as "ends_at: jiff_sqlx::Timestamp",
               a.visit_type_id as "visit_type: VisitTypeId",
               t.cancel_notice_minutes,
               a.wall_time as "wall_time: jiff_sqlx::DateTime",
               a.time_zone,
               a.interpreted_between,
               a.series_id as "series: SeriesId",
               a.version
           from appointments a
           join visit_types t on t.clinic_id = a.clinic_id and t.id = a.visit_type_id
           where a.clinic_id = $1 and (a.id = $2 or (a.series_id = $3 and a.state = 'booked'))
           order by a.id
           for update of a"#,
        clinic.0,
        id.0,
        series.map(|id| id.0),
    )
    .fetch_all(connection)
    .await
}

async fn series_of(
    connection: &mut PgConnection,
    clinic: ClinicId,
    id: AppointmentId,
) -> Result<Option<SeriesId>, sqlx::Error> {
    let series = sqlx::query_scalar!(
        r#"select series_id as "series_id: SeriesId" from appointments where clinic_id = $1 and id = $2"#,
        clinic.0,
        id.0,
    )
    .fetch_optional(connection)
    .await?;
    Ok(series.flatten())
}

/// The visits of a series, in order.
pub(crate) async fn of_series(
    connection: &mut PgConnection,
    clinic: ClinicId,
    series: SeriesId,
) -> Result<Vec<SeriesVisit>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select
               id as "id: AppointmentId",
               starts_at as "starts_at: jiff_sqlx::Timestamp",
               state as "state: AppointmentState"
           from appointments
           where clinic_id = $1 and series_id = $2
           order by starts_at, id"#,
        clinic.0,
        series.0,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| SeriesVisit { id: row.id, starts_at: row.starts_at.to_jiff(), state: row.state })
        .collect())
}

/// Writes another time, which the patient has not confirmed yet.
pub(crate) async fn set_time(
    connection: &mut PgConnection,
    clinic: ClinicId,
    id: AppointmentId,
    moved: &Moved<'_>,
) -> Result<(), sqlx::Error> {
    let result = sqlx::query!(
        "update appointments
         set practitioner_id = $3,
             starts_at = $4,
             ends_at = $5,
             wall_time = $6,
             time_zone = $7,
             reschedule_reason = $8,
             lane = $9,
             overbook_reason = $10,
             overbooked_by = $11,
             confirmed_at = null,
             sequence = sequence + 1
         where clinic_id = $1 and id = $2",
        clinic.0,
        id.0,
        moved.practitioner.0,
        moved.starts_at.to_sqlx() as _,
        moved.ends_at.to_sqlx() as _,
        moved.wall_time.to_sqlx() as _,
        moved.time_zone,
        moved.reason,
        moved.lane,
        moved.overbook_reason,
        moved.overbooked_by,
    )
    .execute(connection)
    .await?;
    one_row(&result)
}

/// What goes with the state of an appointment that did not take place.
#[derive(Default)]
pub(crate) struct Outcome<'a> {
    /// Of `cancelled` only, as the next.
    pub(crate) cancel_reason: Option<&'a str>,
    /// `clinic` or `patient`.
    pub(crate) cancelled_by: Option<&'a str>,
    /// Of `noshow` only: `patient`, `practitioner` or `both`.
    pub(crate) absent: Option<&'a str>,
}

/// Writes the state that a transition gave, with what goes with it.
pub(crate) async fn set_state(
    connection: &mut PgConnection,
    clinic: ClinicId,
    id: AppointmentId,
    state: AppointmentState,
    outcome: &Outcome<'_>,
) -> Result<(), sqlx::Error> {
    let result = sqlx::query!(
        "update appointments
         set state = $3,
             cancel_reason = $4,
             cancelled_by = $5,
             absent = $6,
             sequence = sequence + case when $3 = 'cancelled' then 1 else 0 end
         where clinic_id = $1 and id = $2",
        clinic.0,
        id.0,
        state.as_str(),
        outcome.cancel_reason,
        outcome.cancelled_by,
        outcome.absent,
    )
    .execute(connection)
    .await?;
    one_row(&result)
}

/// An appointment that was missed, with what says by whom. Its row is locked until the transaction ends.
pub(crate) struct Missed {
    pub(crate) id: AppointmentId,
    pub(crate) patient: PatientId,
    pub(crate) state: AppointmentState,
    pub(crate) starts_at: jiff_sqlx::Timestamp,
    pub(crate) ends_at: jiff_sqlx::Timestamp,
    /// When the patient was last seen in the waiting room; `None` for who never arrived.
    pub(crate) waited_until: Option<jiff_sqlx::Timestamp>,
}

/// Some appointments that were missed at `now`: at most `limit`, oldest first. Not those whose patient waits at this moment, and not
/// those about which a person has decided.
///
/// The rows are locked; those that somebody else holds are left for the next round.
pub(crate) async fn lock_missed(
    connection: &mut PgConnection,
    clinic: ClinicId,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<Missed>, sqlx::Error> {
    sqlx::query_as!(
        Missed,
        r#"select
               a.id as "id: AppointmentId",
               a.patient_id as "patient: PatientId",
               a.state as "state: AppointmentState",
               a.starts_at as "starts_at: jiff_sqlx::Timestamp",
               a.ends_at as "ends_at: jiff_sqlx::Timestamp",
               case
                   when a.state = 'arrived' then greatest(
                       s.last_seen_at,
                       (
                           select max(p.last_seen_at)
                           from presences p
                           where p.clinic_id = a.clinic_id
                             and p.appointment_id = a.id
                             and p.who = 'patient'
                             and p.place = 'waiting_room'
                       )
                   )
               end as "waited_until: jiff_sqlx::Timestamp"
           from appointments a
           join clinics c on c.id = a.clinic_id
           left join seats s on s.clinic_id = a.clinic_id and s.appointment_id = a.id
           where a.clinic_id = $1
             and a.state in ('booked', 'arrived')
             and a.outcome_reason is null
             and a.ends_at + make_interval(mins => c.arrive_late_minutes) <= $2
             and (a.state = 'booked' or s.left_at is not null or coalesce(s.last_seen_at < $4, true))
           order by a.starts_at
           limit $3
           for update of a skip locked"#,
        clinic.0,
        now.to_sqlx() as _,
        limit,
        (now - presences::GAP).to_sqlx() as _,
    )
    .fetch_all(connection)
    .await
}

/// A person decided about the outcome, and why: the passing of time no longer does.
pub(crate) async fn set_outcome_reason(
    connection: &mut PgConnection,
    clinic: ClinicId,
    id: AppointmentId,
    reason: &str,
) -> Result<(), sqlx::Error> {
    let result = sqlx::query!(
        "update appointments
         set outcome_reason = $3
         where clinic_id = $1 and id = $2",
        clinic.0,
        id.0,
        reason,
    )
    .execute(connection)
    .await?;
    one_row(&result)
}

/// Writes that the patient said they will come; whether they had not said so before.
pub(crate) async fn confirm(
    connection: &mut PgConnection,
    clinic: ClinicId,
    id: AppointmentId,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let result = sqlx::query!(
        "update appointments
         set confirmed_at = $3
         where clinic_id = $1 and id = $2 and confirmed_at is null",
        clinic.0,
        id.0,
        now.to_sqlx() as _,
    )
    .execute(connection)
    .await?;
    Ok(result.rows_affected() == 1)
}

/// Whose appointments are, each once.
pub(crate) async fn practitioners(
    connection: &mut PgConnection,
    clinic: ClinicId,
    ids: &[AppointmentId],
) -> Result<Vec<PractitionerId>, sqlx::Error> {
    let ids: Vec<_> = ids.iter().map(|id| id.0).collect();
    let rows = sqlx::query!(
        r#"select distinct practitioner_id as "practitioner: PractitionerId"
           from appointments
           where clinic_id = $1 and id = any ($2)"#,
        clinic.0,
        &ids,
    );
    Ok(rows.fetch_all(connection).await?.into_iter().map(|row| row.practitioner).collect())
}

/// Whose visit a link opens, if its version is still the good one. Goes through a door.
pub(crate) async fn find_visit(
    connection: &mut PgConnection,
    id: AppointmentId,
    link_version: i16,
) -> Result<Option<(ClinicId, PatientId)>, sqlx::Error> {
    let row = sqlx::query!(
        r#"select clinic_id as "clinic_id!: ClinicId", patient_id as "patient_id!: PatientId"
           from find_visit($1, $2)"#,
        id.0,
        link_version,
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| (row.clinic_id, row.patient_id)))
}

/// An appointment that lies ahead, as it was agreed on and as it was computed.
pub(crate) struct Ahead {
    pub(crate) id: AppointmentId,
    pub(crate) starts_at: jiff_sqlx::Timestamp,
    pub(crate) ends_at: jiff_sqlx::Timestamp,
    pub(crate) wall_time: jiff_sqlx::DateTime,
    pub(crate) time_zone: String,
}

/// The booked appointments that begin after `now`, in order. Their rows are locked.
pub(crate) async fn lock_ahead(
    connection: &mut PgConnection,
    clinic: ClinicId,
    now: Timestamp,
) -> Result<Vec<Ahead>, sqlx::Error> {
    sqlx::query_as!(
        Ahead,
        r#"select
               id as "id: AppointmentId",
               starts_at as "starts_at: jiff_sqlx::Timestamp",
               ends_at as "ends_at: jiff_sqlx::Timestamp",
               wall_time as "wall_time: jiff_sqlx::DateTime",
               time_zone
           from appointments
           where clinic_id = $1 and state = 'booked' and starts_at > $2
           order by starts_at, id
           for update"#,
        clinic.0,
        now.to_sqlx() as _,
    )
    .fetch_all(connection)
    .await
}

/// Writes the instants that follow from what was agreed on. Whoever was told the old ones needs a message.
pub(crate) async fn recompute(
    connection: &mut PgConnection,
    clinic: ClinicId,
    id: AppointmentId,
    starts_at: Timestamp,
    ends_at: Timestamp,
) -> Result<(), sqlx::Error> {
    let result = sqlx::query!(
        "update appointments
         set starts_at = $3, ends_at = $4, sequence = sequence + 1
         where clinic_id = $1 and id = $2",
        clinic.0,
        id.0,
        starts_at.to_sqlx() as _,
        ends_at.to_sqlx() as _,
    )
    .execute(connection)
    .await?;
    one_row(&result)
}
