//! The bus: what has just happened, told to every process through Redis. It carries ids only, and it may lose everything:
//! who listens reads Postgres again on each happening, and every few seconds without one.

mod hub;

use anyhow::Context as _;
use domain::{AppointmentId, ChatMessageId, ClinicId, EncounterId, PractitionerId, Redacted, RoomId};
use futures_util::{Stream, stream};
use hub::Hub;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use serde::{Deserialize, Serialize};
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{sync::broadcast, time::timeout};

/// How long anything waits for Redis.
///
/// Nothing on the bus is worth a wait that a person would notice; a Redis that takes longer is treated as away.
pub const REDIS_TIMEOUT: Duration = Duration::from_secs(1);

/// About what something happened; one Redis channel each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Topic {
    /// Anything in a clinic that its front desk and its practitioners' days show.
    Clinic(ClinicId),
    /// One appointment, for the patient who waits.
    Appointment(AppointmentId),
    /// A practitioner's appointments, for those who wait for them and have a place in their queue.
    Queue(PractitionerId),
    /// One encounter, for those in it.
    Encounter(EncounterId),
    /// One room, for the signaling nodes that hold its sockets.
    Room(RoomId),
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Clinic(id) => write!(f, "bedside:clinic:{id}"),
            Self::Appointment(id) => write!(f, "bedside:appointment:{id}"),
            Self::Queue(id) => write!(f, "bedside:queue:{id}"),
            Self::Encounter(id) => write!(f, "bedside:encounter:{id}"),
            Self::Room(id) => write!(f, "bedside:room-news:{id}"),
        }
    }
}

/// What happened. Ids only: who may know more reads it from Postgres.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Happening {
    /// An appointment was booked, cancelled, arrived at, admitted, finished, or its seat changed.
    AppointmentChanged {
        /// Which.
        appointment: AppointmentId,
    },
    /// The practitioner ended the visit.
    EncounterFinished {
        /// Which.
        encounter: EncounterId,
    },
    /// Somebody wrote in the chat of a consultation.
    ChatWritten {
        /// In which encounter.
        encounter: EncounterId,
        /// Which message.
        message: ChatMessageId,
    },
    /// Something may have been missed: read everything again. It comes from the bus itself, first of all when a subscription stands.
    Resync,
}

/// A process's connection to what happens. Cheap to clone.
#[derive(Clone)]
pub struct Bus {
    hub: Hub,
    commands: ConnectionManager,
    /// Publishing failed and nothing was published since; so that an absent Redis is logged once.
    is_failing: Arc<AtomicBool>,
}

impl Bus {
    /// Begins to connect, and returns before it stands: a process starts without Redis, and works better when it comes.
    ///
    /// One connection serves publishing and commands, a second all subscriptions of the process. Must be called within a
    /// tokio runtime. Fails only when `url` is not a Redis URL.
    pub async fn connect(url: &Redacted<String>) -> anyhow::Result<Self> {
        // The error is dropped: it may quote the URL and with it the password.
        let client = redis::Client::open(url.expose().as_str()).ok().context("the Redis URL cannot be read")?;
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(REDIS_TIMEOUT))
            .set_response_timeout(Some(REDIS_TIMEOUT))
            .set_max_delay(REDIS_TIMEOUT);
        let commands = client.get_connection_manager_lazy(config).context("the Redis connection cannot be prepared")?;
        Ok(Self { hub: Hub::start(client), commands, is_failing: Arc::default() })
    }

    /// Tells everybody who subscribed to `topic`. Call it after the commit.
    ///
    /// Best effort: waits at most [`REDIS_TIMEOUT`], and after a failure not at all until Redis is back; a series of sixty visits has more
    /// than a hundred things to tell. Logs the first failure of a row, never fails the caller.
    pub async fn publish(&self, topic: Topic, happening: Happening) {
        let attempt = self.clone().try_to_publish(topic, happening);
        if self.is_failing.load(Ordering::Relaxed) {
            tokio::spawn(attempt);
        } else {
            attempt.await;
        }
    }

    async fn try_to_publish(self, topic: Topic, happening: Happening) {
        let message = serde_json::to_string(&happening).expect("a happening is plain JSON");
        let mut command = redis::cmd("PUBLISH");
        command.arg(topic.to_string()).arg(message);
        let published = self.command::<i64>(&command).await.is_ok();
        if published {
            self.is_failing.store(false, Ordering::Relaxed);
        } else if !self.is_failing.swap(true, Ordering::Relaxed) {
            tracing::warn!("Redis cannot be reached; others learn of changes when they read again");
        }
    }

    /// What happens about `topic` from now on.
    ///
    /// Begins with [`Happening::Resync`] as soon as the subscription stands, and yields it again when something may have been
    /// missed: the connection was lost, or the reader was slower than the bounded queue. Never ends. Dropping it unsubscribes.
    pub fn subscribe(&self, topic: Topic) -> impl Stream<Item = Happening> + Send + Unpin + use<> {
        let receiver = self.hub.subscribe(topic.to_string());
        Box::pin(stream::unfold(receiver, |mut receiver| async move {
            match receiver.recv().await {
                Ok(happening) => Some((happening, receiver)),
                Err(broadcast::error::RecvError::Lagged(_)) => Some((Happening::Resync, receiver)),
                // The hub lives as long as the process, save at its very end.
                Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
            }
        }))
    }

    /// Runs one command within [`REDIS_TIMEOUT`]. Never one that blocks: the connection is shared.
    pub async fn command<T: redis::FromRedisValue>(&self, command: &redis::Cmd) -> Result<T, RedisAway> {
        let mut connection = self.commands.clone();
        match timeout(REDIS_TIMEOUT, command.query_async(&mut connection)).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => {
                tracing::debug!(kind = ?error.kind(), "Redis refused a command");
                Err(RedisAway)
            }
            Err(_) => Err(RedisAway),
        }
    }

    /// Whether Redis answers now, for readiness.
    pub async fn ping(&self) -> Result<(), RedisAway> {
        self.command::<String>(&redis::cmd("PING")).await.map(drop)
    }
}

/// Redis did not answer in time, or not as expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Redis cannot be reached")]
pub struct RedisAway;
