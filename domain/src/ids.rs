//! Distinct types for the ids of distinct things, so that one is never passed for another.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(feature = "sqlx", derive(sqlx::Type), sqlx(transparent))]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    )*};
}

ids! {
    /// The tenant: everything else belongs to one.
    ClinicId
    /// A person who signs in: receptionist, practitioner or administrator.
    AccountId
    /// A patient of one clinic.
    PatientId
    /// A practitioner of one clinic; the account that signs in as them is apart.
    PractitionerId
    /// The plan: a booked piece of a practitioner's time.
    AppointmentId
    /// The consultation as it happens.
    EncounterId
    /// The media meeting. Random, so that the relay learns nothing about the encounter behind it.
    RoomId
    /// One person's place in a room; it stays the same when the page is loaded again.
    ParticipantId
    /// One running media relay; a new one at every start.
    RelayId
    /// One message of the chat in a consultation.
    ChatMessageId
    /// What may be booked: a kind of visit with its length and rules.
    VisitTypeId
    /// A weekly rule of a practitioner's schedule.
    ScheduleRuleId
    /// Leave, a holiday or extra hours.
    ScheduleExceptionId
    /// An interpreter, a room or a device.
    ResourceId
    /// A time kept for somebody who is still filling in a form.
    HoldId
    /// Appointments that were booked together, by one recurrence.
    SeriesId
    /// A patient on the way to booking themselves.
    SelfBookingId
    /// Somebody who would come sooner.
    WaitlistEntryId
    /// A freed time, held for somebody on the waitlist.
    WaitlistOfferId
    /// What a program of the clinic calls the API with.
    ApiTokenId
    /// An address that is told what happens.
    WebhookId
}
