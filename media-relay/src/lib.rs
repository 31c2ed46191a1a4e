//! The media relay: rooms, participants, tracks and packets; no patient, no clinic, no database.
//!
//! Signaling speaks with `control`; `director` owns the rooms, whose rules are in `room` and `forward`;
//! `prepare` makes transports of offers, which `sdp` reads and answers. Media runs on the threads of `shard`: a datagram comes in through
//! `transport` (ICE checks, DTLS, SRTP), its track is a `media::publication`, and each slot that shows it is a
//! `media::subscription`. `announce` tells Redis that the relay is alive.

mod announce;
mod candidates;
mod config;
mod control;
mod director;
mod forward;
mod media;
mod places;
mod prepare;
mod room;
mod sdp;
mod shard;
mod start;
mod stats;
mod transport;
mod watchers;

pub use config::{MIN_RELAY_KEY_BYTES, RelayConfig};
pub use media::rtp::Header as RtpHeader;
pub use start::{Relay, RelayHandle, run};
pub use stats::RelayStats;
pub use transport::srtp;
