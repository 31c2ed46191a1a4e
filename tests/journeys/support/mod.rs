//! What the journeys share: a clinic to go to, people, and the pages they read.

pub mod clinic;
pub mod database;
pub mod page;
pub mod person;
pub mod processes;
pub mod redis;
