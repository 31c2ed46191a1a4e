//! What signaling needs to know of a room: who belongs in it, and which placement is the newest.

use crate::tables;
use domain::{Actor, EncounterId, ParticipantId, Redacted, relay::Epoch, signal::ParticipantRole};
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
