//! Speaks to a relay's control socket as signaling does: for tests of the relay and for `doctor`.

use crate::socket::{self, Listener, Sender, SocketError};
use domain::{
    Redacted, RoomId,
    relay::{
        MAX_MESSAGE_BYTES, RelayCommand, RelayMessage, RelayOutcome, RelayRequest, RoomParticipant, SUBPROTOCOL,
        SlotAssignment,
    },
};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{oneshot, watch},
    time::timeout,
};
use tokio_tungstenite::tungstenite::http::header;

/// How long a relay may take to answer a command.
const REPLY_TIMEOUT: Duration = Duration::from_secs(10);

/// A room as the relay last told of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoomState {
    /// Everybody in it.
    pub participants: Vec<RoomParticipant>,
    /// Who is in which slot of whom.
    pub slots: Vec<SlotAssignment>,
    /// The relay said that the room is no more.
    pub gone: bool,
}

/// An open control socket. Copies share it; it closes with the last one.
#[derive(Debug, Clone)]
pub struct RelayClient {
    sender: Sender,
    next_id: Arc<AtomicU64>,
    heard: Arc<Heard>,
}

#[derive(Debug, Default)]
struct Heard {
    /// Open requests; each goes when it is answered or no longer waited for.
    waiting: Mutex<HashMap<u64, oneshot::Sender<RelayOutcome>>>,
    rooms: watch::Sender<HashMap<RoomId, RoomState>>,
}

impl RelayClient {
    /// Opens the control socket at `url` (`ws://…/relay`) with the relay's key.
    ///
    /// # Errors
    /// When the relay cannot be reached or refuses the key.
    pub async fn connect(url: &str, key: &Redacted<String>) -> Result<Self, SocketError> {
        let heard = Arc::new(Heard::default());
        let headers = [(header::AUTHORIZATION, format!("Bearer {}", key.expose()))];
        let ears = Ears(Arc::clone(&heard));
        let sender = socket::open(url, SUBPROTOCOL, MAX_MESSAGE_BYTES, &headers, ears).await?;
        Ok(Self { sender, next_id: Arc::default(), heard })
    }

    /// Sends a command and waits for what becomes of it.
    ///
    /// # Errors
    /// When the socket closes, or the relay does not answer in time.
    pub async fn request(&self, command: RelayCommand) -> Result<RelayOutcome, SocketError> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let (reply, replied) = oneshot::channel();
        self.heard.waiting().insert(id, reply);
        self.sender.send(&RelayRequest { id, command }).await?;
        let outcome = timeout(REPLY_TIMEOUT, replied).await;
        self.heard.waiting().remove(&id);
        outcome?.map_err(|_| SocketError::Closed)
    }

    /// The room as last told; empty when nothing was told of it.
    pub fn room(&self, room: RoomId) -> RoomState {
        self.heard.rooms.borrow().get(&room).cloned().unwrap_or_default()
    }

    /// Waits until the relay tells that the room is as `wanted`.
    ///
    /// # Errors
    /// What was told last, when it is not so within `within`.
    pub async fn until_room(
        &self,
        room: RoomId,
        mut wanted: impl FnMut(&RoomState) -> bool,
        within: Duration,
    ) -> Result<RoomState, RoomState> {
        let mut rooms = self.heard.rooms.subscribe();
        let told = |rooms: &HashMap<RoomId, RoomState>| rooms.get(&room).is_some_and(&mut wanted);
        match timeout(within, rooms.wait_for(told)).await {
            Ok(Ok(rooms)) => Ok(rooms.get(&room).cloned().unwrap_or_default()),
            _ => Err(self.room(room)),
        }
    }
}

impl Heard {
    fn waiting(&self) -> std::sync::MutexGuard<'_, HashMap<u64, oneshot::Sender<RelayOutcome>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hear(&self, message: RelayMessage) {
        match message {
            RelayMessage::Reply { id, outcome } => {
                if let Some(reply) = self.waiting().remove(&id) {
                    // Nobody waits any more: it took too long.
                    let _ = reply.send(outcome);
                }
            }
            RelayMessage::Room { room, participants, slots } => {
                let state = RoomState { participants, slots, gone: false };
                self.rooms.send_modify(|rooms| drop(rooms.insert(room, state)));
            }
            RelayMessage::RoomGone { room } => {
                let state = RoomState { gone: true, ..RoomState::default() };
                self.rooms.send_modify(|rooms| drop(rooms.insert(room, state)));
            }
        }
    }
}

struct Ears(Arc<Heard>);

impl Listener for Ears {
    fn text(&mut self, text: &str) {
        match serde_json::from_str(text) {
            Ok(message) => self.0.hear(message),
            Err(_) => tracing::warn!("a relay said something that is not of the protocol"),
        }
    }

    fn closed(&mut self, _code: Option<u16>) {
        // Whoever waits for an answer learns that none will come.
        self.0.waiting().clear();
    }
}
