//! The places of a shard's transports: which index is whose, and which commands still wait for room in its queue.

use crate::{room::Route, shard::PeerKey};
use domain::RoomId;
use std::collections::VecDeque;

/// The places of one shard's transports.
#[derive(Default)]
pub(crate) struct Places {
    used: Vec<Option<(PeerKey, RoomId)>>,
    generation: u64,
    /// Commands that found a full queue; tried again every second. At most a few for each transport.
    pub delayed: VecDeque<Delayed>,
}

/// A command that found a full queue.
pub(crate) enum Delayed {
    /// What a slot shows.
    Route(Route),
    /// Forget a transport.
    Remove(PeerKey),
}

impl Places {
    /// A free place among at most `max`.
    pub(crate) fn take(&mut self, room: RoomId, max: usize) -> Option<PeerKey> {
        let free = self.used.iter().position(Option::is_none).unwrap_or(self.used.len());
        if free >= max.min(usize::from(u16::MAX)) {
            return None;
        }
        if free == self.used.len() {
            self.used.push(None);
        }
        self.generation += 1;
        let key = PeerKey { index: free as u16, generation: self.generation };
        self.used[free] = Some((key, room));
        Some(key)
    }

    /// In which room the transport is.
    pub(crate) fn room_of(&self, key: PeerKey) -> Option<RoomId> {
        let (used, room) = (*self.used.get(usize::from(key.index))?)?;
        (used == key).then_some(room)
    }

    /// The transport is forgotten.
    pub(crate) fn free(&mut self, key: PeerKey) {
        if self.room_of(key).is_some() {
            self.used[usize::from(key.index)] = None;
        }
    }

    /// How many are taken.
    pub(crate) fn count(&self) -> usize {
        self.used.iter().flatten().count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_place_is_used_again_under_another_name() {
        let mut places = Places::default();
        let (one, other) = (RoomId(Uuid::from_u128(1)), RoomId(Uuid::from_u128(2)));
        let first = places.take(one, 1).expect("a place");
        assert_eq!(places.take(other, 1), None, "no more than may be");
        places.free(first);
        let second = places.take(other, 1).expect("a place");
        assert_eq!(second.index, first.index);
        assert_eq!((places.room_of(first), places.room_of(second)), (None, Some(other)));
        places.free(first);
        assert_eq!(places.count(), 1, "an old name frees nothing");
    }
}
