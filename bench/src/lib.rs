//! What `bedside-bench` does: one module a question, and what they share.

pub mod booking;
pub mod figures;
pub mod full_clinic;
pub mod history;
pub mod pages;
pub mod postgres;
pub mod redis;
pub mod relay;
pub mod slots;
pub mod waiting;
pub mod world;
