//! The rooms that somebody on this node is in, each kept by one task.

mod chat;
mod device;
mod enter;
mod keeper;
mod local_socket;
mod place;
mod presence;

pub(crate) use device::{DeviceCommand, DeviceEntry, IceRefused, IceSaid};
pub(crate) use local_socket::{LocalSocket, Outbound, Outbox, SocketId};

use crate::Node;
use domain::{
    ChatMessageId, ClinicId, EncounterId, JoinClaims, Redacted, RoomId,
    media::{ParticipantStatus, Sdp},
    signal::ErrorCode,
};
use keeper::Keeper;
use scheduler::join_tokens::Admission;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::{mpsc, oneshot};

/// How many commands may wait for one room. A room has five people; more waiting means that it is stuck.
const QUEUE: usize = 64;

/// How long a room may take over one command: a relay that hangs, then another one.
pub(crate) const ROOM_TIMEOUT: Duration = Duration::from_secs(12);

/// Why something was not done, as the page is told it.
pub(crate) type Refusal = ErrorCode;

/// How a socket comes into a room.
pub(crate) enum Entry {
    /// With a new peer connection.
    Join(Sdp),
    /// With the peer connection that it has.
    Resume,
}

/// What a socket asks of its room. What it says about a participant is about its own.
pub(crate) enum RoomCommand {
    Enter {
        socket: Box<LocalSocket>,
        entry: Entry,
        reply: oneshot::Sender<Result<(), Refusal>>,
    },
    Rejoin {
        socket: SocketId,
        offer: Sdp,
        reply: oneshot::Sender<Result<(), Refusal>>,
    },
    Status {
        socket: SocketId,
        status: ParticipantStatus,
    },
    Chat {
        socket: SocketId,
        id: ChatMessageId,
        text: Redacted<String>,
        reply: oneshot::Sender<Result<(), Refusal>>,
    },
    Leave {
        socket: SocketId,
    },
    /// The socket is gone; the participant's media is not touched.
    Detach {
        socket: SocketId,
    },
    /// A client without a socket.
    Device(DeviceCommand),
}

/// Which room, and of which consultation it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RoomOf {
    pub(crate) clinic: ClinicId,
    pub(crate) encounter: EncounterId,
    pub(crate) room: RoomId,
}

impl From<&Admission> for RoomOf {
    fn from(admission: &Admission) -> Self {
        Self { clinic: admission.clinic, encounter: admission.encounter, room: admission.room }
    }
}

impl From<&JoinClaims> for RoomOf {
    fn from(claims: &JoinClaims) -> Self {
        Self { clinic: claims.clinic, encounter: claims.encounter, room: claims.room }
    }
}

/// The way to a room's task.
pub(crate) type RoomSender = mpsc::Sender<RoomCommand>;

/// The table of rooms.
#[derive(Default)]
pub(crate) struct Rooms {
    table: Mutex<HashMap<RoomId, RoomSender>>,
}

impl Rooms {
    /// Hands a command to the room that a token opened; the room's task begins if this is the first.
    ///
    /// The command is queued under the table's lock, so that a room which ends cannot miss it.
    pub(crate) fn enter(&self, node: &Arc<Node>, of: RoomOf, command: RoomCommand) -> Result<RoomSender, Refusal> {
        let mut table = self.table();
        let sender = table.entry(of.room).or_insert_with(|| {
            let (sender, commands) = mpsc::channel(QUEUE);
            node.tasks.spawn(Keeper::new(Arc::clone(node), of, commands).run());
            sender
        });
        sender.try_send(command).map_err(|_| ErrorCode::Unavailable)?;
        Ok(sender.clone())
    }

    /// The room's task ends, unless something was queued for it since it looked.
    fn let_go(&self, room: RoomId, commands: &mpsc::Receiver<RoomCommand>) -> bool {
        let mut table = self.table();
        if commands.is_empty() {
            table.remove(&room);
        }
        commands.is_empty()
    }

    fn table(&self) -> MutexGuard<'_, HashMap<RoomId, RoomSender>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
