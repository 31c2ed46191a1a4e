//! Tells Redis that this relay is alive and which rooms are here. Redis may be away: rooms go on.

use crate::director::Director;
use domain::{
    Redacted, RelayId, RoomId,
    relay::{Epoch, RelayAnnouncement},
};
use redis::{AsyncCommands, Client, Script, aio::ConnectionManager, aio::ConnectionManagerConfig};
use std::{sync::Arc, time::Duration};
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

/// How often a relay says that it is alive, and how long that lasts.
const ANNOUNCE_INTERVAL: Duration = Duration::from_secs(1);
const ANNOUNCEMENT_SECONDS: u64 = 5;
/// Every so many announcements the rooms are repeated, so that a flushed Redis knows again where they are.
const ROOMS_EVERY: u64 = 3;
const ROOM_SECONDS: u64 = 15;
/// A Redis that does not answer for so long is away.
const REDIS_TIMEOUT: Duration = Duration::from_millis(800);

/// A placement under a higher epoch is newer than ours and stays; one that lives longer is not shortened.
const PLACE_ROOM: &str = "
local placed = redis.call('get', KEYS[1])
if placed == ARGV[1] and redis.call('ttl', KEYS[1]) > tonumber(ARGV[3]) then return 1 end
if placed and (tonumber(cjson.decode(placed).epoch) or 0) > tonumber(ARGV[2]) then return 0 end
redis.call('set', KEYS[1], ARGV[1], 'ex', ARGV[3])
return 1";

/// What is announced.
pub(crate) struct Announcer {
    /// Which relay.
    pub id: RelayId,
    /// Where signaling reaches it.
    pub control_url: String,
    /// Owner of the rooms.
    pub director: Arc<Director>,
    /// Where to announce.
    pub redis_url: Redacted<String>,
}

impl Announcer {
    /// Announces until `shutdown`, then says that it is gone.
    pub(crate) async fn run(self, shutdown: CancellationToken) {
        let mut connection = None;
        let mut was_away = false;
        let mut ticks = interval(ANNOUNCE_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for count in 0_u64.. {
            tokio::select! {
                () = shutdown.cancelled() => break,
                _ = ticks.tick() => {}
            }
            let announced = timeout(REDIS_TIMEOUT, self.announce(&mut connection, count)).await;
            let is_away = !matches!(announced, Ok(Ok(())));
            if is_away && !was_away {
                tracing::warn!(relay.id = %self.id, "Redis is away; rooms go on, new ones may not find this relay");
            } else if was_away && !is_away {
                tracing::info!(relay.id = %self.id, "Redis is back");
            }
            was_away = is_away;
        }
        if let Some(mut connection) = connection {
            // If it fails, the announcement ends by itself.
            let _ = timeout(REDIS_TIMEOUT, connection.del::<_, ()>(relay_key(self.id))).await;
        }
    }

    async fn announce(&self, connection: &mut Option<ConnectionManager>, count: u64) -> redis::RedisResult<()> {
        let connection = match connection {
            Some(connection) => connection,
            None => connection.insert(connect(&self.redis_url).await?),
        };
        let announcement = RelayAnnouncement {
            id: self.id,
            control_url: self.control_url.clone(),
            participants: self.director.stats().participants as usize,
            draining: self.director.is_draining(),
        };
        let json = serde_json::to_string(&announcement).expect("an announcement is JSON");
        let () = connection.set_ex(relay_key(self.id), json, ANNOUNCEMENT_SECONDS).await?;
        if count.is_multiple_of(ROOMS_EVERY) {
            self.place_rooms(connection).await?;
        }
        Ok(())
    }

    async fn place_rooms(&self, connection: &mut ConnectionManager) -> redis::RedisResult<()> {
        let script = Script::new(PLACE_ROOM);
        for (room, epoch) in self.director.rooms() {
            let Epoch(epoch) = epoch;
            // Signaling compares placements as text: these fields in this order, without spaces.
            let placement = format!(r#"{{"epoch":{epoch},"relay":"{}"}}"#, self.id);
            let mut call = script.key(room_key(room));
            let _: i64 = call.arg(placement).arg(epoch).arg(ROOM_SECONDS).invoke_async(connection).await?;
        }
        Ok(())
    }
}

async fn connect(url: &Redacted<String>) -> redis::RedisResult<ConnectionManager> {
    let config = ConnectionManagerConfig::new().set_number_of_retries(0);
    Client::open(url.expose().as_str())?.get_connection_manager_with_config(config).await
}

/// Where a relay's [`RelayAnnouncement`] is.
fn relay_key(relay: RelayId) -> String {
    format!("bedside:relay:{relay}")
}

/// Where a room's placement is: `{"relay", "epoch"}`.
fn room_key(room: RoomId) -> String {
    format!("bedside:room:{room}")
}
