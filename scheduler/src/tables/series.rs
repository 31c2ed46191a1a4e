//! `series`: how visits that were booked together repeat.

use domain::{ClinicId, PatientId, PractitionerId, SeriesId, VisitTypeId};
use jiff::{Timestamp, civil::DateTime};
use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;

/// A series to be written.
pub(crate) struct New<'a> {
    pub(crate) id: SeriesId,
    pub(crate) patient: PatientId,
    pub(crate) practitioner: PractitionerId,
    pub(crate) visit_type: VisitTypeId,
    /// RFC 5545.
    pub(crate) recurrence: &'a str,
    pub(crate) wall_time: DateTime,
    /// The zone of the wall.
    pub(crate) time_zone: &'a str,
    pub(crate) booked_at: Timestamp,
}

/// Adds a series; its visits are added apart.
pub(crate) async fn add(connection: &mut PgConnection, clinic: ClinicId, new: &New<'_>) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into series (clinic_id, id, patient_id, practitioner_id, visit_type_id, recurrence, wall_time,
                             time_zone, booked_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        clinic.0,
        new.id.0,
        new.patient.0,
        new.practitioner.0,
        new.visit_type.0,
        new.recurrence,
        new.wall_time.to_sqlx() as _,
        new.time_zone,
        new.booked_at.to_sqlx() as _,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// How a series repeats (RFC 5545).
pub(crate) async fn recurrence(
    connection: &mut PgConnection,
    clinic: ClinicId,
    id: SeriesId,
) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar!("select recurrence from series where clinic_id = $1 and id = $2", clinic.0, id.0)
        .fetch_optional(connection)
        .await
}

/// The version of the next message about a series. Whoever else changes it waits for the end of the transaction.
pub(crate) async fn next_version(
    connection: &mut PgConnection,
    clinic: ClinicId,
    id: SeriesId,
) -> Result<i32, sqlx::Error> {
    sqlx::query_scalar!(
        "update series set sequence = sequence + 1 where clinic_id = $1 and id = $2 returning sequence",
        clinic.0,
        id.0,
    )
    .fetch_one(connection)
    .await
}
