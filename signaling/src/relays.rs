//! The connections to the relays: one per relay and node, shared by all its rooms.

mod link;
mod socket;

pub(crate) use link::{RelayLink, RelayLost, RoomNews};

use domain::{Redacted, RelayId, relay::RelayAnnouncement};
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

/// All links of a node.
pub(crate) struct Relays {
    key: Redacted<String>,
    links: Mutex<HashMap<RelayId, RelayLink>>,
}

impl Relays {
    pub(crate) fn new(key: Redacted<String>) -> Self {
        Self { key, links: Mutex::default() }
    }

    /// The link to a relay; connects when there is none. Lost ones are let go of on the way, so the table stays as small
    /// as the number of relays.
    pub(crate) fn link(&self, relay: &RelayAnnouncement) -> RelayLink {
        let mut links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        links.retain(|_, link| !link.is_lost());
        links.entry(relay.id).or_insert_with(|| RelayLink::open(relay, self.key.clone())).clone()
    }

    /// The link to a relay, if it stands.
    pub(crate) fn standing(&self, relay: RelayId) -> Option<RelayLink> {
        let links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        links.get(&relay).filter(|link| !link.is_lost()).cloned()
    }
}
