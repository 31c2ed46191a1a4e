//! One connection to one relay: requests and their replies, and the news of the rooms that are watched.

use super::socket::{RelaySocket, connect};
use crate::room::RelayView;
use domain::{
    Redacted, RelayId, RoomId,
    relay::{RelayAnnouncement, RelayCommand, RelayMessage, RelayOutcome, RelayRefusal, RelayRequest},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::{Instant, interval, sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

/// How long a relay may take to answer. It answers from memory, in milliseconds.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(3);

/// How many requests may be on their way; who comes later waits, within [`REQUEST_TIMEOUT`].
const MAX_OPEN: usize = 256;

/// How often the relay is asked for a sign of life, and how long it may owe one.
const PING: Duration = Duration::from_secs(1);
const SILENCE: Duration = Duration::from_secs(4);

/// The pauses before each attempt to connect; after the last the relay is lost. Rooms learn of it within a second.
const ATTEMPTS: [Duration; 3] = [Duration::ZERO, Duration::from_millis(150), Duration::from_millis(350)];

/// A connection that ended sooner than this was none: the relay that drops each at once is lost as well.
const STEADY: Duration = Duration::from_secs(2);

/// The relay does not answer any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the relay cannot be reached")]
pub(crate) struct RelayLost;

/// The latest of a watched room.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum RoomNews {
    /// The relay has not told anything yet.
    #[default]
    Nothing,
    /// The room is so.
    Present(RelayView),
    /// The relay has no such room any more.
    Gone,
    /// The relay itself is gone.
    Lost,
}

/// A link to a relay. Cheap to clone.
#[derive(Clone)]
pub(crate) struct RelayLink {
    shared: Arc<Shared>,
}

struct Shared {
    id: RelayId,
    requests: mpsc::Sender<Open>,
    rooms: Mutex<HashMap<RoomId, watch::Sender<RoomNews>>>,
    lost: CancellationToken,
}

/// A request and who waits for its reply.
struct Open {
    command: RelayCommand,
    reply: oneshot::Sender<RelayOutcome>,
}

/// What is done when a reply comes.
enum Waiting {
    Caller(oneshot::Sender<RelayOutcome>),
    /// A watch that was asked for again after the connection was lost.
    Rewatch,
}

/// Why a connection ended.
enum Ended {
    /// Try again.
    Broken,
    /// The relay at this address does not know a room that was there: it is another one by now.
    Forgotten,
    /// Nobody holds the link any more.
    Unused,
}

impl RelayLink {
    /// Begins to connect. Must be called within a tokio runtime.
    pub(super) fn open(relay: &RelayAnnouncement, key: Redacted<String>) -> Self {
        let (requests, queue) = mpsc::channel(MAX_OPEN);
        let shared =
            Arc::new(Shared { id: relay.id, requests, rooms: Mutex::default(), lost: CancellationToken::new() });
        let span = tracing::info_span!("relay", relay.id = %relay.id);
        let task = run(Arc::downgrade(&shared), shared.lost.clone(), relay.control_url.clone(), key, queue);
        tokio::spawn(task.instrument(span));
        Self { shared }
    }

    /// Which relay.
    pub(crate) fn relay(&self) -> RelayId {
        self.shared.id
    }

    /// Nothing will come over this link any more.
    pub(crate) fn is_lost(&self) -> bool {
        self.shared.lost.is_cancelled()
    }

    /// Asks and waits for the answer, 3 s at most.
    pub(crate) async fn request(&self, command: RelayCommand) -> Result<RelayOutcome, RelayLost> {
        let (reply, outcome) = oneshot::channel();
        let exchange = async {
            self.shared.requests.send(Open { command, reply }).await.map_err(|_| RelayLost)?;
            outcome.await.map_err(|_| RelayLost)
        };
        tokio::select! {
            // A link that is being lost drops its queue; waiting for the timeout then would only cost time.
            () = self.shared.lost.cancelled() => Err(RelayLost),
            outcome = timeout(REQUEST_TIMEOUT, exchange) => outcome.unwrap_or(Err(RelayLost)),
        }
    }

    /// The room's news from now on, the latest always. The relay sends them after a `Join` or a `Watch` of that room.
    pub(crate) fn watch(&self, room: RoomId) -> watch::Receiver<RoomNews> {
        let mut rooms = self.shared.rooms();
        rooms.retain(|_, news| news.receiver_count() > 0);
        let news = rooms.entry(room).or_insert_with(|| watch::Sender::new(RoomNews::Nothing)).subscribe();
        drop(rooms);
        if self.is_lost() {
            self.shared.tell_lost();
        }
        news
    }
}

impl Shared {
    fn rooms(&self) -> MutexGuard<'_, HashMap<RoomId, watch::Sender<RoomNews>>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, room: RoomId, what: RoomNews) {
        if let Some(news) = self.rooms().get(&room) {
            news.send_replace(what);
        }
    }

    fn tell_lost(&self) {
        for news in self.rooms().values() {
            news.send_replace(RoomNews::Lost);
        }
    }

    /// Rooms that somebody watches and the relay has told of.
    fn watched(&self) -> Vec<RoomId> {
        let rooms = self.rooms();
        let watched = rooms
            .iter()
            .filter(|(_, news)| news.receiver_count() > 0 && matches!(*news.borrow(), RoomNews::Present(_)));
        watched.map(|(room, _)| *room).collect()
    }
}

/// Connects, converses, and again; until the relay is lost or nobody holds the link.
async fn run(
    shared: std::sync::Weak<Shared>,
    lost: CancellationToken,
    url: String,
    key: Redacted<String>,
    mut queue: mpsc::Receiver<Open>,
) {
    let mut attempts = ATTEMPTS.iter();
    while let Some(pause) = attempts.next() {
        sleep(*pause).await;
        let Some(socket) = connect(&url, &key).await else { continue };
        let since = Instant::now();
        match converse(&shared, socket, &mut queue).await {
            Ended::Broken if since.elapsed() >= STEADY => attempts = ATTEMPTS.iter(),
            Ended::Broken => {}
            Ended::Forgotten => break,
            Ended::Unused => return lost.cancel(),
        }
        tracing::info!("the connection to the relay ended");
    }
    tracing::warn!("the relay is lost");
    metrics::counter!("signaling_relays_lost_total").increment(1);
    lost.cancel();
    if let Some(shared) = shared.upgrade() {
        shared.tell_lost();
    }
}

/// Serves one connection to its end.
async fn converse(
    shared: &std::sync::Weak<Shared>,
    mut socket: RelaySocket,
    queue: &mut mpsc::Receiver<Open>,
) -> Ended {
    let mut waiting: HashMap<u64, Waiting> = HashMap::new();
    let mut numbers = 0_u64..;
    let mut number = || numbers.next().expect("2^64 requests are never sent");
    let watched = shared.upgrade().map(|shared| shared.watched()).unwrap_or_default();
    for room in watched {
        let id = number();
        waiting.insert(id, Waiting::Rewatch);
        if socket.send(&RelayRequest { id, command: RelayCommand::Watch { room } }).await.is_err() {
            return Ended::Broken;
        }
    }
    let mut ping = interval(PING);
    let mut heard_at = Instant::now();
    loop {
        tokio::select! {
            message = socket.next() => {
                heard_at = Instant::now();
                let Some(shared) = shared.upgrade() else { return Ended::Unused };
                match message {
                    Ok(Some(message)) => if let Some(ended) = take(&shared, &mut waiting, message) { return ended },
                    Ok(None) => {}
                    Err(RelayLost) => return Ended::Broken,
                }
            }
            open = queue.recv(), if waiting.len() < MAX_OPEN => {
                let Some(Open { command, reply }) = open else { return Ended::Unused };
                let id = number();
                waiting.insert(id, Waiting::Caller(reply));
                if socket.send(&RelayRequest { id, command }).await.is_err() {
                    return Ended::Broken;
                }
            }
            _ = ping.tick() => {
                waiting.retain(|_, one| !matches!(one, Waiting::Caller(reply) if reply.is_closed()));
                if heard_at.elapsed() > SILENCE || socket.ping().await.is_err() {
                    return Ended::Broken;
                }
            }
        }
    }
}

/// What the relay said. Ends the conversation when it cannot go on.
fn take(shared: &Shared, waiting: &mut HashMap<u64, Waiting>, message: RelayMessage) -> Option<Ended> {
    match message {
        RelayMessage::Reply { id, outcome } => match waiting.remove(&id) {
            Some(Waiting::Caller(reply)) => {
                // Who waited may have given up.
                let _ = reply.send(outcome);
                None
            }
            Some(Waiting::Rewatch) => {
                let is_forgotten = matches!(outcome, RelayOutcome::Refused { code: RelayRefusal::NoSuchRoom, .. });
                is_forgotten.then_some(Ended::Forgotten)
            }
            None => None,
        },
        RelayMessage::Room { room, participants, slots } => {
            shared.tell(room, RoomNews::Present(RelayView { participants, slots }));
            None
        }
        RelayMessage::RoomGone { room } => {
            shared.tell(room, RoomNews::Gone);
            None
        }
    }
}
