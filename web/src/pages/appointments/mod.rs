//! Appointments: book one, open one, and what is done to it there.

pub(crate) mod admit;
pub(crate) mod attendance;
pub(crate) mod book;
pub(crate) mod cancel;
pub(crate) mod hold;
pub(crate) mod messages;
pub(crate) mod move_to;
pub(crate) mod send_link;
pub(crate) mod show;
pub(crate) mod undo_missed;
pub(crate) mod walk_in;
