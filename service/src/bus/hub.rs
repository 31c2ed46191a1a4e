//! One subscription connection per process, fanned out to those who listen within it.

use super::{Happening, REDIS_TIMEOUT};
use futures_util::StreamExt;
use redis::aio::{PubSubSink, PubSubStream};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{Notify, broadcast},
    time::{MissedTickBehavior, interval, sleep, timeout},
};

/// How many happenings may wait for one slow listener; beyond it the listener gets one `Resync` instead.
const QUEUE: usize = 64;

/// How often the connection is proved alive and channels without listeners are left.
const UPKEEP: Duration = Duration::from_secs(2);

/// How long to wait between attempts to connect.
const RECONNECT_PAUSE: Duration = Duration::from_millis(250);

/// The listeners of a process, and the task that feeds them.
#[derive(Clone)]
pub(super) struct Hub {
    shared: Arc<Shared>,
}

struct Shared {
    channels: Mutex<HashMap<String, Channel>>,
    changed: Notify,
}

struct Channel {
    listeners: broadcast::Sender<Happening>,
    is_subscribed: bool,
}

impl Hub {
    /// Starts the feeding task; it ends when the last [`Hub`] is dropped.
    pub(super) fn start(client: redis::Client) -> Self {
        let shared = Arc::new(Shared { channels: Mutex::default(), changed: Notify::new() });
        tokio::spawn(feed(client, Arc::downgrade(&shared)));
        Self { shared }
    }

    /// Listens to a channel, whether or not Redis is there yet.
    pub(super) fn subscribe(&self, name: String) -> broadcast::Receiver<Happening> {
        let mut channels = self.shared.channels();
        let channel = channels
            .entry(name)
            .or_insert_with(|| Channel { listeners: broadcast::channel(QUEUE).0, is_subscribed: false });
        let receiver = channel.listeners.subscribe();
        if channel.is_subscribed {
            // Whoever else listens reads once too often; a listener of its own would be told nothing.
            let _ = channel.listeners.send(Happening::Resync);
        }
        drop(channels);
        self.shared.changed.notify_one();
        receiver
    }
}

impl Shared {
    fn channels(&self) -> MutexGuard<'_, HashMap<String, Channel>> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn deliver(&self, message: &redis::Msg) {
        let Ok(happening) = serde_json::from_slice(message.get_payload_bytes()) else {
            tracing::debug!("what came over the bus is not a happening");
            return;
        };
        if let Some(channel) = self.channels().get(message.get_channel_name()) {
            let _ = channel.listeners.send(happening);
        }
    }

    /// Channels that somebody listens to and Redis does not know of.
    fn wanted(&self) -> Vec<String> {
        let channels = self.channels();
        channels.iter().filter(|(_, channel)| !channel.is_subscribed).map(|(name, _)| name.clone()).collect()
    }

    /// Removes and returns the channels that nobody listens to any more.
    fn unwanted(&self) -> Vec<String> {
        let mut channels = self.channels();
        channels.extract_if(|_, channel| channel.listeners.receiver_count() == 0).map(|(name, _)| name).collect()
    }

    /// The subscription stands: everybody reads what may have happened before.
    fn stands(&self, names: &[String]) {
        let mut channels = self.channels();
        for name in names {
            if let Some(channel) = channels.get_mut(name) {
                channel.is_subscribed = true;
                let _ = channel.listeners.send(Happening::Resync);
            }
        }
    }

    fn connection_lost(&self) {
        for channel in self.channels().values_mut() {
            channel.is_subscribed = false;
        }
    }
}

/// Connects, feeds until the connection fails, and again, as long as anybody holds the hub.
async fn feed(client: redis::Client, shared: std::sync::Weak<Shared>) {
    let mut was_lost = false;
    while shared.strong_count() > 0 {
        if let Ok(Ok(connection)) = timeout(REDIS_TIMEOUT, client.get_async_pubsub()).await {
            if std::mem::take(&mut was_lost) {
                tracing::info!("subscribed to Redis again");
            }
            let (sink, stream) = connection.split();
            let ended = feed_while_connected(&shared, sink, stream).await;
            let Some(shared) = shared.upgrade() else { return };
            shared.connection_lost();
            tracing::debug!(reason = ended, "the subscription connection ended");
        }
        if !std::mem::replace(&mut was_lost, true) {
            tracing::warn!("Redis cannot be subscribed to; trying again");
        }
        sleep(RECONNECT_PAUSE).await;
    }
}

/// Returns why it ended.
async fn feed_while_connected(
    shared: &std::sync::Weak<Shared>,
    mut sink: PubSubSink,
    mut stream: PubSubStream,
) -> &'static str {
    let mut upkeep = interval(UPKEEP);
    upkeep.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let Some(shared) = shared.upgrade() else { return "nobody holds the hub" };
        let wanted = shared.wanted();
        if !wanted.is_empty() {
            match timeout(REDIS_TIMEOUT, sink.subscribe(&wanted)).await {
                Ok(Ok(())) => shared.stands(&wanted),
                _ => return "could not subscribe",
            }
        }
        tokio::select! {
            message = stream.next() => match message {
                Some(message) => shared.deliver(&message),
                None => return "closed",
            },
            () = shared.changed.notified() => {}
            _ = upkeep.tick() => {
                if !is_alive(&mut sink, &shared.unwanted()).await {
                    return "does not answer";
                }
            }
        }
    }
}

/// Leaves `unwanted` and proves that the other side is there; a half-open TCP connection would be silent for ever.
async fn is_alive(sink: &mut PubSubSink, unwanted: &[String]) -> bool {
    let upkeep = async {
        if !unwanted.is_empty() {
            sink.unsubscribe(unwanted).await?;
        }
        sink.ping::<redis::Value>().await
    };
    matches!(timeout(REDIS_TIMEOUT, upkeep).await, Ok(Ok(_)))
}
