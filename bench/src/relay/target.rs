//! What is measured: a server that can be started, joined, and stopped.

use super::peer::{Peer, PeerFactory};
use async_trait::async_trait;
use std::{net::IpAddr, path::PathBuf};

/// Where a server runs.
#[derive(Debug, Clone)]
pub struct Place {
    /// The processor it is pinned to.
    pub cpu: usize,
    /// A folder of its own for what it writes.
    pub scratch: PathBuf,
    /// The address it receives media at.
    pub address: IpAddr,
}

/// A target that cannot be measured here: a row that says so, not an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// Why, for the reader of the table.
    pub why: String,
}

impl<E: std::fmt::Display> From<E> for Missing {
    fn from(error: E) -> Self {
        Self { why: format!("{error:#}") }
    }
}

/// What a participant publishes as picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Picture {
    /// Nothing.
    No,
    /// One encoding.
    One,
    /// Three encodings of one picture (RFC 8853); one where the server takes only one.
    Simulcast,
}

/// One participant's place: who they are, what they send, how many of the others they hear and see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seat {
    /// Which room, counted over the whole run.
    pub room: u32,
    /// Which of the room, from 0.
    pub participant: u32,
    /// Publishes sound.
    pub audio: bool,
    /// Publishes a picture.
    pub picture: Picture,
    /// Whom they receive.
    pub receives: Receives,
}

impl Seat {
    /// Whether this participant sees `other` large: the first of the room speaks and is seen large, and sees the second so. The others
    /// are small, where pictures come in several encodings.
    pub const fn sees_large(&self, other: &Self) -> bool {
        other.participant == if self.participant == 0 { 1 } else { 0 }
    }
}

/// How many of the others a participant receives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Receives {
    /// Heard.
    pub audio: usize,
    /// Seen.
    pub video: usize,
}

/// What a server cannot do of what a scenario asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most participants of a room.
    pub participants: usize,
    /// Takes a picture in several encodings.
    pub simulcast: bool,
}

impl Limits {
    /// Everything that the scenarios ask for.
    pub const NONE: Self = Self { participants: usize::MAX, simulcast: true };
}

/// A server that can be started.
#[async_trait]
pub trait Target: Send + Sync {
    /// How its rows are called.
    fn name(&self) -> &str;

    /// All that was set, as name and value, printed beside the rows.
    fn configuration(&self) -> Vec<(String, String)>;

    /// What it cannot do.
    fn limits(&self) -> Limits {
        Limits::NONE
    }

    /// Starts it and waits until it can be joined.
    ///
    /// # Errors
    /// Why it cannot be had here.
    async fn start(&self, place: &Place) -> Result<Box<dyn Server>, Missing>;
}

/// A running server.
#[async_trait]
pub trait Server: Send + Sync {
    /// Its processes, for the account of what it uses.
    fn processes(&self) -> Vec<u32>;

    /// Brings a participant into a room and gives the transports that came of it, answered and ready to connect.
    ///
    /// Most servers give one. Those with a transport each way give two, and may give one for a participant who was there
    /// before and can only now receive this one; [`Peer::seat`] says whose it is.
    ///
    /// # Errors
    /// When the server refuses or is gone.
    async fn join(&self, seat: &Seat, peers: &PeerFactory) -> anyhow::Result<Vec<Peer>>;

    /// Lets everybody of a room receive the others, with servers where that takes a second step after all have joined. Gives the
    /// transports that came of it; none with most servers.
    ///
    /// # Errors
    /// When the server refuses or is gone.
    async fn subscribe(&self, _room: u32, _peers: &PeerFactory) -> anyhow::Result<Vec<Peer>> {
        Ok(Vec::new())
    }

    /// Takes a participant out of their room.
    ///
    /// # Errors
    /// When the server refuses or is gone.
    async fn leave(&self, seat: &Seat) -> anyhow::Result<()>;

    /// Ends it and waits for its end.
    async fn stop(self: Box<Self>);
}
