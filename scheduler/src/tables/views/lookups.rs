//! Looking up what many appointments have around them: a statement for each table.

use crate::{
    tables::practitioners,
    views::{EncounterView, PatientView, PractitionerView, Readiness, ResourceKind, ResourceView},
};
use domain::{
    AppointmentId, ClinicId, EncounterId, EncounterState, PatientId, PractitionerId, ResourceId, RoomId, VisitTypeId,
};
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;
use std::collections::HashMap;
use uuid::Uuid;

/// How long before its visit a reservation may begin (`visit_types_buffers_range`).
const LONGEST_BUFFER: SignedDuration = SignedDuration::from_hours(2);

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
pub(super) async fn visit_types(
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

/// What an appointment needs besides people.
struct Need {
    appointment: AppointmentId,
    id: ResourceId,
    kind: ResourceKind,
    name: String,
    languages: Vec<String>,
}

/// Needs on a condition, whose parameters begin at `$2`; a statement of its own for each, as in `rows!`.
macro_rules! needs {
    ($condition:literal, $clinic:expr, $($argument:expr),+) => {
        sqlx::query_as!(
            Need,
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
                 and "# + $condition + "
               order by x.kind",
            $clinic,
            $($argument),+
        )
    };
}

/// Interpreters, rooms and devices of these appointments.
pub(super) async fn resources(
    connection: &mut PgConnection,
    clinic: ClinicId,
    ids: Vec<Uuid>,
) -> Result<HashMap<AppointmentId, Vec<ResourceView>>, sqlx::Error> {
    let needs = needs!("r.appointment_id = any ($2)", clinic.0, &ids);
    Ok(by_appointment(needs.fetch_all(connection).await?))
}

/// Those of all appointments that start within `[from, to)`, and perhaps of some beside. Few have any, so asking for each of a
/// thousand costs more.
pub(super) async fn resources_within(
    connection: &mut PgConnection,
    clinic: ClinicId,
    (from, to): (Timestamp, Timestamp),
) -> Result<HashMap<AppointmentId, Vec<ResourceView>>, sqlx::Error> {
    let from = from.checked_sub(LONGEST_BUFFER).unwrap_or(from);
    let needs = needs!(
        "r.starts_at >= $2 and r.starts_at < $3 and r.appointment_id is not null",
        clinic.0,
        from.to_sqlx() as _,
        to.to_sqlx() as _
    );
    Ok(by_appointment(needs.fetch_all(connection).await?))
}

fn by_appointment(needs: Vec<Need>) -> HashMap<AppointmentId, Vec<ResourceView>> {
    let mut resources = HashMap::<_, Vec<_>>::new();
    for Need { appointment, id, kind, name, languages } in needs {
        resources.entry(appointment).or_default().push(ResourceView { id, kind, name, languages });
    }
    resources
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

/// An encounter, and of which appointment.
struct Admitted {
    appointment: AppointmentId,
    id: EncounterId,
    state: EncounterState,
    started_at: jiff_sqlx::Timestamp,
    finished_at: Option<jiff_sqlx::Timestamp>,
    room: RoomId,
}

/// Encounters on a condition, whose parameters begin at `$2`; a statement of its own for each, as in `rows!`.
macro_rules! admitted {
    ($condition:literal, $clinic:expr, $($argument:expr),+) => {
        sqlx::query_as!(
            Admitted,
            r#"select
                   appointment_id as "appointment: AppointmentId",
                   id as "id: EncounterId",
                   state as "state: EncounterState",
                   started_at as "started_at: jiff_sqlx::Timestamp",
                   finished_at as "finished_at: jiff_sqlx::Timestamp",
                   room_id as "room: RoomId"
               from encounters
               where clinic_id = $1 and "# + $condition,
            $clinic,
            $($argument),+
        )
    };
}

/// The encounters of appointments.
pub(super) async fn encounters(
    connection: &mut PgConnection,
    clinic: ClinicId,
    ids: Vec<Uuid>,
) -> Result<HashMap<AppointmentId, EncounterView>, sqlx::Error> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let admitted = admitted!("appointment_id = any ($2)", clinic.0, &ids);
    Ok(encounters_by_appointment(admitted.fetch_all(connection).await?))
}

/// The encounters that began within `[from, to)`. A day's lie beside each other, and a thousand looked up one by one cost four times as much.
pub(super) async fn encounters_within(
    connection: &mut PgConnection,
    clinic: ClinicId,
    (from, to): (Timestamp, Timestamp),
) -> Result<HashMap<AppointmentId, EncounterView>, sqlx::Error> {
    let (from, to) = (from.to_sqlx(), to.to_sqlx());
    let admitted = admitted!("started_at >= $2 and started_at < $3", clinic.0, from as _, to as _);
    Ok(encounters_by_appointment(admitted.fetch_all(connection).await?))
}

fn encounters_by_appointment(admitted: Vec<Admitted>) -> HashMap<AppointmentId, EncounterView> {
    let view = |one: Admitted| EncounterView {
        id: one.id,
        state: one.state,
        started_at: one.started_at.to_jiff(),
        finished_at: one.finished_at.map(jiff_sqlx::Timestamp::to_jiff),
        room: one.room,
    };
    admitted.into_iter().map(|one| (one.appointment, view(one))).collect()
}
