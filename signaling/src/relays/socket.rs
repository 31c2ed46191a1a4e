//! The WebSocket to a relay: how it is opened, and messages instead of frames.

use super::RelayLost;
use domain::{
    Redacted,
    relay::{MAX_MESSAGE_BYTES, RelayMessage, RelayRequest, SUBPROTOCOL},
};
use futures_util::{SinkExt as _, StreamExt as _};
use std::time::Duration;
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async_with_config,
    tungstenite::{
        self, Bytes, Message,
        client::IntoClientRequest as _,
        handshake::client::Request,
        http::{HeaderValue, StatusCode, header},
        protocol::WebSocketConfig,
    },
};

/// How long the connection to a relay may take to stand, and one message to leave: relays stand near.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(800);
const SEND_TIMEOUT: Duration = Duration::from_secs(2);

/// An open connection to a relay.
pub(super) struct RelaySocket(WebSocketStream<MaybeTlsStream<TcpStream>>);

/// Opens the control connection of a relay, showing our key.
pub(super) async fn connect(url: &str, key: &Redacted<String>) -> Option<RelaySocket> {
    let request = request(url, key)?;
    let config = WebSocketConfig::default()
        .read_buffer_size(16 * 1024)
        .max_message_size(Some(MAX_MESSAGE_BYTES))
        .max_frame_size(Some(MAX_MESSAGE_BYTES));
    match timeout(CONNECT_TIMEOUT, connect_async_with_config(request, Some(config), true)).await {
        Ok(Ok((socket, _))) => Some(RelaySocket(socket)),
        Ok(Err(tungstenite::Error::Http(response))) if response.status() == StatusCode::UNAUTHORIZED => {
            tracing::error!("the relay refuses RELAY_KEY; it must be the same on signaling and relay");
            None
        }
        Ok(Err(_)) | Err(_) => None,
    }
}

impl RelaySocket {
    pub(super) async fn send(&mut self, request: &RelayRequest) -> Result<(), RelayLost> {
        let text = serde_json::to_string(request).expect("a request is plain JSON");
        self.send_frame(Message::text(text)).await
    }

    pub(super) async fn ping(&mut self) -> Result<(), RelayLost> {
        self.send_frame(Message::Ping(Bytes::new())).await
    }

    /// What the relay said next; `None` for what is no message of the protocol, a ping for example. May be dropped half way.
    pub(super) async fn next(&mut self) -> Result<Option<RelayMessage>, RelayLost> {
        match self.0.next().await {
            Some(Ok(Message::Text(text))) => match serde_json::from_str(&text) {
                Ok(message) => Ok(Some(message)),
                Err(_) => {
                    tracing::warn!("the relay said something that is not of the protocol");
                    Ok(None)
                }
            },
            Some(Ok(Message::Close(_)) | Err(_)) | None => Err(RelayLost),
            Some(Ok(_)) => Ok(None),
        }
    }

    async fn send_frame(&mut self, message: Message) -> Result<(), RelayLost> {
        match timeout(SEND_TIMEOUT, self.0.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(RelayLost),
        }
    }
}

fn request(url: &str, key: &Redacted<String>) -> Option<Request> {
    let mut request = url.into_client_request().ok()?;
    let mut bearer = HeaderValue::try_from(format!("Bearer {}", key.expose())).ok()?;
    bearer.set_sensitive(true);
    let headers = request.headers_mut();
    headers.insert(header::AUTHORIZATION, bearer);
    headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
    Some(request)
}
