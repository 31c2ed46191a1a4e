//! The visits of the desk: one statement for the visits, and one for each kind of what is around them.

mod around;
mod lookups;

use crate::{
    desk::DeskVisit,
    views::{Absent, PractitionerView},
};
use around::Around;
use domain::{AppointmentId, AppointmentState, ClinicId, PatientId, PractitionerId, VisitTypeId};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;
use std::{collections::HashMap, sync::Arc};

/// The most visits on a page: a large clinic's day several times over.
const MAX_VISITS: i64 = 2_000;

/// The visits that start within `[from, to)`, of `whose` or else of all; by start, and at one time in the order of `practitioners`, who
/// are everybody.
pub(crate) async fn between(
    connection: &mut PgConnection,
    clinic: ClinicId,
    (from, to): (Timestamp, Timestamp),
    whose: Option<&[PractitionerId]>,
    practitioners: &[Arc<PractitionerView>],
) -> Result<Vec<DeskVisit>, sqlx::Error> {
    let mut rows = rows(connection, clinic, (from, to), whose).await?;
    let around = Around::of(connection, clinic, &rows, whose.is_none().then_some((from, to))).await?;
    let place: HashMap<_, _> = practitioners.iter().enumerate().map(|(place, one)| (one.id, place)).collect();
    rows.sort_by_key(|row| (row.starts_at.to_jiff(), place.get(&row.practitioner_id).copied(), row.id));
    // Whoever began to work here since everybody was read comes with the next reading.
    let visits = rows.into_iter().filter_map(|row| {
        let practitioner = practitioners.get(*place.get(&row.practitioner_id)?)?;
        Some(around.visit(row, Arc::clone(practitioner)))
    });
    Ok(visits.collect())
}

/// What a visit has of its own.
struct Row {
    id: AppointmentId,
    state: AppointmentState,
    starts_at: jiff_sqlx::Timestamp,
    ends_at: jiff_sqlx::Timestamp,
    patient_id: PatientId,
    practitioner_id: PractitionerId,
    visit_type_id: VisitTypeId,
    lane: i16,
    overbook_reason: Option<String>,
    is_confirmed: bool,
    is_walk_in: bool,
    absent: Option<Absent>,
}

/// Rows on a condition besides the time. Each question is a statement of its own: Postgres keeps one plan for one statement.
macro_rules! rows {
    ($condition:literal, $($argument:expr),+) => {
        sqlx::query_as!(
            Row,
            r#"select
                   id as "id: AppointmentId",
                   state as "state: AppointmentState",
                   starts_at as "starts_at: jiff_sqlx::Timestamp",
                   ends_at as "ends_at: jiff_sqlx::Timestamp",
                   patient_id as "patient_id: PatientId",
                   practitioner_id as "practitioner_id: PractitionerId",
                   visit_type_id as "visit_type_id: VisitTypeId",
                   lane,
                   overbook_reason,
                   (confirmed_at is not null) as "is_confirmed!",
                   (source = 'walk_in') as "is_walk_in!",
                   absent as "absent: Absent"
               from appointments
               where clinic_id = $1 and starts_at >= $2 and starts_at < $3"# + $condition + "
               order by starts_at, id
               limit $4",
            $($argument),+
        )
    };
}

async fn rows(
    connection: &mut PgConnection,
    clinic: ClinicId,
    (from, to): (Timestamp, Timestamp),
    whose: Option<&[PractitionerId]>,
) -> Result<Vec<Row>, sqlx::Error> {
    let (from, to) = (from.to_sqlx(), to.to_sqlx());
    let Some(whose) = whose else {
        return rows!("", clinic.0, from as _, to as _, MAX_VISITS).fetch_all(connection).await;
    };
    let ids: Vec<_> = whose.iter().map(|id| id.0).collect();
    let rows = rows!(" and practitioner_id = any ($5)", clinic.0, from as _, to as _, MAX_VISITS, &ids);
    rows.fetch_all(connection).await
}
