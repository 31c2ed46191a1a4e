//! `appointments`.

use domain::{Actor, AppointmentId, AppointmentState, ClinicId, PatientId, PractitionerId, VisitTypeId, Who};
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
}

/// What a step needs to know of an appointment, whose row is locked until the transaction ends.
pub(crate) struct Locked {
    pub(crate) state: AppointmentState,
    pub(crate) patient: PatientId,
    pub(crate) practitioner: PractitionerId,
    pub(crate) starts_at: jiff_sqlx::Timestamp,
    pub(crate) ends_at: jiff_sqlx::Timestamp,
}

/// Adds a booked appointment.
pub(crate) async fn add(connection: &mut PgConnection, by: &Actor, new: &New<'_>) -> Result<(), sqlx::Error> {
    let booked_by = match by.who {
        Who::Account { id, .. } => Some(id.0),
        Who::ApiToken { .. } | Who::Patient { .. } | Who::Service(_) => None,
    };
    sqlx::query!(
        "insert into appointments (clinic_id, id, patient_id, practitioner_id, visit_type_id, state, starts_at,
                                   ends_at, wall_time, time_zone, booked_at, booked_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
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
    sqlx::query_as!(
        Locked,
        r#"select
               state as "state: AppointmentState",
               patient_id as "patient: PatientId",
               practitioner_id as "practitioner: PractitionerId",
               starts_at as "starts_at: jiff_sqlx::Timestamp",
               ends_at as "ends_at: jiff_sqlx::Timestamp"
           from appointments
           where clinic_id = $1 and id = $2
           for update"#,
        clinic.0,
        id.0,
    )
    .fetch_optional(connection)
    .await
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
         set state = $3, cancel_reason = $4, cancelled_by = $5, absent = $6
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

/// Some booked appointments that were missed at `now`, and whose they were: at most `limit`, oldest first.
///
/// The rows are locked; those that somebody else holds are left for the next round.
pub(crate) async fn lock_missed(
    connection: &mut PgConnection,
    clinic: ClinicId,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<(AppointmentId, PatientId)>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select a.id as "id: AppointmentId", a.patient_id as "patient_id: PatientId"
           from appointments a
           join clinics c on c.id = a.clinic_id
           where a.clinic_id = $1
             and a.state = 'booked'
             and a.ends_at + make_interval(mins => c.arrive_late_minutes) <= $2
           order by a.starts_at
           limit $3
           for update of a skip locked"#,
        clinic.0,
        now.to_sqlx() as _,
        limit,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.patient_id)).collect())
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
