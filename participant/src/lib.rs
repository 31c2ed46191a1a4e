//! A headless participant on the `webrtc` crate: publishes synthetic Opus and VP8, and counts what arrives.
//!
//! [`Participant`] is somebody in a room; [`Peer`] its peer connection alone; [`SignalingClient`] and [`RelayClient`] the
//! two ways in. Nothing sleeps: whoever waits, waits [`until`](Participant::until) something was seen.

mod codecs;
mod connection;
mod feedback;
mod participant;
mod path;
mod peer;
mod publisher;
mod relay_client;
mod signaling_client;
pub mod slots;
mod socket;
pub mod synthetic;
pub mod tally;

pub use connection::Reach;
pub use participant::{JoinError, Participant, Seat};
pub use path::Path;
pub use peer::{NotSeen, Peer, Publishing};
pub use relay_client::{RelayClient, RoomState};
pub use signaling_client::{Closed, Heard, NotHeard, SignalingClient};
pub use socket::SocketError;
pub use tally::{Connection, Tally};
