//! A bad path between participants and a server, in user space, since not every kernel has netem.
//!
//! An [`Impairer`] stands between them: each transport sends to it in place of the server, and the server sees one address of its own
//! for each. What becomes of a datagram is decided by a [`link`], one for each direction of each transport, as a [`Profile`] says.

mod impairer;
pub mod link;
pub mod loss;
mod wire;

pub use impairer::{Impairer, Leg, Report};

use link::Rate;
use loss::Loss;
use std::time::Duration;

/// How one direction of a path is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Profile {
    /// What gets lost on the way.
    pub loss: Loss,
    /// How long the way is.
    pub delay: Duration,
    /// By how much longer it may be, evenly between nothing and this.
    pub jitter: Duration,
    /// Jitter lets later datagrams come first.
    pub reorders: bool,
    /// The narrowest place.
    pub rate: Option<Rate>,
}

/// How both directions are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Conditions {
    /// To the server.
    pub up: Profile,
    /// From the server.
    pub down: Profile,
}

impl Profile {
    /// Long, and nothing else.
    pub const fn long(delay: Duration) -> Self {
        Self { loss: Loss::None, delay, jitter: Duration::ZERO, reorders: false, rate: None }
    }
}

impl Conditions {
    /// A way there and back that takes `round_trip`, and nothing else.
    pub fn long(round_trip: Duration) -> Self {
        Self::both(Profile::long(round_trip / 2))
    }

    /// The same in both directions.
    pub const fn both(profile: Profile) -> Self {
        Self { up: profile, down: profile }
    }
}
