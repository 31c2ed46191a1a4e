//! What happens to media: pure state machines of `(packet, now)`, without sockets or clocks of their own.

pub(crate) mod feedback;
pub(crate) mod keyframes;
pub(crate) mod nack;
pub(crate) mod payload;
pub(crate) mod publication;
pub(crate) mod reports;
pub(crate) mod rewrite;
pub(crate) mod ring;
pub(crate) mod rtp;
pub(crate) mod subscription;
