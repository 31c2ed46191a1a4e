//! On whose behalf something happens. Every transaction has one.

use crate::{AccountId, ApiTokenId, AppointmentId, ClinicId, PatientId};
use serde::{Deserialize, Serialize};

/// Somebody who acts within one clinic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The clinic whose rows may be seen and changed.
    pub clinic: ClinicId,
    /// Who acts.
    pub who: Who,
}

/// Who acts, as the audit trail names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// Somebody who signed in.
    Account {
        /// Their account.
        id: AccountId,
        /// What they are in the clinic.
        role: Role,
    },
    /// A patient who came by the link of one appointment, and may act on that one only.
    Patient {
        /// The patient.
        id: PatientId,
        /// The appointment whose link was used.
        appointment: AppointmentId,
    },
    /// A program of the clinic, by its token.
    ApiToken {
        /// The token.
        id: ApiTokenId,
        /// What it may do: as much as a person of this role.
        role: Role,
    },
    /// One of our own services, by name.
    Service(&'static str),
}

impl Who {
    /// What those who sign in, and programs, are in the clinic; `None` for patients and our own services.
    pub const fn role(&self) -> Option<Role> {
        match self {
            Self::Account { role, .. } | Self::ApiToken { role, .. } => Some(*role),
            Self::Patient { .. } | Self::Service(_) => None,
        }
    }
}

/// What somebody who signs in is in the clinic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "sqlx", derive(sqlx::Type), sqlx(type_name = "text", rename_all = "snake_case"))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Books, cancels, finds patients.
    Receptionist,
    /// Admits and sees patients.
    Practitioner,
    /// Does what a receptionist does, and reads the history.
    Administrator,
}

impl Role {
    /// May book, cancel and look patients up.
    pub const fn may_run_the_desk(self) -> bool {
        matches!(self, Self::Receptionist | Self::Administrator)
    }

    /// The word used in the audit trail and in URLs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Receptionist => "receptionist",
            Self::Practitioner => "practitioner",
            Self::Administrator => "administrator",
        }
    }
}
