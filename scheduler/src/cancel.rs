//! The receptionist calls an appointment off.

use crate::{tables, tables::appointments::Outcome};
use domain::{Actor, AppointmentId, InvalidTransition, Who};
use service::{
    audit::{self, AuditEvent},
    postgres::Db,
};

/// The longest reason kept, in characters.
pub const MAX_REASON_CHARS: usize = 500;

/// Why an appointment could not be cancelled.
#[derive(Debug, thiserror::Error)]
pub enum CancelError {
    /// Not an appointment of this clinic.
    #[error("there is no such appointment")]
    NotFound,
    /// It is over, or cancelled already.
    #[error(transparent)]
    NotPossible(#[from] InvalidTransition),
    /// The reason is blank or longer than [`MAX_REASON_CHARS`].
    #[error("a reason is needed, of at most 500 characters")]
    ReasonMissing,
    /// Postgres failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Cancels an appointment: its time is free again.
pub async fn cancel(db: &Db, by: &Actor, id: AppointmentId, reason: &str) -> Result<(), CancelError> {
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > MAX_REASON_CHARS {
        return Err(CancelError::ReasonMissing);
    }
    if matches!(by.who, Who::Patient { .. }) {
        return Err(CancelError::NotFound);
    }
    let mut tx = db.begin(by).await?;
    let appointment = tables::appointments::lock(&mut tx, by.clinic, id).await?.ok_or(CancelError::NotFound)?;
    let cancelled = appointment.state.cancel()?;
    let outcome = Outcome { cancel_reason: Some(reason), cancelled_by: Some("clinic"), ..Outcome::default() };
    tables::appointments::set_state(&mut tx, by.clinic, id, cancelled, &outcome).await?;
    tables::reservations::release(&mut tx, by.clinic, id).await?;
    // The reason is free text and may name somebody: it stays with the appointment.
    let event = AuditEvent::new("appointment.cancelled").appointment(id).patient(appointment.patient);
    audit::record(&mut tx, by, event).await?;
    tx.commit().await?;
    Ok(())
}
