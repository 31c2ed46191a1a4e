//! Looking up what is around the visits of a day: a statement for each table, and of each table no more than the desk shows.

use crate::views::{Readiness, ResourceKind, ResourceView};
use domain::{AppointmentId, ClinicId, PatientId, PractitionerId, ResourceId};
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;
use std::{collections::HashMap, sync::Arc};
use uuid::Uuid;

/// How long before its visit a reservation may begin (`visit_types_buffers_range`).
const LONGEST_BUFFER: SignedDuration = SignedDuration::from_hours(2);

/// A patient as somebody who is called.
#[derive(Clone)]
pub(super) struct Callee {
    pub(super) name: String,
    pub(super) phone: Option<String>,
}

/// Patients, by id.
pub(super) async fn patients(
    connection: &mut PgConnection,
    clinic: ClinicId,
    ids: Vec<Uuid>,
) -> Result<HashMap<PatientId, Callee>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select id as "id: PatientId", name, phone from patients where clinic_id = $1 and id = any ($2)"#,
        clinic.0,
        &ids,
    );
    let rows = rows.fetch_all(connection).await?.into_iter();
    Ok(rows.map(|row| (row.id, Callee { name: row.name, phone: row.phone })).collect())
}

/// When the patient was admitted, and when the practitioner ended the call.
#[derive(Clone, Copy)]
pub(super) struct Call {
    pub(super) started_at: Timestamp,
    pub(super) finished_at: Option<Timestamp>,
}

/// The calls that began within `[from, to)`. A day's lie beside each other, and a thousand looked up one by one cost four times as much.
pub(super) async fn calls_within(
    connection: &mut PgConnection,
    clinic: ClinicId,
    (from, to): (Timestamp, Timestamp),
) -> Result<HashMap<AppointmentId, Call>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select
               appointment_id as "appointment: AppointmentId",
               started_at as "started_at: jiff_sqlx::Timestamp",
               finished_at as "finished_at: jiff_sqlx::Timestamp"
           from encounters
           where clinic_id = $1 and started_at >= $2 and started_at < $3"#,
        clinic.0,
        from.to_sqlx() as _,
        to.to_sqlx() as _,
    );
    let calls = rows.fetch_all(connection).await?.into_iter().map(|row| {
        let (started_at, finished_at) = (row.started_at.to_jiff(), row.finished_at.map(jiff_sqlx::Timestamp::to_jiff));
        (row.appointment, Call { started_at, finished_at })
    });
    Ok(calls.collect())
}

/// A place in the waiting room.
pub(super) struct Seat {
    practitioner: PractitionerId,
    pub(super) arrived_at: Timestamp,
    pub(super) left: bool,
    pub(super) readiness: Readiness,
    /// What decides who comes first.
    starts_at: Timestamp,
}

/// Everybody who has arrived and was not yet admitted.
#[derive(Default)]
pub(super) struct Seats(HashMap<AppointmentId, Seat>);

impl Seats {
    pub(super) fn of(&self, id: AppointmentId) -> Option<&Seat> {
        self.0.get(&id)
    }

    /// How many wait for the same practitioner and come before: by the start, the arrival, and what tells two of them apart.
    pub(super) fn ahead(&self, id: AppointmentId, seat: &Seat) -> usize {
        let turn = |id: AppointmentId, seat: &Seat| (seat.starts_at, seat.arrived_at, id);
        let waits = |one: &Seat| one.practitioner == seat.practitioner && !one.left;
        self.0.iter().filter(|(other, one)| waits(one) && turn(**other, one) < turn(id, seat)).count()
    }
}

/// The waiting rooms of the clinic.
pub(super) async fn seats(connection: &mut PgConnection, clinic: ClinicId) -> Result<Seats, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select
               a.id as "id: AppointmentId",
               a.practitioner_id as "practitioner: PractitionerId",
               a.starts_at as "starts_at: jiff_sqlx::Timestamp",
               s.arrived_at as "arrived_at: jiff_sqlx::Timestamp",
               (s.left_at is not null) as "left!",
               s.readiness as "readiness: Readiness"
           from appointments a
           join seats s on s.clinic_id = $1 and s.appointment_id = a.id
           where a.clinic_id = $1 and a.state = 'arrived'"#,
        clinic.0,
    );
    let seats = rows.fetch_all(connection).await?.into_iter().map(|row| {
        let (starts_at, arrived_at) = (row.starts_at.to_jiff(), row.arrived_at.to_jiff());
        let (practitioner, left, readiness) = (row.practitioner, row.left, row.readiness);
        (row.id, Seat { practitioner, arrived_at, left, readiness, starts_at })
    });
    Ok(Seats(seats.collect()))
}

/// Interpreters, rooms and devices of all visits that start within `[from, to)`, and perhaps of some beside. Few have any, so asking
/// for each of a thousand costs more.
pub(super) async fn resources_within(
    connection: &mut PgConnection,
    clinic: ClinicId,
    (from, to): (Timestamp, Timestamp),
) -> Result<HashMap<AppointmentId, Vec<Arc<ResourceView>>>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select
               x.id as "id: ResourceId",
               x.kind as "kind: ResourceKind",
               x.name,
               x.languages,
               used.appointments as "appointments!: Vec<AppointmentId>"
           from (
               select resource_id, array_agg(appointment_id) as appointments
               from reservations
               where clinic_id = $1
                 and resource_kind in ('interpreter', 'room', 'device')
                 and starts_at >= $2
                 and starts_at < $3
                 and appointment_id is not null
               group by resource_id
           ) used
           join resources x on x.clinic_id = $1 and x.id = used.resource_id
           order by x.kind"#,
        clinic.0,
        from.checked_sub(LONGEST_BUFFER).unwrap_or(from).to_sqlx() as _,
        to.to_sqlx() as _,
    );
    let mut resources = HashMap::<_, Vec<_>>::new();
    for row in rows.fetch_all(connection).await? {
        let one = Arc::new(ResourceView { id: row.id, kind: row.kind, name: row.name, languages: row.languages });
        for appointment in row.appointments {
            resources.entry(appointment).or_default().push(Arc::clone(&one));
        }
    }
    Ok(resources)
}
