//! A socket of this node as its room sees it: who it speaks for, and the way to tell it something.

use domain::{
    ParticipantId,
    relay::{Connection, Epoch},
    signal::{ErrorCode, ServerMessage},
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// How many messages may wait for a slow page. Each is small but the first; a page that lags so far is closed with 1013.
const QUEUE: usize = 64;

/// Tells sockets of a node apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct SocketId(pub(crate) u64);

/// What is on its way to a page.
#[derive(Debug)]
pub(crate) enum Outbound {
    Message(Box<ServerMessage>),
    /// The last thing: close with this code.
    Close(u16),
}

/// The bounded way to a page.
#[derive(Debug, Clone)]
pub(crate) struct Outbox {
    queue: mpsc::Sender<Outbound>,
    overflow: CancellationToken,
}

impl Outbox {
    /// An outbox, what comes out of it, and what is cancelled when it ran full.
    pub(crate) fn new() -> (Self, mpsc::Receiver<Outbound>, CancellationToken) {
        let (queue, receiver) = mpsc::channel(QUEUE);
        let overflow = CancellationToken::new();
        (Self { queue, overflow: overflow.clone() }, receiver, overflow)
    }

    /// Queues a message; a page that does not read loses its socket, never holds up the room.
    pub(crate) fn send(&self, message: ServerMessage) {
        self.put(Outbound::Message(Box::new(message)));
    }

    /// Says why something was refused.
    pub(crate) fn refuse(&self, code: ErrorCode) {
        metrics::counter!("signaling_refusals_total", "code" => code_name(code)).increment(1);
        self.send(ServerMessage::Error { code, message: sentence(code).to_owned() });
    }

    /// Queues the end.
    pub(crate) fn close(&self, code: u16) {
        self.put(Outbound::Close(code));
    }

    fn put(&self, outbound: Outbound) {
        if let Err(mpsc::error::TrySendError::Full(_)) = self.queue.try_send(outbound) {
            self.overflow.cancel();
        }
    }
}

/// One socket in a room.
#[derive(Debug, Clone)]
pub(crate) struct LocalSocket {
    pub(crate) id: SocketId,
    /// Who it speaks for, and for nobody else.
    pub(crate) participant: ParticipantId,
    /// The number that its token or its last rejoin was given.
    pub(crate) connection: Connection,
    /// The placement of the room in which its media is.
    pub(crate) joined: Option<Epoch>,
    pub(crate) outbox: Outbox,
}

/// The sentence for the person. It never repeats what was sent.
fn sentence(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::BadMessage => "This page said something that is not understood. Please load it again.",
        ErrorCode::TokenRefused => "The way into the room is not open any more. Please load the page again.",
        ErrorCode::OfferRefused => "This browser's picture and sound cannot be connected.",
        ErrorCode::RoomFull => "The room is full.",
        ErrorCode::TooFast => "Too much at once. Please wait a moment.",
        ErrorCode::ChatRefused => "This message cannot be sent. It may be empty or too long.",
        ErrorCode::NoRelay => "Picture and sound cannot be connected at the moment.",
        ErrorCode::Unavailable => "The connection is being renewed.",
    }
}

/// The code as metrics name it.
fn code_name(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::BadMessage => "bad_message",
        ErrorCode::TokenRefused => "token_refused",
        ErrorCode::OfferRefused => "offer_refused",
        ErrorCode::RoomFull => "room_full",
        ErrorCode::TooFast => "too_fast",
        ErrorCode::ChatRefused => "chat_refused",
        ErrorCode::NoRelay => "no_relay",
        ErrorCode::Unavailable => "unavailable",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_page_that_does_not_read_loses_its_socket_and_holds_up_nobody() {
        let (outbox, _unread, overflow) = Outbox::new();
        for _ in 0..QUEUE {
            outbox.send(ServerMessage::Pong {});
        }
        assert!(!overflow.is_cancelled());
        outbox.send(ServerMessage::Pong {});
        assert!(overflow.is_cancelled());
    }
}
