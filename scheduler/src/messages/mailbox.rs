//! The mailbox of the demo: what would have been sent.

use super::{CalendarFile, Channel};
use crate::tables;
use domain::{Actor, AppointmentId, Who};
use jiff::Timestamp;
use service::postgres::Db;
use uuid::Uuid;

/// A message in the demo's mailbox.
#[derive(Clone)]
pub struct Mail {
    /// Which.
    pub id: Uuid,
    /// How it would have travelled.
    pub channel: Channel,
    /// The appointment it is about, when there is one yet.
    pub appointment: Option<AppointmentId>,
    /// The address or number.
    pub recipient: String,
    /// The subject; empty for a text message.
    pub subject: String,
    /// Plain text.
    pub body: String,
    /// The same as HTML; e-mail only.
    pub html: Option<String>,
    /// The `.ics` files with it, one a visit.
    pub invitations: Vec<CalendarFile>,
    /// When it landed.
    pub delivered_at: Timestamp,
}

/// The demo's mailbox of this clinic, newest first, at most 100.
pub async fn mailbox(db: &Db, by: &Actor) -> Result<Vec<Mail>, sqlx::Error> {
    if matches!(by.who, Who::Patient { .. }) {
        return Ok(Vec::new());
    }
    tables::mailbox::list(&mut *db.begin(by).await?, by.clinic, None).await
}

/// One message of the mailbox.
pub async fn mailed(db: &Db, by: &Actor, id: Uuid) -> Result<Option<Mail>, sqlx::Error> {
    if matches!(by.who, Who::Patient { .. }) {
        return Ok(None);
    }
    Ok(tables::mailbox::list(&mut *db.begin(by).await?, by.clinic, Some(id)).await?.pop())
}
