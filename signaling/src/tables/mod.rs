//! The table that signaling writes: one file, plain functions.

pub(crate) mod chat_messages;
