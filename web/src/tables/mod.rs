//! The SQL of the tables that this crate writes: who may sign in, and who is signed in.

pub mod accounts;
pub mod sessions;
pub(crate) mod sign_in_attempts;
