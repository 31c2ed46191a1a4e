//! Looking up what many appointments have around them: a statement for each table.

use crate::{
    tables::practitioners,
    views::{EncounterView, PatientView, PractitionerView, Readiness, ResourceKind, ResourceView},
};
use domain::{
    AppointmentId, ClinicId, EncounterId, EncounterState, PatientId, PractitionerId, ResourceId, RoomId, VisitTypeId,
};
use jiff::Timestamp;
use sqlx::PgConnection;
use std::collections::HashMap;
use uuid::Uuid;

/// A practitioner, and what they are sorted by.
pub(super) struct Named {
    pub(super) family_name: String,
    pub(super) view: PractitionerView,
}

/// A place in the waiting room.
pub(super) struct Seat {
    pub(super) arrived_at: Timestamp,
    pub(super) last_seen_at: Timestamp,
    pub(super) left: bool,
    pub(super) readiness: Readiness,
}

/// What decides who comes first: the start, the arrival, and what tells two of them apart.
pub(super) type Turn = (Timestamp, Timestamp, AppointmentId);

/// Patients, by id.
pub(super) async fn patients(
    connection: &mut PgConnection,
    clinic: ClinicId,
    ids: Vec<Uuid>,
) -> Result<HashMap<PatientId, PatientView>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select id as "id: PatientId", name, birth_date as "birth_date: jiff_sqlx::Date", phone, email
           from patients
           where clinic_id = $1 and id = any ($2)"#,
        clinic.0,
        &ids,
    );
    let rows = rows.fetch_all(connection).await?.into_iter().map(|row| {
        let (birth_date, phone, email) = (row.birth_date.to_jiff(), row.phone, row.email);
        (row.id, PatientView { id: row.id, name: row.name, birth_date, phone, email })
    });
    Ok(rows.collect())
}

/// Practitioners, by id.
pub(super) async fn practitioners(
    connection: &mut PgConnection,
    clinic: ClinicId,
    ids: Vec<Uuid>,
) -> Result<HashMap<PractitionerId, Named>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select id as "id: PractitionerId", title, given_name, family_name, speciality
           from practitioners
           where clinic_id = $1 and id = any ($2)"#,
        clinic.0,
        &ids,
    );
    let rows = rows.fetch_all(connection).await?.into_iter().map(|row| {
        let view = practitioners::view(row.id, &row.title, &row.given_name, &row.family_name, row.speciality);
        (row.id, Named { family_name: row.family_name, view })
    });
    Ok(rows.collect())
}

/// The names of types of visits, by id.
pub(crate) async fn visit_types(
    connection: &mut PgConnection,
    clinic: ClinicId,
    ids: Vec<Uuid>,
) -> Result<HashMap<VisitTypeId, String>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select id as "id: VisitTypeId", name from visit_types where clinic_id = $1 and id = any ($2)"#,
        clinic.0,
        &ids,
    );
    Ok(rows.fetch_all(connection).await?.into_iter().map(|row| (row.id, row.name)).collect())
}

/// Interpreters, rooms and devices of these appointments.
pub(crate) async fn resources(
    connection: &mut PgConnection,
    clinic: ClinicId,
    ids: Vec<Uuid>,
) -> Result<HashMap<AppointmentId, Vec<ResourceView>>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select
               r.appointment_id as "appointment!: AppointmentId",
               x.id as "id: ResourceId",
               x.kind as "kind: ResourceKind",
               x.name,
               x.languages
           from reservations r
           join resources x on x.clinic_id = r.clinic_id and x.id = r.resource_id
           where r.clinic_id = $1
             and r.resource_kind in ('interpreter', 'room', 'device')
             and r.appointment_id = any ($2)
           order by x.kind"#,
        clinic.0,
        &ids,
    );
    let mut resources = HashMap::<_, Vec<_>>::new();
    for row in rows.fetch_all(connection).await? {
        let one = ResourceView { id: row.id, kind: row.kind, name: row.name, languages: row.languages };
        resources.entry(row.appointment).or_default().push(one);
    }
    Ok(resources)
}

/// The seats of appointments.
pub(super) async fn seats(
    connection: &mut PgConnection,
    clinic: ClinicId,
    ids: Vec<Uuid>,
) -> Result<HashMap<AppointmentId, Seat>, sqlx::Error> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = sqlx::query!(
        r#"select
               appointment_id as "appointment: AppointmentId",
               arrived_at as "arrived_at: jiff_sqlx::Timestamp",
               last_seen_at as "last_seen_at: jiff_sqlx::Timestamp",
               (left_at is not null) as "left!",
               readiness as "readiness: Readiness"
           from seats
           where clinic_id = $1 and appointment_id = any ($2)"#,
        clinic.0,
        &ids,
    );
    let rows = rows.fetch_all(connection).await?.into_iter().map(|row| {
        let (arrived_at, last_seen_at) = (row.arrived_at.to_jiff(), row.last_seen_at.to_jiff());
        (row.appointment, Seat { arrived_at, last_seen_at, left: row.left, readiness: row.readiness })
    });
    Ok(rows.collect())
}

/// Who waits for these practitioners and has not left.
pub(super) async fn waiting(
    connection: &mut PgConnection,
    clinic: ClinicId,
    practitioners: Vec<Uuid>,
) -> Result<HashMap<PractitionerId, Vec<Turn>>, sqlx::Error> {
    let mut waiting = HashMap::<_, Vec<_>>::new();
    if practitioners.is_empty() {
        return Ok(waiting);
    }
    let rows = sqlx::query!(
        r#"select
               a.practitioner_id as "practitioner: PractitionerId",
               a.starts_at as "starts_at: jiff_sqlx::Timestamp",
               s.arrived_at as "arrived_at: jiff_sqlx::Timestamp",
               a.id as "id: AppointmentId"
           from appointments a
           join seats s on s.clinic_id = $1 and s.appointment_id = a.id
           where a.clinic_id = $1 and a.practitioner_id = any ($2) and a.state = 'arrived' and s.left_at is null"#,
        clinic.0,
        &practitioners,
    );
    for row in rows.fetch_all(connection).await? {
        let turn = (row.starts_at.to_jiff(), row.arrived_at.to_jiff(), row.id);
        waiting.entry(row.practitioner).or_default().push(turn);
    }
    Ok(waiting)
}

/// The encounters of appointments.
pub(crate) async fn encounters(
    connection: &mut PgConnection,
    clinic: ClinicId,
    ids: Vec<Uuid>,
) -> Result<HashMap<AppointmentId, EncounterView>, sqlx::Error> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = sqlx::query!(
        r#"select
               appointment_id as "appointment: AppointmentId",
               id as "id: EncounterId",
               state as "state: EncounterState",
               started_at as "started_at: jiff_sqlx::Timestamp",
               finished_at as "finished_at: jiff_sqlx::Timestamp",
               room_id as "room: RoomId"
           from encounters
           where clinic_id = $1 and appointment_id = any ($2)"#,
        clinic.0,
        &ids,
    );
    let rows = rows.fetch_all(connection).await?.into_iter().map(|row| {
        let (started_at, finished_at) = (row.started_at.to_jiff(), row.finished_at.map(jiff_sqlx::Timestamp::to_jiff));
        (row.appointment, EncounterView { id: row.id, state: row.state, started_at, finished_at, room: row.room })
    });
    Ok(rows.collect())
}
