//! The pages, one file each: what the template shows (a struct), `get`, `post`.

pub(crate) mod appointments;
pub(crate) mod consultation;
pub(crate) mod day;
pub(crate) mod desk;
pub(crate) mod front;
pub(crate) mod history;
pub(crate) mod mailbox;
pub(crate) mod patients;
pub(crate) mod programs;
pub(crate) mod public_page;
pub(crate) mod schedules;
pub(crate) mod self_booking;
pub(crate) mod sign_in;
pub(crate) mod sign_out;
pub(crate) mod state;
pub(crate) mod theme;
pub(crate) mod undelivered;
pub(crate) mod visit;
pub(crate) mod visit_types;
pub(crate) mod waitlist;
