//! On which relay a room lives: which relays are alive, where rooms stand, and the choice for a new one.
//!
//! Redis holds both. When it is away, what this node last heard goes on to count, so that running rooms run on.

use domain::{
    RelayId, RoomId,
    relay::{Epoch, RelayAnnouncement},
};
use serde::{Deserialize, Serialize};
use service::bus::{Bus, RedisAway};
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// How long a list of relays is believed before Redis is asked again. A relay announces itself every second.
const LIST_LIFETIME: Duration = Duration::from_millis(500);

/// How long a relay that could not be reached is not chosen. Its last announcement lives 5 s; a new start has a new id.
const LOST_FOR: Duration = Duration::from_secs(6);

/// How long a relay is remembered while Redis says nothing of it: for a flushed Redis, until the next announcement.
const REMEMBERED_FOR: Duration = Duration::from_secs(10);

/// How long a placement stays when nobody refreshes it, in seconds. Rooms do so every few seconds.
const PLACEMENT_LIFETIME_S: u32 = 3_600;

/// How many relays are looked at. More than that are a fault, or somebody else's keys.
const MAX_RELAYS: usize = 1_000;

/// Replaces what stands only if it is what the caller saw, or if nothing stands; answers what stands then.
const CLAIM: &str = "
local standing = redis.call('get', KEYS[1])
if not standing or standing == ARGV[1] then
    redis.call('set', KEYS[1], ARGV[2], 'EX', ARGV[3])
    return ARGV[2]
end
return standing";

/// Removes a placement only if it is the one that the caller means.
const FORGET: &str = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0";

/// Where a room lives, and the how-manieth placement of it that is.
///
/// Relays write it too, and placements are compared as text in Redis: the fields stay in alphabetical order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Placement {
    pub(crate) epoch: Epoch,
    pub(crate) relay: RelayId,
}

/// What this node knows of relays and placements.
pub(crate) struct Directory {
    bus: Bus,
    heard: Mutex<Heard>,
}

#[derive(Default)]
struct Heard {
    relays: HashMap<RelayId, (RelayAnnouncement, Instant)>,
    lost: HashMap<RelayId, Instant>,
    read_at: Option<Instant>,
}

impl Directory {
    pub(crate) fn new(bus: Bus) -> Self {
        Self { bus, heard: Mutex::default() }
    }

    /// The relays that announce themselves and were not just lost, in no order.
    pub(crate) async fn live(&self) -> Vec<RelayAnnouncement> {
        if !self.heard().is_fresh() {
            let announced = self.announced().await;
            self.heard().note(announced, Instant::now());
        }
        self.heard().live()
    }

    /// A live relay by its id.
    pub(crate) async fn relay(&self, id: RelayId) -> Option<RelayAnnouncement> {
        self.live().await.into_iter().find(|relay| relay.id == id)
    }

    /// The relay does not answer: it is not chosen for a while.
    pub(crate) fn lost(&self, id: RelayId) {
        self.heard().lost.insert(id, Instant::now());
    }

    /// Where Redis says that the room lives.
    pub(crate) async fn placement(&self, room: RoomId) -> Result<Option<Placement>, RedisAway> {
        let mut get = redis::cmd("GET");
        let stored: Option<String> = self.bus.command(get.arg(key(room))).await?;
        Ok(stored.and_then(|stored| serde_json::from_str(&stored).ok()))
    }

    /// Places the room, unless somebody else did since `seen` was read. Returns what stands.
    pub(crate) async fn claim(
        &self,
        room: RoomId,
        seen: Option<Placement>,
        new: Placement,
    ) -> Result<Placement, RedisAway> {
        let mut eval = redis::cmd("EVAL");
        eval.arg(CLAIM).arg(1).arg(key(room)).arg(seen.map(text).unwrap_or_default()).arg(text(new));
        let standing: String = self.bus.command(eval.arg(PLACEMENT_LIFETIME_S)).await?;
        serde_json::from_str(&standing).map_err(|_| RedisAway)
    }

    /// The encounter is finished, nobody will look for its room.
    pub(crate) async fn forget(&self, room: RoomId, placement: Placement) {
        let mut eval = redis::cmd("EVAL");
        // A placement that stays expires by itself.
        let _ = self.bus.command::<i64>(eval.arg(FORGET).arg(1).arg(key(room)).arg(text(placement))).await;
    }

    async fn announced(&self) -> Result<Vec<RelayAnnouncement>, RedisAway> {
        let mut keys: Vec<String> = Vec::new();
        let mut cursor = String::from("0");
        loop {
            let mut scan = redis::cmd("SCAN");
            scan.arg(&cursor).arg("MATCH").arg("bedside:relay:*").arg("COUNT").arg(1_000);
            let (next, found): (String, Vec<String>) = self.bus.command(&scan).await?;
            keys.extend(found);
            cursor = next;
            if cursor == "0" || keys.len() >= MAX_RELAYS {
                break;
            }
        }
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let mut mget = redis::cmd("MGET");
        let values: Vec<Option<String>> = self.bus.command(mget.arg(keys)).await?;
        Ok(values.into_iter().flatten().filter_map(|value| serde_json::from_str(&value).ok()).collect())
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Heard {
    fn is_fresh(&self) -> bool {
        self.read_at.is_some_and(|at| at.elapsed() < LIST_LIFETIME)
    }

    /// Takes in what Redis said; if it said nothing, everybody known before counts as heard of just now.
    fn note(&mut self, announced: Result<Vec<RelayAnnouncement>, RedisAway>, now: Instant) {
        match announced {
            Ok(relays) => self.relays.extend(relays.into_iter().map(|relay| (relay.id, (relay, now)))),
            Err(RedisAway) => self.relays.values_mut().for_each(|(_, at)| *at = now),
        }
        self.relays.retain(|_, (_, at)| now.duration_since(*at) < REMEMBERED_FOR);
        self.lost.retain(|_, at| now.duration_since(*at) < LOST_FOR);
        self.read_at = Some(now);
    }

    fn live(&self) -> Vec<RelayAnnouncement> {
        let relays = self.relays.values().filter(|(relay, _)| !self.lost.contains_key(&relay.id));
        relays.map(|(relay, _)| relay.clone()).collect()
    }
}

/// The relay for a new room (rendezvous hashing): every node chooses the same from the same list, and a relay that comes or
/// goes moves only the rooms that it wins or held. A draining relay gets none.
pub(crate) fn choose(room: RoomId, relays: &[RelayAnnouncement]) -> Option<&RelayAnnouncement> {
    relays.iter().filter(|relay| !relay.draining).max_by_key(|relay| (weight(room, relay.id), relay.id))
}

/// FNV-1a with a final mix (SplitMix64): stable between versions and machines, which the standard hasher is not.
fn weight(room: RoomId, relay: RelayId) -> u64 {
    let bytes = room.0.as_bytes().iter().chain(relay.0.as_bytes());
    let hash =
        bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    let mixed = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb)
}

fn key(room: RoomId) -> String {
    format!("bedside:room:{room}")
}

fn text(placement: Placement) -> String {
    serde_json::to_string(&placement).expect("a placement is plain JSON")
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn relay(id: u128) -> RelayAnnouncement {
        RelayAnnouncement {
            id: RelayId(Uuid::from_u128(id)),
            control_url: "ws://127.0.0.1:1/relay".to_owned(),
            participants: 0,
            draining: false,
        }
    }

    fn room(id: u128) -> RoomId {
        RoomId(Uuid::from_u128(id << 64 | 7))
    }

    #[test]
    fn every_node_chooses_the_same_relay_whatever_the_order_of_its_list() {
        let (one, other) = ([relay(1), relay(2), relay(3)], [relay(3), relay(1), relay(2)]);
        for id in 0..100 {
            assert_eq!(choose(room(id), &one).map(|x| x.id), choose(room(id), &other).map(|x| x.id));
        }
    }

    #[test]
    fn rooms_are_spread_over_the_relays() {
        let relays = [relay(1), relay(2), relay(3), relay(4)];
        for expected in &relays {
            let rooms = (0..1_000).filter(|id| choose(room(*id), &relays) == Some(expected)).count();
            assert!((150..350).contains(&rooms), "a quarter of a thousand rooms, about: {rooms}");
        }
    }

    #[test]
    fn a_relay_that_goes_moves_only_its_own_rooms() {
        let all = [relay(1), relay(2), relay(3)];
        for id in 0..100 {
            let before = choose(room(id), &all).expect("three relays").id;
            let after = choose(room(id), &all[..2]).expect("two relays").id;
            assert!(before == after || before == all[2].id);
        }
    }

    #[test]
    fn a_draining_relay_gets_no_new_room() {
        let relays = [RelayAnnouncement { draining: true, ..relay(1) }];
        assert_eq!(choose(room(1), &relays), None);
    }

    #[test]
    fn a_lost_relay_is_not_chosen_though_its_announcement_lives_on() {
        let mut heard = Heard::default();
        heard.lost.insert(relay(1).id, Instant::now());
        heard.note(Ok(vec![relay(1), relay(2)]), Instant::now());
        assert_eq!(heard.live(), vec![relay(2)]);
    }

    #[test]
    fn without_redis_the_relays_known_before_go_on_to_count() {
        let mut heard = Heard::default();
        let start = Instant::now();
        heard.note(Ok(vec![relay(1)]), start);
        heard.note(Err(RedisAway), start + Duration::from_secs(60));
        assert_eq!(heard.live(), vec![relay(1)]);
        heard.note(Ok(vec![]), start + Duration::from_secs(60) + REMEMBERED_FOR);
        assert_eq!(heard.live(), vec![]);
    }
}
