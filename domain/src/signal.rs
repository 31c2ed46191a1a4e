//! The messages between a browser and signaling, subprotocol [`SUBPROTOCOL`]. `docs/protocol.md` tells them in prose.

use crate::{
    ChatMessageId, ParticipantId, Redacted,
    media::{Mid, ParticipantStatus, Sdp},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The WebSocket subprotocol (RFC 6455 §1.9) both sides name; the number changes when an old page could not follow.
pub const SUBPROTOCOL: &str = "bedside.v1";

/// The largest message in either direction, in bytes: a session description and its envelope.
pub const MAX_MESSAGE_BYTES: usize = 72 * 1024;

/// The longest chat text, in characters.
pub const MAX_CHAT_CHARS: usize = 2_000;

/// What a browser says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum ClientMessage {
    /// First message of a page: enter the room with this offer. Answered by [`ServerMessage::Joined`].
    Join {
        /// The join token, used up by this.
        token: Redacted<String>,
        /// Everything published and every slot.
        offer: Sdp,
    },
    /// First message of a new socket while media still flows: take up where the old socket left. Answered by [`ServerMessage::Resumed`].
    Resume {
        /// A fresh join token, used up by this.
        token: Redacted<String>,
    },
    /// Media failed or [`ServerMessage::Restart`] asked for it: the same participant with a new peer connection. Answered by [`ServerMessage::Joined`].
    Rejoin {
        /// As in `Join`.
        offer: Sdp,
    },
    /// What the others should see of this participant.
    Status {
        /// The whole status, not a change to it.
        status: ParticipantStatus,
    },
    /// Write to everybody in the room.
    Chat {
        /// Chosen by the page, so that sending again after a lost socket does not write twice.
        id: ChatMessageId,
        /// What was written.
        text: Redacted<String>,
    },
    /// Leave the room. The encounter goes on and the way back is open.
    Leave {},
    /// Are you there? Answered by [`ServerMessage::Pong`].
    Ping {},
}

/// What signaling says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerMessage {
    /// The way into the room is open: apply the answer.
    Joined {
        /// The participant this page now is.
        participant: ParticipantId,
        /// Answer to the offer, with all candidates.
        answer: Sdp,
        /// What was written so far.
        chat: Vec<ChatMessage>,
    },
    /// The socket is attached again; media was not touched.
    Resumed {
        /// The participant this page still is.
        participant: ParticipantId,
        /// What was written so far.
        chat: Vec<ChatMessage>,
    },
    /// Who is in the room: always the whole, never a change. The receiver shows exactly this.
    Room {
        /// Everybody, the receiver included.
        participants: Vec<ParticipantView>,
    },
    /// Somebody wrote, the receiver perhaps.
    Chat {
        /// The message as kept.
        message: ChatMessage,
    },
    /// The relay of this room is gone: send [`ClientMessage::Rejoin`].
    Restart {},
    /// The encounter is finished. The socket closes with [`close::ENDED`].
    Ended {},
    /// The same participant joined from elsewhere. The socket closes with [`close::REPLACED`].
    Replaced {},
    /// Answer to [`ClientMessage::Ping`].
    Pong {},
    /// Something was refused.
    Error {
        /// For the program.
        code: ErrorCode,
        /// For the person.
        message: String,
    },
}

/// One participant as another sees them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParticipantView {
    /// Who.
    pub participant: ParticipantId,
    /// What the page calls them.
    pub name: Redacted<String>,
    /// What they are in this consultation.
    pub role: ParticipantRole,
    /// Media flows between them and the relay.
    pub connected: bool,
    /// What they say of themselves.
    pub status: ParticipantStatus,
    /// The receiver's slot in which they are heard.
    pub audio: Option<Mid>,
    /// The receiver's slot in which they are seen.
    pub video: Option<Mid>,
}

/// What somebody is in a consultation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "sqlx", derive(sqlx::Type), sqlx(type_name = "text", rename_all = "snake_case"))]
#[serde(rename_all = "snake_case")]
pub enum ParticipantRole {
    /// Sees the patient, and ends the visit.
    Practitioner,
    /// Is seen.
    Patient,
    /// A camera or a screen that a program of the clinic let in.
    Device,
}

/// A message of the chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatMessage {
    /// As chosen by the writer's page.
    pub id: ChatMessageId,
    /// Who wrote.
    pub from: ParticipantId,
    /// The writer's name.
    pub name: Redacted<String>,
    /// What was written.
    pub text: Redacted<String>,
    /// When it was kept.
    pub at: Timestamp,
}

/// Why something was refused; stable, for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The message is not one of the protocol, or not at this point of it.
    BadMessage,
    /// The token is unknown, used, expired, or its encounter is not open.
    TokenRefused,
    /// The offer cannot be answered.
    OfferRefused,
    /// The room holds as many as it may.
    RoomFull,
    /// Too many messages in too short a time.
    TooFast,
    /// The chat text is empty or too long.
    ChatRefused,
    /// No media relay can be reached.
    NoRelay,
    /// This node is going away or fails; try another.
    Unavailable,
}

/// Close codes of the socket (RFC 6455 §7.4.2, private range).
pub mod close {
    /// The encounter is finished. Do not come back.
    pub const ENDED: u16 = 4000;
    /// Another connection of the same participant took over. Do not come back by yourself.
    pub const REPLACED: u16 = 4001;
    /// The token was refused. Ask for a new one.
    pub const TOKEN_REFUSED: u16 = 4002;
    /// The protocol was broken.
    pub const BAD_MESSAGE: u16 = 4003;
    /// Too many messages.
    pub const TOO_FAST: u16 = 4004;
    /// The participant left.
    pub const LEFT: u16 = 4005;
    /// The node shuts down: come back at once, by another socket.
    pub const GOING_AWAY: u16 = 4006;
}
