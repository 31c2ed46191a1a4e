//! The read model of an appointment: the tables of a visit joined, and what many visits have in common added.

use crate::{
    tables::{clinics, practitioners},
    views::{
        Absent, AppointmentView, EncounterView, PatientView, PractitionerView, Readiness, ResourceKind, ResourceView,
        VisitTypeName, Visits,
    },
};
use domain::{
    AppointmentId, AppointmentState, ArrivalWindow, ClinicId, EncounterId, EncounterState, PatientId, PractitionerId,
    ResourceId, RoomId, SeriesId, Source, VisitTypeId,
};
use jiff::{SignedDuration, Timestamp, civil::Date};
use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;
use std::collections::{HashMap, HashSet};

/// One appointment with everything around it.
pub(crate) async fn find(
    connection: &mut PgConnection,
    clinic: ClinicId,
    id: AppointmentId,
) -> Result<Option<AppointmentView>, sqlx::Error> {
    let which = Which { ids: &[id], ..Which::default() };
    let rows = select(connection, clinic, &which).await?;
    Ok(rows.into_iter().next())
}

/// The appointments that start within `[from, to)`, of these practitioners or, without any, of all; in order.
pub(crate) async fn between(
    connection: &mut PgConnection,
    clinic: ClinicId,
    from: Timestamp,
    to: Timestamp,
    practitioners: &[PractitionerId],
) -> Result<Vec<AppointmentView>, sqlx::Error> {
    select(connection, clinic, &Which { from, to, practitioners, ..Which::default() }).await
}

/// How many visits practitioners have on each day of the clinic, and how long they are together; without those called off.
pub(crate) async fn by_day(
    connection: &mut PgConnection,
    clinic: ClinicId,
    (from, to): (Timestamp, Timestamp),
    zone: &str,
    practitioners: &[PractitionerId],
) -> Result<HashMap<(PractitionerId, Date), Visits>, sqlx::Error> {
    let practitioners: Vec<_> = practitioners.iter().map(|id| id.0).collect();
    let rows = sqlx::query!(
        r#"select
               practitioner_id as "practitioner: PractitionerId",
               (starts_at at time zone $4)::date as "date!: jiff_sqlx::Date",
               count(*) as "count!",
               sum(extract(epoch from ends_at - starts_at))::bigint as "seconds!"
           from appointments
           where clinic_id = $1
             and starts_at >= $2
             and starts_at < $3
             and practitioner_id = any ($5)
             and state <> 'cancelled'
           group by 1, 2"#,
        clinic.0,
        from.to_sqlx() as _,
        to.to_sqlx() as _,
        zone,
        &practitioners,
    )
    .fetch_all(connection)
    .await?;
    let visits = rows.into_iter().map(|row| {
        let visits =
            Visits { count: usize::try_from(row.count).unwrap_or(0), together: SignedDuration::from_secs(row.seconds) };
        ((row.practitioner, row.date.to_jiff()), visits)
    });
    Ok(visits.collect())
}

/// The appointments of a patient that start from `from` on, in order.
pub(crate) async fn of_patient(
    connection: &mut PgConnection,
    clinic: ClinicId,
    patient: PatientId,
    from: Timestamp,
) -> Result<Vec<AppointmentView>, sqlx::Error> {
    select(connection, clinic, &Which { patient: Some(patient), from, ..Which::default() }).await
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
    select(connection, clinic, &Which { ids, ..Which::default() }).await
}

/// Which appointments are asked for; what is left out is no condition.
struct Which<'a> {
    ids: &'a [AppointmentId],
    patient: Option<PatientId>,
    from: Timestamp,
    to: Timestamp,
    practitioners: &'a [PractitionerId],
}

impl Default for Which<'_> {
    fn default() -> Self {
        Self { ids: &[], patient: None, from: Timestamp::MIN, to: Timestamp::MAX, practitioners: &[] }
    }
}

/// The most appointments one answer holds: a large clinic's day several times over.
const MAX_ROWS: i64 = 2_000;

struct Row {
    id: AppointmentId,
    state: AppointmentState,
    starts_at: jiff_sqlx::Timestamp,
    ends_at: jiff_sqlx::Timestamp,
    link_version: i16,
    cancel_reason: Option<String>,
    patient_id: PatientId,
    patient_name: String,
    birth_date: jiff_sqlx::Date,
    phone: Option<String>,
    email: Option<String>,
    practitioner_id: PractitionerId,
    arrived_at: Option<jiff_sqlx::Timestamp>,
    last_seen_at: Option<jiff_sqlx::Timestamp>,
    left: bool,
    readiness: Option<Readiness>,
    ahead: i64,
    encounter_id: Option<EncounterId>,
    encounter_state: Option<EncounterState>,
    started_at: Option<jiff_sqlx::Timestamp>,
    finished_at: Option<jiff_sqlx::Timestamp>,
    room_id: Option<RoomId>,
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

async fn select(
    connection: &mut PgConnection,
    clinic: ClinicId,
    which: &Which<'_>,
) -> Result<Vec<AppointmentView>, sqlx::Error> {
    let ids: Vec<_> = which.ids.iter().map(|id| id.0).collect();
    let practitioners: Vec<_> = which.practitioners.iter().map(|id| id.0).collect();
    let rows = sqlx::query_file_as!(
        Row,
        "src/tables/views.sql",
        clinic.0,
        &ids,
        bound(which.from) as _,
        bound(which.to) as _,
        &practitioners,
        MAX_ROWS,
        which.patient.map(|id| id.0),
    )
    .fetch_all(&mut *connection)
    .await?;
    let around = Around::of(connection, clinic, &rows).await?;
    let mut views: Vec<_> = rows.into_iter().map(|row| around.view(row)).collect();
    let family_name =
        |view: &AppointmentView| around.practitioners.get(&view.practitioner.id).map(|one| &one.family_name);
    views.sort_by(|a, b| (a.starts_at, family_name(a), a.id).cmp(&(b.starts_at, family_name(b), b.id)));
    Ok(views)
}

/// The ends of time are beyond what Postgres can hold, and mean no bound.
fn bound(at: Timestamp) -> Option<jiff_sqlx::Timestamp> {
    (at != Timestamp::MIN && at != Timestamp::MAX).then(|| at.to_sqlx())
}

/// What many appointments have in common, read once: joined to each row it would be sent, and planned for, each time.
#[derive(Default)]
struct Around {
    early: SignedDuration,
    late: SignedDuration,
    practitioners: HashMap<PractitionerId, Named>,
    visit_types: HashMap<VisitTypeId, String>,
    /// Interpreter, room and device of those that have any.
    resources: HashMap<AppointmentId, Vec<ResourceView>>,
}

struct Named {
    family_name: String,
    view: PractitionerView,
}

async fn practitioners(
    connection: &mut PgConnection,
    clinic: ClinicId,
    rows: &[Row],
) -> Result<HashMap<PractitionerId, Named>, sqlx::Error> {
    let ids: HashSet<_> = rows.iter().map(|row| row.practitioner_id.0).collect();
    let rows = sqlx::query!(
        r#"select id as "id: PractitionerId", title, given_name, family_name, speciality
           from practitioners
           where clinic_id = $1 and id = any ($2)"#,
        clinic.0,
        &Vec::from_iter(ids),
    )
    .fetch_all(connection)
    .await?;
    let named = rows.into_iter().map(|row| {
        let view = practitioners::view(row.id, &row.title, &row.given_name, &row.family_name, row.speciality);
        (row.id, Named { family_name: row.family_name, view })
    });
    Ok(named.collect())
}

async fn visit_types(
    connection: &mut PgConnection,
    clinic: ClinicId,
    rows: &[Row],
) -> Result<HashMap<VisitTypeId, String>, sqlx::Error> {
    let ids: HashSet<_> = rows.iter().map(|row| row.visit_type_id.0).collect();
    let rows = sqlx::query!(
        r#"select id as "id: VisitTypeId", name from visit_types where clinic_id = $1 and id = any ($2)"#,
        clinic.0,
        &Vec::from_iter(ids),
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
}

async fn resources(
    connection: &mut PgConnection,
    clinic: ClinicId,
    rows: &[Row],
) -> Result<HashMap<AppointmentId, Vec<ResourceView>>, sqlx::Error> {
    let ids: Vec<_> = rows.iter().map(|row| row.id.0).collect();
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
             and r.appointment_id = any ($2)
             and r.resource_kind in ('interpreter', 'room', 'device')
           order by x.kind"#,
        clinic.0,
        &ids,
    )
    .fetch_all(connection)
    .await?;
    let mut resources = HashMap::<_, Vec<_>>::new();
    for row in rows {
        let view = ResourceView { id: row.id, kind: row.kind, name: row.name, languages: row.languages };
        resources.entry(row.appointment).or_default().push(view);
    }
    Ok(resources)
}

impl Around {
    async fn of(connection: &mut PgConnection, clinic: ClinicId, rows: &[Row]) -> Result<Self, sqlx::Error> {
        if rows.is_empty() {
            return Ok(Self::default());
        }
        let view = clinics::get(connection, clinic).await?;
        let practitioners = practitioners(connection, clinic, rows).await?;
        let visit_types = visit_types(connection, clinic, rows).await?;
        let resources = resources(connection, clinic, rows).await?;
        Ok(Self { early: view.early, late: view.late, practitioners, visit_types, resources })
    }

    fn view(&self, row: Row) -> AppointmentView {
        let (starts_at, ends_at) = (row.starts_at.to_jiff(), row.ends_at.to_jiff());
        let practitioner = self.practitioners.get(&row.practitioner_id).expect("an appointment has a practitioner");
        let visit_type = self.visit_types.get(&row.visit_type_id).expect("an appointment has a type");
        AppointmentView {
            id: row.id,
            state: row.state,
            starts_at,
            ends_at,
            window: ArrivalWindow::new(starts_at, ends_at, self.early, self.late),
            practitioner: practitioner.view.clone(),
            link_version: row.link_version,
            arrived_at: row.arrived_at.map(jiff_sqlx::Timestamp::to_jiff),
            last_seen_at: row.last_seen_at.map(jiff_sqlx::Timestamp::to_jiff),
            left: row.left,
            readiness: row.readiness.unwrap_or_default(),
            ahead: usize::try_from(row.ahead).unwrap_or(0),
            encounter: row.encounter_id.map(|id| EncounterView {
                id,
                state: row.encounter_state.expect("an encounter has a state"),
                started_at: row.started_at.expect("an encounter has a start").to_jiff(),
                finished_at: row.finished_at.map(jiff_sqlx::Timestamp::to_jiff),
                room: row.room_id.expect("an encounter has a room"),
            }),
            cancel_reason: row.cancel_reason,
            visit_type: VisitTypeName { id: row.visit_type_id, name: visit_type.clone() },
            lane: row.lane,
            overbook_reason: row.overbook_reason,
            overbooked_by: row.overbooked_by,
            series: row.series_id,
            sequence: row.sequence,
            version: row.version,
            confirmed_at: row.confirmed_at.map(jiff_sqlx::Timestamp::to_jiff),
            source: row.source,
            absent: row.absent,
            outcome_reason: row.outcome_reason,
            reschedule_reason: row.reschedule_reason,
            resources: self.resources.get(&row.id).cloned().unwrap_or_default(),
            patient: PatientView {
                id: row.patient_id,
                name: row.patient_name,
                birth_date: row.birth_date.to_jiff(),
                phone: row.phone,
                email: row.email,
            },
        }
    }
}
