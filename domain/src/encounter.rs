//! The encounter: one consultation as it happens.

use crate::InvalidTransition;
use serde::{Deserialize, Serialize};

/// Where an encounter stands (FHIR R4 EncounterStatus, the part of it that is in use).
///
/// The row is made when the patient is admitted, so it begins in progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "sqlx", derive(sqlx::Type), sqlx(type_name = "text", rename_all = "snake_case"))]
#[serde(rename_all = "snake_case")]
pub enum EncounterState {
    /// The people are, or may be, in the room.
    InProgress,
    /// The practitioner ended it.
    Finished,
}

impl EncounterState {
    /// The practitioner ends the consultation.
    pub const fn finish(self) -> Result<Self, InvalidTransition> {
        match self {
            Self::InProgress => Ok(Self::Finished),
            Self::Finished => Err(InvalidTransition { action: "finishing", state: self.as_str() }),
        }
    }

    /// The word used in the database and in the audit trail.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "in_progress",
            Self::Finished => "finished",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encounter_is_finished_once() {
        let finished = EncounterState::InProgress.finish().expect("a running encounter can be finished");
        assert!(finished.finish().is_err());
    }
}
