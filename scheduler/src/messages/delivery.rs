//! What became of messages, for the desk.

use super::{Channel, MessageKind, MessageState, Problem};
use crate::tables;
use domain::{Actor, AppointmentId, ClinicId, Who};
use jiff::{SignedDuration, Timestamp};
use service::postgres::Db;
use sqlx::PgConnection;

/// How far ahead the desk looks for patients who could not be reached.
const LOOKS_AHEAD: SignedDuration = SignedDuration::from_hours(7 * 24);

/// A message that waits for longer than this counts as not delivered.
const OVERDUE: SignedDuration = SignedDuration::from_mins(15);

/// A message about an appointment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivery {
    /// What it says.
    pub kind: MessageKind,
    /// Of a reminder: how long before the visit.
    pub ahead_minutes: i32,
    /// How it travels.
    pub channel: Channel,
    /// What became of it.
    pub state: MessageState,
    /// Why it was skipped or failed.
    pub problem: Option<Problem>,
    /// When it was settled, or is due, or is tried again.
    pub at: Timestamp,
    /// How often it was tried.
    pub attempts: i32,
}

/// Somebody who does not know of their visit, or of its end, from us.
pub(crate) struct Unreached {
    pub(crate) appointment: AppointmentId,
    /// What was not delivered; `None` for who has neither e-mail address nor phone number to send to.
    pub(crate) kind: Option<MessageKind>,
}

/// What the patient of an appointment was and will be told, in the order of time. What a change of time made pointless before it
/// was due is left out.
pub async fn deliveries(db: &Db, by: &Actor, id: AppointmentId) -> Result<Vec<Delivery>, sqlx::Error> {
    if matches!(by.who, Who::Patient { .. }) {
        return Ok(Vec::new());
    }
    tables::deliveries::of_appointment(&mut *db.begin(by).await?, by.clinic, id).await
}

/// Whom the desk should ring, since no message reached them: their visit is within a week, and the newest word about it failed on
/// every way, waits for a quarter of an hour, or had nowhere to go. In the order of their visits.
pub(crate) async fn unreached(
    connection: &mut PgConnection,
    clinic: ClinicId,
    now: Timestamp,
) -> Result<Vec<Unreached>, sqlx::Error> {
    tables::deliveries::unreached(connection, clinic, now, now + LOOKS_AHEAD, now - OVERDUE).await
}
