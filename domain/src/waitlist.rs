//! The waitlist's words.

use serde::{Deserialize, Serialize};

/// What became of a freed time that was offered to somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "sqlx", derive(sqlx::Type), sqlx(type_name = "text", rename_all = "snake_case"))]
#[serde(rename_all = "snake_case")]
pub enum WaitlistOfferState {
    /// The time is held.
    Open,
    /// It became an appointment.
    Accepted,
    /// The patient does not want it.
    Declined,
    /// There was no answer in time.
    Expired,
    /// The patient was taken off the waitlist.
    Withdrawn,
}
