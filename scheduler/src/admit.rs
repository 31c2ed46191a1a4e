//! The practitioner lets a waiting patient in.

use crate::{
    events::{self, EventKind},
    tables,
    tables::{appointments::Locked, participants::Person},
};
use domain::{
    Actor, AppointmentId, Clock, EncounterId, EncounterState, ParticipantId, PractitionerId, Random, RoomId, Who,
};
use service::{
    audit::{self, AuditEvent},
    postgres::Db,
};
use sqlx::PgConnection;

/// Why a patient was not admitted.
#[derive(Debug, thiserror::Error)]
pub enum AdmitError {
    /// Not an appointment of this clinic.
    #[error("there is no such appointment")]
    NotFound,
    /// The appointment is another practitioner's.
    #[error("the appointment is another practitioner's")]
    NotYours,
    /// The patient has not arrived, or the visit is over.
    #[error("the patient does not wait")]
    NotWaiting,
    /// Postgres failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Lets a waiting patient into the consultation.
///
/// The appointment becomes fulfilled, the encounter begins with its two participants and the audit trail says so, or none
/// of it. Admitting again while the encounter runs gives the same encounter: a button is pressed twice.
pub async fn admit(
    db: &Db,
    clock: &dyn Clock,
    random: &dyn Random,
    by: &Actor,
    id: AppointmentId,
) -> Result<EncounterId, AdmitError> {
    let mut tx = db.begin(by).await?;
    let appointment = tables::appointments::lock(&mut tx, by.clinic, id).await?.ok_or(AdmitError::NotFound)?;
    if !is_theirs(&mut tx, by, appointment.practitioner).await? {
        return Err(AdmitError::NotYours);
    }
    if let Some((encounter, EncounterState::InProgress)) =
        tables::encounters::of_appointment(&mut tx, by.clinic, id).await?
    {
        return Ok(encounter);
    }
    let fulfilled = appointment.state.admit().map_err(|_| AdmitError::NotWaiting)?;
    tables::appointments::set_state(&mut tx, by.clinic, id, fulfilled, &tables::appointments::Outcome::default())
        .await?;
    let encounter = begin(&mut tx, clock, random, by, id, &appointment).await?;
    let event = AuditEvent::new("appointment.admitted").appointment(id).patient(appointment.patient);
    audit::record(&mut tx, by, event.encounter(encounter)).await?;
    events::record(&mut tx, by, EventKind::Admitted, id).await?;
    tx.commit().await?;
    Ok(encounter)
}

/// Begins the encounter, with a room that nobody can guess and its two participants.
async fn begin(
    connection: &mut PgConnection,
    clock: &dyn Clock,
    random: &dyn Random,
    by: &Actor,
    id: AppointmentId,
    appointment: &Locked,
) -> Result<EncounterId, sqlx::Error> {
    let encounter = EncounterId(random.uuid());
    let room = RoomId(random.uuid());
    tables::encounters::add(connection, by.clinic, encounter, id, room, clock.now()).await?;
    for person in [Person::Practitioner(appointment.practitioner), Person::Patient(appointment.patient)] {
        let participant = ParticipantId(random.uuid());
        tables::participants::add(connection, by.clinic, participant, encounter, person).await?;
    }
    Ok(encounter)
}

/// Whether `by` signs in as this practitioner, or is their program.
pub(crate) async fn is_theirs(
    connection: &mut PgConnection,
    by: &Actor,
    practitioner: PractitionerId,
) -> Result<bool, sqlx::Error> {
    let own = match by.who {
        Who::Account { id, .. } => tables::accounts::practitioner(connection, by.clinic, id).await?,
        Who::ApiToken { id, .. } => tables::api_tokens::practitioner(connection, by.clinic, id).await?,
        Who::Patient { .. } | Who::Service(_) => None,
    };
    Ok(own == Some(practitioner))
}
