//! The read model of an appointment: the rows that are asked for, and what is around them read once for all.

mod around;
mod by_day;
pub(super) mod lookups;

use crate::{
    tables::clinics,
    views::{Absent, AppointmentView, ClinicView},
};
use around::Around;
pub(super) use around::distinct;
pub(crate) use by_day::by_day;
use domain::{AppointmentId, AppointmentState, ClinicId, PatientId, PractitionerId, SeriesId, Source, VisitTypeId};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;

/// The most appointments one answer holds: a large clinic's day several times over.
const MAX_ROWS: i64 = 2_000;

/// An appointment without anything around it.
struct Row {
    id: AppointmentId,
    state: AppointmentState,
    starts_at: jiff_sqlx::Timestamp,
    ends_at: jiff_sqlx::Timestamp,
    link_version: i16,
    cancel_reason: Option<String>,
    patient_id: PatientId,
    practitioner_id: PractitionerId,
    visit_type_id: VisitTypeId,
    lane: i16,
    overbook_reason: Option<String>,
    overbooked_by: Option<String>,
    series_id: Option<SeriesId>,
    sequence: i32,
    version: i64,
    confirmed_at: Option<jiff_sqlx::Timestamp>,
    source: Source,
    absent: Option<Absent>,
    outcome_reason: Option<String>,
    reschedule_reason: Option<String>,
}

/// Rows on a condition, whose parameters begin at `$3`. Each question is a statement of its own: Postgres keeps one plan for one
/// statement, and with conditions that may be left out that plan would read every appointment there ever was.
macro_rules! rows {
    ($condition:literal, $clinic:expr, $($argument:expr),+) => {
        sqlx::query_as!(
            Row,
            r#"select
                   id as "id: AppointmentId",
                   state as "state: AppointmentState",
                   starts_at as "starts_at: jiff_sqlx::Timestamp",
                   ends_at as "ends_at: jiff_sqlx::Timestamp",
                   link_version,
                   cancel_reason,
                   patient_id as "patient_id: PatientId",
                   practitioner_id as "practitioner_id: PractitionerId",
                   visit_type_id as "visit_type_id: VisitTypeId",
                   lane,
                   overbook_reason,
                   overbooked_by,
                   series_id as "series_id: SeriesId",
                   sequence,
                   version,
                   confirmed_at as "confirmed_at: jiff_sqlx::Timestamp",
                   source as "source: Source",
                   absent as "absent: Absent",
                   outcome_reason,
                   reschedule_reason
               from appointments
               where clinic_id = $1 and "# + $condition + "
               order by starts_at, id
               limit $2",
            $clinic,
            MAX_ROWS,
            $($argument),+
        )
    };
}

/// One appointment with everything around it.
pub(crate) async fn find(
    connection: &mut PgConnection,
    clinic: ClinicId,
    id: AppointmentId,
) -> Result<Option<AppointmentView>, sqlx::Error> {
    Ok(these(connection, clinic, &[id]).await?.pop())
}

/// These appointments, in order.
pub(crate) async fn these(
    connection: &mut PgConnection,
    clinic: ClinicId,
    ids: &[AppointmentId],
) -> Result<Vec<AppointmentView>, sqlx::Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<_> = ids.iter().map(|id| id.0).collect();
    let rows = rows!("id = any ($3)", clinic.0, &ids).fetch_all(&mut *connection).await?;
    let clinic = clinics::get(connection, clinic).await?;
    views(connection, &clinic, rows).await
}

/// The appointments that start within `[from, to)`, of these practitioners or, without any, of all; in order.
pub(crate) async fn between(
    connection: &mut PgConnection,
    clinic: &ClinicView,
    from: Timestamp,
    to: Timestamp,
    practitioners: &[PractitionerId],
) -> Result<Vec<AppointmentView>, sqlx::Error> {
    let (from, to) = (held(from), held(to));
    let rows = if practitioners.is_empty() {
        rows!("starts_at >= $3 and starts_at < $4", clinic.id.0, from as _, to as _).fetch_all(&mut *connection).await?
    } else {
        let ids: Vec<_> = practitioners.iter().map(|id| id.0).collect();
        let condition = rows!(
            "starts_at >= $3 and starts_at < $4 and practitioner_id = any ($5)",
            clinic.id.0,
            from as _,
            to as _,
            &ids
        );
        condition.fetch_all(&mut *connection).await?
    };
    views(connection, clinic, rows).await
}

/// The appointments of a patient that start from `from` on, in order.
pub(crate) async fn of_patient(
    connection: &mut PgConnection,
    clinic: ClinicId,
    patient: PatientId,
    from: Timestamp,
) -> Result<Vec<AppointmentView>, sqlx::Error> {
    let rows = rows!("patient_id = $3 and starts_at >= $4", clinic.0, patient.0, held(from) as _);
    let rows = rows.fetch_all(&mut *connection).await?;
    let clinic = clinics::get(connection, clinic).await?;
    views(connection, &clinic, rows).await
}

/// The beginning of time is before what Postgres can hold, and no visit was ever so early.
fn held(at: Timestamp) -> jiff_sqlx::Timestamp {
    at.max(Timestamp::UNIX_EPOCH).to_sqlx()
}

async fn views(
    connection: &mut PgConnection,
    clinic: &ClinicView,
    mut rows: Vec<Row>,
) -> Result<Vec<AppointmentView>, sqlx::Error> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let around = Around::of(connection, clinic, &rows).await?;
    // Rows are large: what is compared is sorted, and each row moves once.
    rows.sort_by_cached_key(|row| (row.starts_at.to_jiff(), around.family_name(row.practitioner_id), row.id));
    Ok(rows.into_iter().map(|row| around.view(row)).collect())
}
