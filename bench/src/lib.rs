//! What `bedside-bench` does: one module a question, and what they share.

pub mod booking;
pub mod history;
pub mod postgres;
pub mod redis;
pub mod relay;
pub mod waiting;
pub mod world;
