//! The patient says that they will come.

use crate::{
    appointment::may_see,
    events::{self, EventKind},
    tables,
};
use domain::{Actor, AppointmentId, AppointmentState, Clock};
use service::{
    audit::{self, AuditEvent},
    postgres::{Db, commit_together},
};

/// Why a visit was not confirmed.
#[derive(Debug, thiserror::Error)]
pub enum ConfirmError {
    /// Not an appointment of this clinic, or not the patient's own.
    #[error("there is no such appointment")]
    NotFound,
    /// It was called off, missed, or has taken place.
    #[error("the appointment is over")]
    Over,
    /// Postgres failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Keeps that the patient will come, as they say or as the desk heard on the phone. Saying it again changes nothing.
pub async fn confirm(db: &Db, clock: &dyn Clock, by: &Actor, id: AppointmentId) -> Result<(), ConfirmError> {
    if !may_see(by, id) {
        return Err(ConfirmError::NotFound);
    }
    let mut tx = db.begin(by).await?;
    let appointment = tables::appointments::lock(&mut tx, by.clinic, id).await?.ok_or(ConfirmError::NotFound)?;
    if !matches!(appointment.state, AppointmentState::Booked | AppointmentState::Arrived) {
        return Err(ConfirmError::Over);
    }
    if tables::appointments::confirm(&mut tx, by.clinic, id, clock.now()).await? {
        let event = AuditEvent::new("appointment.confirmed").appointment(id).patient(appointment.patient);
        audit::record(&mut tx, by, event).await?;
        events::record(&mut tx, by, EventKind::Confirmed, id).await?;
    }
    commit_together(tx).await?;
    Ok(())
}
