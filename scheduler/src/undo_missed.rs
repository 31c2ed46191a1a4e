//! The desk knows better than the passing of time: a visit that was marked as missed was not.

use crate::{
    cancel::reason,
    events::{self, EventKind},
    tables,
    tables::appointments::Outcome,
};
use domain::{Actor, AppointmentId, InvalidTransition, Who};
use service::{
    audit::{self, AuditEvent},
    postgres::{Db, refused_by},
};

/// Why the mark stays.
#[derive(Debug, thiserror::Error)]
pub enum UndoMissedError {
    /// Not an appointment of this clinic.
    #[error("there is no such appointment")]
    NotFound,
    /// It is not marked as missed.
    #[error(transparent)]
    NotPossible(#[from] InvalidTransition),
    /// The reason is blank or longer than [`MAX_REASON_CHARS`](crate::cancel::MAX_REASON_CHARS).
    #[error("a reason is needed, of at most 500 characters")]
    ReasonMissing,
    /// Somebody else has the time by now.
    #[error("the time has been given to somebody else")]
    TimeTaken,
    /// Postgres failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Takes the mark off, with a reason: the visit stands as it did before, arrived or booked, and its time is its own again. From then on a
/// person has decided, and the passing of time no longer does.
pub async fn undo_missed(db: &Db, by: &Actor, id: AppointmentId, why: &str) -> Result<(), UndoMissedError> {
    let why = reason(why).ok_or(UndoMissedError::ReasonMissing)?;
    if matches!(by.who, Who::Patient { .. } | Who::Service(_)) {
        return Err(UndoMissedError::NotFound);
    }
    let mut tx = db.begin(by).await?;
    let appointment = tables::appointments::lock(&mut tx, by.clinic, id).await?.ok_or(UndoMissedError::NotFound)?;
    let has_arrived = tables::seats::is_taken(&mut tx, by.clinic, id).await?;
    let state = appointment.state.undo_miss(has_arrived)?;
    tables::appointments::set_state(&mut tx, by.clinic, id, state, &Outcome::default()).await?;
    tables::appointments::set_outcome_reason(&mut tx, by.clinic, id, why).await?;
    tables::reservations::take_back(&mut tx, by.clinic, id).await.map_err(taken)?;
    let event = AuditEvent::new("appointment.miss_undone").appointment(id).patient(appointment.patient);
    audit::record(&mut tx, by, event).await?;
    events::record(&mut tx, by, EventKind::Corrected, id).await?;
    tx.commit().await?;
    Ok(())
}

/// Says in the desk's words what the exclusion constraint refused.
fn taken(error: sqlx::Error) -> UndoMissedError {
    match refused_by(&error) {
        Some(tables::reservations::NO_OVERLAP) => UndoMissedError::TimeTaken,
        _ => error.into(),
    }
}
