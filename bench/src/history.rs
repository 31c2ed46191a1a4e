//! Random bookings by processes that are killed, against a Postgres that is restarted; what was acknowledged must hold.
//!
//! Every process writes down what it asks before it asks, and what it was answered. Afterwards [`check`] compares these records
//! with each other and with what the database holds.

pub mod check;
mod client;
pub mod record;
mod supervise;

pub use client::{Hours, clients, worker};
pub use supervise::run;

use crate::world::Size;

/// The clinic of a history: small, so that everybody is in everybody's way.
pub const SIZE: Size = Size { practitioners: 4, patients: 24, rooms: 2, minutes: 30, step_minutes: 15 };

/// How many steps of [`SIZE`] there are to book in: two days.
pub const STEPS: usize = 2 * 24 * 4;
