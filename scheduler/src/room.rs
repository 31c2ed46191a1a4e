//! What signaling needs to know of a room: who belongs in it, and which placement is the newest.

use crate::tables;
use domain::{
    Actor, EncounterId, EncounterState, ParticipantId, Redacted,
    relay::{Connection, Epoch},
    signal::ParticipantRole,
};
use service::postgres::Db;

/// Somebody who belongs in the room.
#[derive(Debug, Clone)]
pub struct RoomParticipant {
    /// Who.
    pub participant: ParticipantId,
    /// What they are in the consultation.
    pub role: ParticipantRole,
    /// What the others' pages call them.
    pub name: Redacted<String>,
}

/// Everybody who belongs in the encounter's room.
pub async fn room_participants(
    db: &Db,
    by: &Actor,
    encounter: EncounterId,
) -> Result<Vec<RoomParticipant>, sqlx::Error> {
    tables::participants::of_encounter(&mut *db.begin(by).await?, by.clinic, encounter).await
}

/// Claims the next placement of the encounter's room: higher than every one before. `None` when it is not in progress.
pub async fn next_room_epoch(db: &Db, by: &Actor, encounter: EncounterId) -> Result<Option<Epoch>, sqlx::Error> {
    let mut tx = db.begin(by).await?;
    let epoch = tables::encounters::next_epoch(&mut tx, by.clinic, encounter).await?;
    tx.commit().await?;
    Ok(epoch)
}

/// Counts up the connections of somebody who is in the room and begins a new one there, without a token. `None` when the
/// encounter is not in progress.
pub async fn reconnect(
    db: &Db,
    by: &Actor,
    encounter: EncounterId,
    participant: ParticipantId,
) -> Result<Option<Connection>, sqlx::Error> {
    let mut tx = db.begin(by).await?;
    let open = tables::encounters::lock(&mut tx, by.clinic, encounter).await?;
    if open.is_none_or(|open| open.state != EncounterState::InProgress) {
        return Ok(None);
    }
    let connection = tables::participants::connect(&mut tx, by.clinic, participant).await?;
    tx.commit().await?;
    Ok(connection)
}
