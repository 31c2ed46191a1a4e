//! What the journeys share: a clinic to go to, people, and the pages they read.

pub mod clinic;
pub mod database;
pub mod page;
pub mod person;
pub mod processes;
pub mod redis;

/// How long a journey waits for what comes within a second or two when the machine has nothing else to do.
pub const PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);
