//! Messages of the protocol out of and into WebSocket frames, with time limits.

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use domain::signal::{ClientMessage, ServerMessage, close};
use std::{error::Error as _, time::Duration};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite;

/// How long one message may take to leave. A page that does not read for so long is gone.
const SEND_TIMEOUT: Duration = Duration::from_secs(5);

/// Standard close codes (RFC 6455 §7.4.1, IANA's registry).
pub(super) const PROTOCOL_ERROR: u16 = 1002;
pub(super) const NOT_UTF8: u16 = 1007;
pub(super) const TOO_BIG: u16 = 1009;
pub(super) const TRY_AGAIN_LATER: u16 = 1013;

/// What came in.
pub(super) enum Inbound {
    Message(ClientMessage),
    /// A sign of life that asks for nothing.
    Sign,
    /// The page closed or the network did.
    Gone,
    /// The socket must be closed with this code.
    Broken(u16),
}

/// The socket is over.
pub(super) struct Over;

/// A socket with the protocol on top.
pub(super) struct Frames(WebSocket);

impl Frames {
    pub(super) fn new(socket: WebSocket) -> Self {
        Self(socket)
    }

    /// What comes next. May be dropped half way.
    pub(super) async fn next(&mut self) -> Inbound {
        match self.0.recv().await {
            Some(Ok(Message::Text(text))) => read(&text),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Inbound::Sign,
            Some(Ok(Message::Binary(_))) => Inbound::Broken(close::BAD_MESSAGE),
            Some(Ok(Message::Close(_))) | None => Inbound::Gone,
            Some(Err(error)) => fault(&error),
        }
    }

    pub(super) async fn send(&mut self, message: &ServerMessage) -> Result<(), Over> {
        let text = serde_json::to_string(message).expect("a server message is plain JSON");
        self.send_frame(Message::text(text)).await
    }

    pub(super) async fn ping(&mut self) -> Result<(), Over> {
        self.send_frame(Message::Ping(Vec::new().into())).await
    }

    /// Says goodbye and reads until the page did so, too, for a moment: otherwise what it still sends would turn the close
    /// into a reset, and the page would not learn the code (RFC 6455 §7.1.1).
    pub(super) async fn close(mut self, code: u16) {
        let frame = CloseFrame { code, reason: Utf8Bytes::default() };
        if self.send_frame(Message::Close(Some(frame))).await.is_ok() {
            let goodbye = async { while let Some(Ok(_)) = self.0.recv().await {} };
            // Who does not say goodbye is left without.
            let _ = timeout(Duration::from_secs(1), goodbye).await;
        }
    }

    async fn send_frame(&mut self, message: Message) -> Result<(), Over> {
        match timeout(SEND_TIMEOUT, self.0.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Over),
        }
    }
}

/// serde's description of a fault can quote the input, so it goes nowhere.
fn read(text: &Utf8Bytes) -> Inbound {
    serde_json::from_str(text.as_str()).map_or(Inbound::Broken(close::BAD_MESSAGE), Inbound::Message)
}

fn fault(error: &axum::Error) -> Inbound {
    match error.source().and_then(|source| source.downcast_ref::<tungstenite::Error>()) {
        Some(tungstenite::Error::Capacity(_)) => Inbound::Broken(TOO_BIG),
        Some(tungstenite::Error::Utf8(_)) => Inbound::Broken(NOT_UTF8),
        Some(tungstenite::Error::Protocol(tungstenite::error::ProtocolError::ResetWithoutClosingHandshake)) => {
            Inbound::Gone
        }
        Some(tungstenite::Error::Protocol(_)) => Inbound::Broken(PROTOCOL_ERROR),
        _ => Inbound::Gone,
    }
}
