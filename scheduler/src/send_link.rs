//! The receptionist sends the patient their link.

use crate::{
    tables,
    views::{AppointmentView, ClinicView},
};
use domain::{Actor, AppointmentId, AppointmentState, Clock, Random, Redacted, Who};
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
    /// The patient has no e-mail address.
    #[error("the patient has no e-mail address")]
    NoAddress,
    /// The appointment is over or cancelled.
    #[error("the appointment is over")]
    Over,
    /// Postgres failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Puts a mail with `url`, the whole visit link, into the outbox; the scheduler sends it.
pub async fn send_link(
    db: &Db,
    clock: &dyn Clock,
    random: &dyn Random,
    by: &Actor,
    id: AppointmentId,
    url: &Redacted<String>,
) -> Result<(), SendLinkError> {
    let mut tx = db.begin(by).await?;
    let view = tables::views::find(&mut tx, by.clinic, id).await?.ok_or(SendLinkError::NotFound)?;
    if matches!(by.who, Who::Patient { .. }) {
        return Err(SendLinkError::NotFound);
    }
    if !matches!(view.state, AppointmentState::Booked | AppointmentState::Arrived) {
        return Err(SendLinkError::Over);
    }
    let recipient = view.patient.email.clone().ok_or(SendLinkError::NoAddress)?;
    let clinic = tables::clinics::get(&mut tx, by.clinic).await?;
    let letter = tables::outbox::Letter {
        id: random.uuid(),
        appointment: id,
        recipient,
        subject: format!("Your video visit with {}", clinic.name),
        body: body(&view, &clinic, url.expose()),
        attempts: 0,
    };
    tables::outbox::add(&mut tx, by.clinic, &letter, clock.now()).await?;
    let event = AuditEvent::new("visit_link.sent").appointment(id).patient(view.patient.id);
    audit::record(&mut tx, by, event).await?;
    tx.commit().await?;
    Ok(())
}

/// What the mail says: when, and where to press. For whom and what about is told on the page, not on the way.
fn body(view: &AppointmentView, clinic: &ClinicView, url: &str) -> String {
    let at = view.starts_at.to_zoned(clinic.zone.clone()).strftime("%A %-d %B %Y at %H:%M").to_string();
    format!(
        "Hello,\n\n\
         you have a video visit with {name} on {at}.\n\n\
         When it is time, open this link on a phone or computer with a camera and microphone:\n\n\
         {url}\n\n\
         The link is for you only. Please do not pass it on.\n\n\
         If you cannot come, call us: {phone}\n\n\
         {name}\n",
        name = clinic.name,
        phone = clinic.phone,
    )
}
