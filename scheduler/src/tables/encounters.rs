//! `encounters`.

use domain::{AppointmentId, ClinicId, EncounterId, EncounterState, PatientId, PractitionerId, RoomId, relay::Epoch};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use service::postgres::one_row;
use sqlx::PgConnection;

/// An encounter with the people of its appointment.
pub(crate) struct Encounter {
    pub(crate) id: EncounterId,
    pub(crate) state: EncounterState,
    pub(crate) room: RoomId,
    pub(crate) appointment: AppointmentId,
    pub(crate) practitioner: PractitionerId,
    pub(crate) patient: PatientId,
}

/// Begins the encounter of an appointment.
pub(crate) async fn add(
    connection: &mut PgConnection,
    clinic: ClinicId,
    id: EncounterId,
    appointment: AppointmentId,
    room: RoomId,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into encounters (clinic_id, id, appointment_id, state, started_at, room_id)
         values ($1, $2, $3, $4, $5, $6)",
        clinic.0,
        id.0,
        appointment.0,
        EncounterState::InProgress.as_str(),
        now.to_sqlx() as _,
        room.0,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Finds an encounter and locks its row: finishing waits for who is entering, and the other way round.
pub(crate) async fn lock(
    connection: &mut PgConnection,
    clinic: ClinicId,
    id: EncounterId,
) -> Result<Option<Encounter>, sqlx::Error> {
    sqlx::query_as!(
        Encounter,
        r#"select
               e.id as "id: EncounterId",
               e.state as "state: EncounterState",
               e.room_id as "room: RoomId",
               a.id as "appointment: AppointmentId",
               a.practitioner_id as "practitioner: PractitionerId",
               a.patient_id as "patient: PatientId"
           from encounters e
           join appointments a on a.clinic_id = e.clinic_id and a.id = e.appointment_id
           where e.clinic_id = $1 and e.id = $2
           for update of e"#,
        clinic.0,
        id.0,
    )
    .fetch_optional(connection)
    .await
}

/// The encounter of an appointment.
pub(crate) async fn of_appointment(
    connection: &mut PgConnection,
    clinic: ClinicId,
    appointment: AppointmentId,
) -> Result<Option<(EncounterId, EncounterState)>, sqlx::Error> {
    let row = sqlx::query!(
        r#"select id as "id: EncounterId", state as "state: EncounterState"
           from encounters
           where clinic_id = $1 and appointment_id = $2"#,
        clinic.0,
        appointment.0,
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| (row.id, row.state)))
}

/// Writes that the encounter is finished.
pub(crate) async fn finish(
    connection: &mut PgConnection,
    clinic: ClinicId,
    id: EncounterId,
    state: EncounterState,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let result = sqlx::query!(
        "update encounters
         set state = $3, finished_at = $4
         where clinic_id = $1 and id = $2",
        clinic.0,
        id.0,
        state.as_str(),
        now.to_sqlx() as _,
    )
    .execute(connection)
    .await?;
    one_row(&result)
}

/// Counts the placements of a running encounter's room up by one.
pub(crate) async fn next_epoch(
    connection: &mut PgConnection,
    clinic: ClinicId,
    id: EncounterId,
) -> Result<Option<Epoch>, sqlx::Error> {
    let epoch = sqlx::query_scalar!(
        "update encounters
         set room_epoch = room_epoch + 1
         where clinic_id = $1 and id = $2 and state = 'in_progress'
         returning room_epoch",
        clinic.0,
        id.0,
    )
    .fetch_optional(connection)
    .await?;
    Ok(epoch.map(Epoch))
}
