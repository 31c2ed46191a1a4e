//! What a handler takes as an argument instead of looking for it: who is signed in, which id, which nonce.

mod id;
mod nonce;
mod peer;
mod staff;
mod visit_patient;

pub use id::Id;
pub use nonce::Nonce;
pub use peer::PeerAddress;
pub use staff::{Administrator, Practitioner, Receptionist, STAFF_COOKIE, SignedIn};
pub use visit_patient::{VisitPatient, visit_cookie};
