//! Speaks to signaling as a page does; of use without media, too.

use crate::socket::{self, Listener, Sender, SocketError};
use domain::{
    ChatMessageId, ParticipantId, Redacted,
    media::{ParticipantStatus, Sdp},
    signal::{ChatMessage, ClientMessage, ErrorCode, MAX_MESSAGE_BYTES, ParticipantView, SUBPROTOCOL, ServerMessage},
};
use std::{sync::Arc, time::Duration};
use tokio::{sync::watch, time::timeout};
use tokio_tungstenite::tungstenite::http::header;

/// How many refusals are kept; later ones only replace the last.
const MAX_ERRORS: usize = 64;

/// All that signaling has said, put together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Heard {
    /// Who this page is.
    pub participant: Option<ParticipantId>,
    /// The last answer.
    pub answer: Option<Sdp>,
    /// How many answers came: one for each join and rejoin.
    pub answers: u32,
    /// How often a socket was attached again.
    pub resumed: u32,
    /// Who is in the room.
    pub room: Vec<ParticipantView>,
    /// What was written, oldest first.
    pub chat: Vec<ChatMessage>,
    /// What was refused, oldest first.
    pub errors: Vec<ErrorCode>,
    /// How often a new offer was asked for.
    pub restarts: u32,
    /// How many pings were answered.
    pub pongs: u32,
    /// The encounter is finished.
    pub ended: bool,
    /// The same participant is elsewhere now.
    pub replaced: bool,
    /// The socket is closed.
    pub closed: Option<Closed>,
}

/// How a socket was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Closed {
    /// The code that signaling gave ([`domain::signal::close`]).
    pub code: Option<u16>,
}

impl Heard {
    /// Enters what signaling said.
    pub fn hear(&mut self, message: ServerMessage) {
        match message {
            ServerMessage::Joined { participant, answer, chat } => {
                self.participant = Some(participant);
                self.answer = Some(answer);
                self.answers += 1;
                self.chat = chat;
            }
            ServerMessage::Resumed { participant, chat } => {
                self.participant = Some(participant);
                self.resumed += 1;
                self.chat = chat;
            }
            ServerMessage::Room { participants } => self.room = participants,
            ServerMessage::Chat { message } => self.chat.push(message),
            ServerMessage::Restart {} => self.restarts += 1,
            ServerMessage::Ended {} => self.ended = true,
            ServerMessage::Replaced {} => self.replaced = true,
            ServerMessage::Pong {} => self.pongs += 1,
            ServerMessage::Error { code, .. } => {
                self.errors.truncate(MAX_ERRORS - 1);
                self.errors.push(code);
            }
        }
    }

    /// Somebody of the room, this page included.
    pub fn sees(&self, participant: ParticipantId) -> Option<&ParticipantView> {
        self.room.iter().find(|view| view.participant == participant)
    }

    /// Everybody else in the room.
    pub fn others(&self) -> impl Iterator<Item = &ParticipantView> {
        self.room.iter().filter(|view| Some(view.participant) != self.participant)
    }
}

/// What was waited for was not said; here is what was.
#[derive(Debug, thiserror::Error)]
#[error("not said within {waited:?}; what was said: {heard:#?}")]
pub struct NotHeard {
    /// How long it was waited for.
    pub waited: Duration,
    /// All that was said.
    pub heard: Box<Heard>,
}

/// An open socket to signaling. Copies share it; it closes with the last one.
#[derive(Debug, Clone)]
pub struct SignalingClient {
    sender: Sender,
    heard: Arc<watch::Sender<Heard>>,
}

impl SignalingClient {
    /// Opens the socket at `url` (`ws://…/signal`) as a page of `origin` (`http://localhost:8080`) would.
    ///
    /// # Errors
    /// When signaling cannot be reached or refuses the origin.
    pub async fn connect(url: &str, origin: &str) -> Result<Self, SocketError> {
        let heard = Arc::new(watch::Sender::default());
        let headers = [(header::ORIGIN, origin.to_owned())];
        let sender = socket::open(url, SUBPROTOCOL, MAX_MESSAGE_BYTES, &headers, Ears(Arc::clone(&heard))).await?;
        Ok(Self { sender, heard })
    }

    /// Says something.
    ///
    /// # Errors
    /// When the socket is closed.
    pub async fn say(&self, message: ClientMessage) -> Result<(), SocketError> {
        self.sender.send(&message).await
    }

    /// Says something that is perhaps no message of the protocol.
    ///
    /// # Errors
    /// When the socket is closed.
    pub async fn say_text(&self, text: &str) -> Result<(), SocketError> {
        self.sender.send_text(text.to_owned()).await
    }

    /// Asks to be let in with `offer`.
    ///
    /// # Errors
    /// When the socket is closed.
    pub async fn join(&self, token: &Redacted<String>, offer: &str) -> Result<(), SocketError> {
        self.say(ClientMessage::Join { token: token.clone(), offer: Redacted::new(offer.to_owned()) }).await
    }

    /// Takes up where another socket left.
    ///
    /// # Errors
    /// When the socket is closed.
    pub async fn resume(&self, token: &Redacted<String>) -> Result<(), SocketError> {
        self.say(ClientMessage::Resume { token: token.clone() }).await
    }

    /// Offers a new peer connection for the same participant.
    ///
    /// # Errors
    /// When the socket is closed.
    pub async fn rejoin(&self, offer: &str) -> Result<(), SocketError> {
        self.say(ClientMessage::Rejoin { offer: Redacted::new(offer.to_owned()) }).await
    }

    /// Writes to everybody in the room.
    ///
    /// # Errors
    /// When the socket is closed.
    pub async fn send_chat(&self, id: ChatMessageId, text: &str) -> Result<(), SocketError> {
        self.say(ClientMessage::Chat { id, text: Redacted::new(text.to_owned()) }).await
    }

    /// Tells the others of microphone, camera and connection.
    ///
    /// # Errors
    /// When the socket is closed.
    pub async fn say_status(&self, status: ParticipantStatus) -> Result<(), SocketError> {
        self.say(ClientMessage::Status { status }).await
    }

    /// Leaves the room.
    ///
    /// # Errors
    /// When the socket is closed.
    pub async fn leave(&self) -> Result<(), SocketError> {
        self.say(ClientMessage::Leave {}).await
    }

    /// All that was said so far.
    pub fn heard(&self) -> Heard {
        self.heard.borrow().clone()
    }

    /// Waits until what was said is as `wanted`, and gives it.
    ///
    /// # Errors
    /// When it is not so within `within`.
    pub async fn until(&self, wanted: impl FnMut(&Heard) -> bool, within: Duration) -> Result<Heard, NotHeard> {
        let mut heard = self.heard.subscribe();
        let said = match timeout(within, heard.wait_for(wanted)).await {
            Ok(Ok(heard)) => Some(heard.clone()),
            _ => None,
        };
        said.ok_or_else(|| NotHeard { waited: within, heard: Box::new(self.heard()) })
    }
}

struct Ears(Arc<watch::Sender<Heard>>);

impl Listener for Ears {
    fn text(&mut self, text: &str) {
        match serde_json::from_str(text) {
            Ok(message) => self.0.send_modify(|heard| heard.hear(message)),
            Err(_) => tracing::warn!("signaling said something that is not of the protocol"),
        }
    }

    fn closed(&mut self, code: Option<u16>) {
        self.0.send_modify(|heard| heard.closed = Some(Closed { code }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_shows_the_room_as_it_was_told_last() {
        let mut heard = Heard::default();
        heard.hear(ServerMessage::Room { participants: Vec::new() });
        heard.hear(ServerMessage::Restart {});
        heard.hear(ServerMessage::Error { code: ErrorCode::TooFast, message: "slower".to_owned() });
        assert_eq!((heard.restarts, heard.errors.as_slice()), (1, [ErrorCode::TooFast].as_slice()));
        assert!(heard.room.is_empty() && !heard.ended);
    }

    #[test]
    fn refusals_are_not_kept_without_bound() {
        let mut heard = Heard::default();
        for _ in 0..1_000 {
            heard.hear(ServerMessage::Error { code: ErrorCode::TooFast, message: String::new() });
        }
        assert_eq!(heard.errors.len(), MAX_ERRORS);
    }
}
