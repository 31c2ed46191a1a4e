//! The messages between signaling and a media relay, and what a relay announces of itself.
//!
//! The relay's side of the house: rooms, participants and tracks, never a name.

use crate::{
    ParticipantId, Redacted, RelayId, RoomId,
    media::{MediaKind, Mid, ParticipantStatus, Sdp},
};
use serde::{Deserialize, Serialize};

/// The WebSocket subprotocol between signaling and relay.
pub const SUBPROTOCOL: &str = "bedside-relay.v1";

/// The largest message in either direction, in bytes.
pub const MAX_MESSAGE_BYTES: usize = 256 * 1024;

/// Which placement of a room is meant; a relay refuses a lower one than it has seen (fencing).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(pub i64);

/// Which peer connection of a participant is meant; a higher one replaces a lower one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Connection(pub i64);

/// Which ICE session of a connection is meant: counted up by each ICE restart, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IceSession(pub u64);

impl IceSession {
    /// That of the answer to a join.
    pub const FIRST: Self = Self(1);
}

/// The one way in which media flows for a client that is no page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OneWay {
    /// It sends and receives nothing (WHIP, RFC 9725).
    Publish,
    /// It receives and sends nothing (WHEP).
    Receive,
}

/// A command with the number its reply will carry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelayRequest {
    /// Unique among the sender's open requests.
    pub id: u64,
    /// What to do.
    pub command: RelayCommand,
}

/// What signaling asks of a relay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum RelayCommand {
    /// Bring a participant into a room, which is made when it is not there. Answered by [`RelayOutcome::Joined`].
    ///
    /// The sender watches the room from then on.
    Join {
        /// Into which room.
        room: RoomId,
        /// Which placement of the room the sender acts on.
        epoch: Epoch,
        /// Who.
        participant: ParticipantId,
        /// Which of their connections.
        connection: Connection,
        /// What they publish and the slots they offer.
        offer: Sdp,
    },
    /// As [`Join`](Self::Join), for a client that only sends or only receives; whatever else its offer holds is answered
    /// as if it were not there.
    JoinOneWay {
        /// Into which room.
        room: RoomId,
        /// Which placement of the room the sender acts on.
        epoch: Epoch,
        /// Who.
        participant: ParticipantId,
        /// Which of their connections.
        connection: Connection,
        /// Which way.
        way: OneWay,
        /// What they publish, or the slots they offer.
        offer: Sdp,
    },
    /// A client says something of its ICE (RFC 9725 §4.3): candidates of its own, which the relay does not need, or new
    /// credentials, which restart ICE. Answered by [`RelayOutcome::Ice`].
    Ice {
        /// In which room.
        room: RoomId,
        /// Who.
        participant: ParticipantId,
        /// Which of their connections.
        connection: Connection,
        /// The ICE session that the client means; absent, whichever there is.
        session: Option<IceSession>,
        /// The client's user fragment, when it says one.
        ufrag: Option<Redacted<String>>,
    },
    /// Tell the sender of everything in this room from now on, its present state first.
    Watch {
        /// Which room.
        room: RoomId,
    },
    /// What a participant says of themselves, for the others.
    Status {
        /// In which room.
        room: RoomId,
        /// Who.
        participant: ParticipantId,
        /// The whole of it.
        status: ParticipantStatus,
    },
    /// A participant leaves. A connection that was replaced since is not touched.
    Leave {
        /// Which room.
        room: RoomId,
        /// Who.
        participant: ParticipantId,
        /// Which of their connections.
        connection: Connection,
    },
    /// The encounter is finished: everybody out.
    End {
        /// Which room.
        room: RoomId,
    },
}

/// What a relay says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum RelayMessage {
    /// Answer to the request with the same number.
    Reply {
        /// The request's number.
        id: u64,
        /// What became of it.
        outcome: RelayOutcome,
    },
    /// The state of a watched room: always the whole, sent whenever it changed.
    Room {
        /// Which room.
        room: RoomId,
        /// Everybody in it.
        participants: Vec<RoomParticipant>,
        /// Who is in which slot of whom.
        slots: Vec<SlotAssignment>,
    },
    /// The room is no more.
    RoomGone {
        /// Which room.
        room: RoomId,
    },
}

/// What became of a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum RelayOutcome {
    /// The participant may connect with this answer.
    Joined {
        /// Answer with all candidates.
        answer: Sdp,
    },
    /// The ICE session in force.
    Ice {
        /// Which.
        session: IceSession,
        /// The relay's new credentials and candidates (RFC 8840), when ICE was restarted.
        fragment: Option<Sdp>,
    },
    /// Done.
    Done {},
    /// Not done.
    Refused {
        /// Why.
        code: RelayRefusal,
        /// In words, without anything that was in the offer.
        message: String,
    },
}

/// Why a relay refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RelayRefusal {
    /// The offer cannot be answered.
    BadOffer,
    /// The room holds [`MAX_PARTICIPANTS`](crate::media::MAX_PARTICIPANTS).
    RoomFull,
    /// The relay holds as many rooms or participants as it may, or drains.
    RelayFull,
    /// The epoch or connection is older than one already seen.
    Stale,
    /// The relay does not have this room, or not this connection in it.
    NoSuchRoom,
    /// The ICE session named is not the present one.
    WrongIce,
}

/// One participant as the relay knows them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomParticipant {
    /// Who.
    pub participant: ParticipantId,
    /// Which of their connections.
    pub connection: Connection,
    /// ICE and DTLS are done and consent is fresh.
    pub connected: bool,
    /// What they say of themselves.
    pub status: ParticipantStatus,
}

/// In `subscriber`'s slot `mid` they receive `source`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotAssignment {
    /// Who receives.
    pub subscriber: ParticipantId,
    /// The media section of the subscriber's offer.
    pub mid: Mid,
    /// Sound or picture.
    pub kind: MediaKind,
    /// Who is heard or seen in it.
    pub source: ParticipantId,
}

/// What a relay writes about itself to Redis, every second, to live a few seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelayAnnouncement {
    /// Which relay.
    pub id: RelayId,
    /// Where signaling reaches it, `ws://…` or `wss://…`.
    pub control_url: String,
    /// How many participants it holds.
    pub participants: usize,
    /// It takes no new rooms.
    pub draining: bool,
}
