//! What a handler takes as an argument instead of looking for it: who is signed in, which id, which nonce.

mod id;
mod nonce;
mod peer;
mod public_clinic;
mod staff;
mod visit_patient;

pub use id::Id;
pub use nonce::Nonce;
pub use peer::{PeerAddress, household};
pub use public_clinic::PublicClinic;
pub use staff::{Administrator, Practitioner, Receptionist, STAFF_COOKIE, SignedIn};
pub use visit_patient::{VisitPatient, visit_cookie};
