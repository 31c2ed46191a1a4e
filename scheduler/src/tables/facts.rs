//! The read model of an appointment for programs: one row without names.

use crate::facts::{AppointmentFacts, AppointmentFilter};
use domain::{AppointmentId, AppointmentState, ClinicId, PatientId, PractitionerId, ResourceId, SeriesId, VisitTypeId};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;

/// One appointment.
pub(crate) async fn find(
    connection: &mut PgConnection,
    clinic: ClinicId,
    id: AppointmentId,
) -> Result<Option<AppointmentFacts>, sqlx::Error> {
    let found = select(connection, clinic, Some(id), &AppointmentFilter::default(), None, 1).await?;
    Ok(found.into_iter().next())
}

/// The appointments of a filter by start, after one of them.
pub(crate) async fn list(
    connection: &mut PgConnection,
    clinic: ClinicId,
    filter: &AppointmentFilter,
    after: Option<(Timestamp, AppointmentId)>,
    limit: i64,
) -> Result<Vec<AppointmentFacts>, sqlx::Error> {
    select(connection, clinic, None, filter, after, limit).await
}

async fn select(
    connection: &mut PgConnection,
    clinic: ClinicId,
    id: Option<AppointmentId>,
    filter: &AppointmentFilter,
    after: Option<(Timestamp, AppointmentId)>,
    limit: i64,
) -> Result<Vec<AppointmentFacts>, sqlx::Error> {
    let rows = sqlx::query_file!(
        "src/tables/facts.sql",
        clinic.0,
        id.map(|id| id.0),
        filter.from.map(|at| at.to_sqlx()) as _,
        filter.to.map(|at| at.to_sqlx()) as _,
        filter.practitioner.map(|id| id.0),
        filter.patient.map(|id| id.0),
        filter.state.map(AppointmentState::as_str),
        after.map(|(at, _)| at.to_sqlx()) as _,
        after.map(|(_, id)| id.0),
        limit,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| AppointmentFacts {
            id: row.id,
            state: row.state,
            starts_at: row.starts_at.to_jiff(),
            ends_at: row.ends_at.to_jiff(),
            patient: row.patient,
            practitioner: row.practitioner,
            visit_type: row.visit_type,
            series: row.series,
            resources: row.resources,
            source: row.source,
            overbook_reason: row.overbook_reason,
            reschedule_reason: row.reschedule_reason,
            cancel_reason: row.cancel_reason,
            cancelled_by: row.cancelled_by,
            absent: row.absent,
            confirmed_at: row.confirmed_at.map(jiff_sqlx::Timestamp::to_jiff),
            arrived_at: row.arrived_at.map(jiff_sqlx::Timestamp::to_jiff),
            version: row.version,
        })
        .collect())
}
