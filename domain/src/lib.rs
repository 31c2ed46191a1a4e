//! The words and rules of the house: ids, people, appointment, encounter, room, tokens and wire types.
//!
//! Nothing here does IO or is async; time and randomness are arguments ([`Clock`], [`Random`]).

mod actor;
pub mod appointment;
mod clock;
pub mod encounter;
mod ids;
mod join_token;
pub mod media;
mod random;
pub mod recurrence;
mod redacted;
pub mod relay;
pub mod signal;
mod waitlist;

pub use actor::{Actor, Role, Who};
pub use appointment::{AppointmentState, ArrivalWindow, Scope, Source};
pub use clock::Clock;
pub use encounter::EncounterState;
pub use ids::{
    AccountId, ApiTokenId, AppointmentId, ChatMessageId, ClinicId, EncounterId, HoldId, ParticipantId, PatientId,
    PractitionerId, RelayId, ResourceId, RoomId, ScheduleExceptionId, ScheduleRuleId, SelfBookingId, SeriesId,
    VisitTypeId, WaitlistEntryId, WaitlistOfferId, WebhookId,
};
pub use join_token::{JOIN_TOKEN_LIFETIME, JOIN_TOKEN_TYPE, JoinClaims};
pub use random::Random;
pub use recurrence::{Recurrence, RecurrenceError};
pub use redacted::Redacted;
pub use waitlist::WaitlistOfferState;

/// A state was asked to become one that does not follow from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{action} is not possible while {state}")]
pub struct InvalidTransition {
    /// What was attempted, as a verb of the clinic.
    pub action: &'static str,
    /// The state in which it was attempted.
    pub state: &'static str,
}
