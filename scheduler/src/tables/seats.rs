//! `seats` of the waiting room.

use crate::views::Readiness;
use domain::{AppointmentId, ClinicId};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;

/// Gives the seat of an appointment, or finds it again; says since when it is held.
pub(crate) async fn take(
    connection: &mut PgConnection,
    clinic: ClinicId,
    appointment: AppointmentId,
    now: Timestamp,
) -> Result<Timestamp, sqlx::Error> {
    let arrived_at = sqlx::query_scalar!(
        r#"insert into seats (clinic_id, appointment_id, arrived_at, last_seen_at)
           values ($1, $2, $3, $3)
           on conflict (appointment_id) do update set last_seen_at = excluded.last_seen_at, left_at = null
           returning arrived_at as "arrived_at: jiff_sqlx::Timestamp""#,
        clinic.0,
        appointment.0,
        now.to_sqlx() as _,
    )
    .fetch_one(connection)
    .await?;
    Ok(arrived_at.to_jiff())
}

/// The patient's page is there; whether there is a seat to be on.
pub(crate) async fn touch(
    connection: &mut PgConnection,
    clinic: ClinicId,
    appointment: AppointmentId,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let result = sqlx::query!(
        "update seats
         set last_seen_at = greatest(last_seen_at, $3)
         where clinic_id = $1 and appointment_id = $2",
        clinic.0,
        appointment.0,
        now.to_sqlx() as _,
    )
    .execute(connection)
    .await?;
    Ok(result.rows_affected() == 1)
}

/// What the device check found; whether there is such a seat.
pub(crate) async fn set_readiness(
    connection: &mut PgConnection,
    clinic: ClinicId,
    appointment: AppointmentId,
    readiness: Readiness,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let result = sqlx::query!(
        "update seats
         set readiness = $3, last_seen_at = $4
         where clinic_id = $1 and appointment_id = $2",
        clinic.0,
        appointment.0,
        readiness as _,
        now.to_sqlx() as _,
    )
    .execute(connection)
    .await?;
    Ok(result.rows_affected() == 1)
}

/// The patient leaves; whether they were there.
pub(crate) async fn leave(
    connection: &mut PgConnection,
    clinic: ClinicId,
    appointment: AppointmentId,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let result = sqlx::query!(
        "update seats
         set left_at = $3
         where clinic_id = $1 and appointment_id = $2 and left_at is null",
        clinic.0,
        appointment.0,
        now.to_sqlx() as _,
    )
    .execute(connection)
    .await?;
    Ok(result.rows_affected() == 1)
}

/// Whether the patient of an appointment has arrived at some time.
pub(crate) async fn is_taken(
    connection: &mut PgConnection,
    clinic: ClinicId,
    appointment: AppointmentId,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select exists (select from seats where clinic_id = $1 and appointment_id = $2) as "is_taken!""#,
        clinic.0,
        appointment.0,
    )
    .fetch_one(connection)
    .await
}
