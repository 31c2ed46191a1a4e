//! Who was where, and when: kept while it happens, shown on the appointment's page, and what a missed visit is decided from.

use crate::tables;
use domain::{Actor, AppointmentId, Clock, EncounterId, ParticipantId, Who};
use jiff::Timestamp;
use service::postgres::Db;

/// Somebody of a visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Present {
    /// The patient.
    Patient,
    /// The practitioner.
    Practitioner,
}

/// Where somebody was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Place {
    /// The waiting room.
    WaitingRoom,
    /// The consultation.
    Consultation,
}

/// An interval in which somebody was somewhere without being away for two minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Presence {
    /// Who.
    pub who: Present,
    /// Where.
    pub place: Place,
    /// When they were first seen.
    pub began_at: Timestamp,
    /// When they were last seen.
    pub last_seen_at: Timestamp,
}

/// Who was where during a visit, in the order in which it began. For those who work here.
pub async fn presences(db: &Db, by: &Actor, id: AppointmentId) -> Result<Vec<Presence>, sqlx::Error> {
    if matches!(by.who, Who::Patient { .. }) {
        return Ok(Vec::new());
    }
    tables::presences::of_appointment(&mut *db.begin(by).await?, by.clinic, id).await
}

/// These participants are connected to the consultation. Signaling says so when they enter, every half minute, and when they go.
pub async fn in_consultation(
    db: &Db,
    clock: &dyn Clock,
    by: &Actor,
    encounter: EncounterId,
    participants: &[ParticipantId],
) -> Result<(), sqlx::Error> {
    if !matches!(by.who, Who::Service(_)) || participants.is_empty() {
        return Ok(());
    }
    let mut tx = db.begin(by).await?;
    let now = clock.now();
    for (appointment, who) in tables::presences::of_participants(&mut tx, by.clinic, encounter, participants).await? {
        tables::presences::seen(&mut tx, by.clinic, appointment, (who, Place::Consultation), now).await?;
    }
    tx.commit().await
}
