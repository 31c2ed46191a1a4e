//! The receptionist sends the patient their link.

use crate::{messages, tables};
use domain::{Actor, AppointmentId, AppointmentState, Clock, Who};
use service::{
    audit::{self, AuditEvent},
    postgres::Db,
};

/// Why no link was sent.
#[derive(Debug, thiserror::Error)]
pub enum SendLinkError {
    /// Not an appointment of this clinic.
    #[error("there is no such appointment")]
    NotFound,
    /// The patient has neither an e-mail address nor a phone number.
    #[error("the patient has no address to send it to")]
    NoAddress,
    /// The appointment is over or cancelled.
    #[error("the appointment is over")]
    Over,
    /// Postgres failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Plans a message with the visit link, now; the scheduler sends it. May be done again: each time is a message of its own.
pub async fn send_link(db: &Db, clock: &dyn Clock, by: &Actor, id: AppointmentId) -> Result<(), SendLinkError> {
    if matches!(by.who, Who::Patient { .. }) {
        return Err(SendLinkError::NotFound);
    }
    let mut tx = db.begin(by).await?;
    let view = tables::views::find(&mut tx, by.clinic, id).await?.ok_or(SendLinkError::NotFound)?;
    if !matches!(view.state, AppointmentState::Booked | AppointmentState::Arrived) {
        return Err(SendLinkError::Over);
    }
    if view.patient.email.is_none() && view.patient.phone.is_none() {
        return Err(SendLinkError::NoAddress);
    }
    messages::plan_link(&mut tx, by.clinic, clock.now(), id, &view.patient).await?;
    let event = AuditEvent::new("visit_link.sent").appointment(id).patient(view.patient.id);
    audit::record(&mut tx, by, event).await?;
    tx.commit().await?;
    Ok(())
}
