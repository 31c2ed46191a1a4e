//! What programs are told: that something happened to an appointment or on the waitlist, in the order in which it was committed.
//!
//! Events hold ids, states and times, no names and no texts. Who keeps the number of the last one read misses nothing.

use crate::tables;
use domain::{Actor, AppointmentId, PractitionerId, Role, WaitlistEntryId, WaitlistOfferId, Who};
use jiff::{SignedDuration, Timestamp};
use service::postgres::Db;
use sqlx::PgConnection;

/// How long events are kept for whoever reads them again.
pub const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// A time was booked.
    Booked,
    /// It got another time or practitioner.
    Rescheduled,
    /// It was called off.
    Cancelled,
    /// The patient said that they will come.
    Confirmed,
    /// The patient is here.
    Arrived,
    /// The consultation began.
    Admitted,
    /// The consultation ended.
    Finished,
    /// Its time passed, and somebody was not there.
    Missed,
    /// What was marked as missed, or who was absent, was corrected by a person.
    Corrected,
    /// Somebody waits for a time to come free.
    WaitlistAdded,
    /// They wait no longer.
    WaitlistWithdrawn,
    /// A time has come free and is held for them.
    WaitlistOffered,
    /// They took it: it is booked.
    WaitlistAccepted,
    /// They let it go, and wait on.
    WaitlistDeclined,
    /// They did not answer in time, and wait on.
    WaitlistExpired,
}

impl EventKind {
    /// The word in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Booked => "appointment.booked",
            Self::Rescheduled => "appointment.rescheduled",
            Self::Cancelled => "appointment.cancelled",
            Self::Confirmed => "appointment.confirmed",
            Self::Arrived => "appointment.arrived",
            Self::Admitted => "appointment.admitted",
            Self::Finished => "appointment.finished",
            Self::Missed => "appointment.missed",
            Self::Corrected => "appointment.corrected",
            Self::WaitlistAdded => "waitlist.added",
            Self::WaitlistWithdrawn => "waitlist.withdrawn",
            Self::WaitlistOffered => "waitlist.offered",
            Self::WaitlistAccepted => "waitlist.accepted",
            Self::WaitlistDeclined => "waitlist.declined",
            Self::WaitlistExpired => "waitlist.expired",
        }
    }
}

/// One event.
#[derive(Debug, Clone, PartialEq)]
pub struct EventView {
    /// Grows from event to event of a clinic, with gaps.
    pub number: i64,
    /// `appointment.booked`, …
    pub kind: String,
    /// When, by the database's clock.
    pub occurred_at: Timestamp,
    /// What it is about as it was then, an appointment or who waits for one: ids, state, times and version.
    pub data: serde_json::Value,
}

impl EventView {
    /// The event as programs read it, from the API and by webhook alike.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "number": self.number,
            "type": self.kind,
            "timestamp": self.occurred_at,
            "data": self.data,
        })
    }
}

/// Notes an event about an appointment as it is now in this transaction, to be told to every webhook of the clinic.
///
/// Call it after `audit::record`: the commit writes both in the order in which they were noted, and the end of the chain of
/// history, which comes first, keeps the numbers in the order of the commits.
pub(crate) async fn record(
    connection: &mut PgConnection,
    by: &Actor,
    kind: EventKind,
    appointment: AppointmentId,
) -> Result<(), sqlx::Error> {
    tables::events::note(connection, by.clinic, kind.as_str(), appointment).await
}

/// The same about who waits, and what they were offered.
pub(crate) async fn record_waitlist(
    connection: &mut PgConnection,
    by: &Actor,
    kind: EventKind,
    entry: WaitlistEntryId,
    offer: Option<WaitlistOfferId>,
) -> Result<(), sqlx::Error> {
    tables::events::note_waitlist(connection, by.clinic, kind.as_str(), entry, offer).await
}

/// At most `limit` events of the clinic after number `after`, in order. A practitioner's program is told of their own.
pub async fn events(
    db: &Db,
    by: &Actor,
    own: Option<PractitionerId>,
    after: i64,
    limit: i64,
) -> Result<Vec<EventView>, sqlx::Error> {
    let may_read = match by.who.role() {
        Some(Role::Receptionist | Role::Administrator) => true,
        Some(Role::Practitioner) => own.is_some(),
        None => matches!(by.who, Who::Service(_)),
    };
    if !may_read {
        return Ok(Vec::new());
    }
    tables::events::after(&mut *db.begin(by).await?, by.clinic, own, after, limit).await
}
