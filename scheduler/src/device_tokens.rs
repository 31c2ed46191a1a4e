//! A program of the clinic lets a device into a consultation: a camera that sends, or a screen that receives.

use crate::{
    admit::is_theirs,
    join_tokens::{JoinToken, SigningKey, claims},
    tables::{self, participants::Person},
};
use domain::{
    Actor, AppointmentId, Clock, EncounterId, EncounterState, ParticipantId, Random, Role, Who, signal::ParticipantRole,
};
use service::{
    audit::{self, AuditEvent},
    postgres::Db,
};
use sqlx::PgConnection;

/// How many devices one consultation may have: a room holds five, and two of them are people.
pub const MAX_DEVICES: usize = 3;
/// The longest name of a device, in characters.
pub const MAX_DEVICE_NAME: usize = 60;

/// Why a device gets no token.
#[derive(Debug, thiserror::Error)]
pub enum DeviceTokenError {
    /// Not an appointment of this clinic, or not one that this program may see.
    #[error("there is no such appointment")]
    NotFound,
    /// The visit has not begun, or it has ended.
    #[error("the encounter is not in progress")]
    NotOpen,
    /// Not a name: empty, longer than [`MAX_DEVICE_NAME`], or with characters that are no text.
    #[error("the device's name is not usable")]
    BadName,
    /// As many devices as there may be are in this consultation.
    #[error("the consultation has {MAX_DEVICES} devices")]
    TooMany,
    /// Postgres failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Makes a join token for the device `name` in the consultation of an appointment. The same name is the same device.
///
/// # Errors
/// See [`DeviceTokenError`].
pub async fn mint_for_device(
    db: &Db,
    clock: &dyn Clock,
    random: &dyn Random,
    key: &SigningKey,
    by: &Actor,
    (appointment, name): (AppointmentId, &str),
) -> Result<JoinToken, DeviceTokenError> {
    let name = usable(name).ok_or(DeviceTokenError::BadName)?;
    let mut tx = db.begin(by).await?;
    let found = tables::appointments::lock(&mut tx, by.clinic, appointment).await?.ok_or(DeviceTokenError::NotFound)?;
    if !may_let_in(by) && !is_theirs(&mut tx, by, found.practitioner).await? {
        return Err(DeviceTokenError::NotFound);
    }
    let encounter = tables::encounters::of_appointment(&mut tx, by.clinic, appointment).await?;
    let (encounter, _) = encounter.ok_or(DeviceTokenError::NotOpen)?;
    let open = tables::encounters::lock(&mut tx, by.clinic, encounter).await?.ok_or(DeviceTokenError::NotFound)?;
    if open.state != EncounterState::InProgress {
        return Err(DeviceTokenError::NotOpen);
    }
    let participant = find_or_add(&mut tx, random, by, encounter, name).await?;
    let claims = claims(clock.now(), random.uuid(), by.clinic, &open, participant);
    let made = key.make(&mut tx, &claims).await?;
    let event = AuditEvent::new("join_token.made").encounter(encounter).appointment(appointment).patient(open.patient);
    let detail = serde_json::json!({ "role": ParticipantRole::Device, "participant": participant });
    audit::record(&mut tx, by, event.detail(detail)).await?;
    tx.commit().await?;
    Ok(made)
}

/// The desk's programs let devices into every consultation of the clinic; a practitioner's into their own.
fn may_let_in(by: &Actor) -> bool {
    matches!(by.who, Who::ApiToken { role, .. } if Role::may_run_the_desk(role))
}

fn usable(name: &str) -> Option<&str> {
    let name = name.trim();
    let length = name.chars().count();
    ((1..=MAX_DEVICE_NAME).contains(&length) && !name.chars().any(char::is_control)).then_some(name)
}

/// The encounter's row is locked, so nobody else adds a device to it now.
async fn find_or_add(
    connection: &mut PgConnection,
    random: &dyn Random,
    by: &Actor,
    encounter: EncounterId,
    name: &str,
) -> Result<ParticipantId, DeviceTokenError> {
    let all = tables::participants::of_encounter(connection, by.clinic, encounter).await?;
    let devices: Vec<_> = all.into_iter().filter(|one| one.role == ParticipantRole::Device).collect();
    if let Some(known) = devices.iter().find(|device| device.name.expose() == name) {
        return Ok(known.participant);
    }
    if devices.len() >= MAX_DEVICES {
        return Err(DeviceTokenError::TooMany);
    }
    let participant = ParticipantId(random.uuid());
    let device = Person::Device(name.to_owned());
    tables::participants::add(connection, by.clinic, participant, encounter, device).await?;
    Ok(participant)
}
