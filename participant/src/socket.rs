//! A WebSocket that carries JSON messages: what the relay's and signaling's clients have in common.

use futures_util::{SinkExt, StreamExt};
use serde_json::Error as JsonError;
use std::time::Duration;
use tokio::{
    net::TcpStream,
    sync::mpsc,
    time::{error::Elapsed, timeout},
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async_with_config,
    tungstenite::{
        self, Message,
        client::IntoClientRequest,
        handshake::client::Request,
        http::{HeaderName, HeaderValue, header},
        protocol::{CloseFrame, WebSocketConfig, frame::coding::CloseCode},
    },
};

/// How long a server may take to accept a socket.
const OPEN_TIMEOUT: Duration = Duration::from_secs(10);

/// Messages that wait to be sent; a sender that is faster than the socket waits.
const OUTBOX: usize = 64;

type Stream = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Why a socket could not be opened or used.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// The server cannot be reached, or refuses the socket.
    #[error("the socket could not be opened: {0}")]
    Refused(#[from] Box<tungstenite::Error>),
    /// The server takes too long to answer.
    #[error("the server did not answer in time")]
    TimedOut(#[from] Elapsed),
    /// The socket is closed.
    #[error("the socket is closed")]
    Closed,
    /// A message that cannot be written as JSON.
    #[error("the message cannot be written: {0}")]
    Json(#[from] JsonError),
}

impl SocketError {
    /// The HTTP status with which the server refused the socket.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused(error) => match &**error {
                tungstenite::Error::Http(response) => Some(response.status().as_u16()),
                _ => None,
            },
            _ => None,
        }
    }
}

/// What happens to a socket, told to the one who opened it.
pub trait Listener: Send + 'static {
    /// A text message came.
    fn text(&mut self, text: &str);
    /// The socket is closed, with this code if the other side gave one. Nothing comes after it.
    fn closed(&mut self, code: Option<u16>);
}

/// The sending half of an open socket; when the last copy is dropped the socket closes.
#[derive(Debug, Clone)]
pub struct Sender(mpsc::Sender<Message>);

impl Sender {
    /// Sends one message.
    ///
    /// # Errors
    /// When the socket is closed.
    pub async fn send(&self, message: &impl serde::Serialize) -> Result<(), SocketError> {
        self.send_text(serde_json::to_string(message)?).await
    }

    /// Sends text as it is, a message of the protocol or not.
    ///
    /// # Errors
    /// When the socket is closed.
    pub async fn send_text(&self, text: String) -> Result<(), SocketError> {
        self.0.send(Message::text(text)).await.map_err(|_| SocketError::Closed)
    }
}

/// Opens a socket that speaks `subprotocol`; `headers` go with the request.
///
/// # Errors
/// When the server cannot be reached in time or refuses.
pub async fn open(
    url: &str,
    subprotocol: &'static str,
    max_message_bytes: usize,
    headers: &[(HeaderName, String)],
    listener: impl Listener,
) -> Result<Sender, SocketError> {
    let request = request(url, subprotocol, headers).map_err(Box::new)?;
    let config = WebSocketConfig::default().max_message_size(Some(max_message_bytes));
    let opening = connect_async_with_config(request, Some(config), true);
    let (stream, _) = timeout(OPEN_TIMEOUT, opening).await?.map_err(Box::new)?;
    let (sender, outbox) = mpsc::channel(OUTBOX);
    tokio::spawn(carry(stream, outbox, listener));
    Ok(Sender(sender))
}

fn request(
    url: &str,
    subprotocol: &'static str,
    headers: &[(HeaderName, String)],
) -> Result<Request, tungstenite::Error> {
    let mut request = url.into_client_request()?;
    request.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(subprotocol));
    for (name, value) in headers {
        request.headers_mut().insert(name, HeaderValue::from_str(value).map_err(tungstenite::http::Error::from)?);
    }
    Ok(request)
}

async fn carry(stream: Stream, mut outbox: mpsc::Receiver<Message>, mut listener: impl Listener) {
    let (mut sink, mut inbox) = stream.split();
    let code = loop {
        tokio::select! {
            outgoing = outbox.recv() => match outgoing {
                Some(message) => {
                    if sink.send(message).await.is_err() {
                        break None;
                    }
                }
                None => {
                    // Best effort: the other side notices a closed socket in any case.
                    let normal = CloseFrame { code: CloseCode::Normal, reason: "".into() };
                    let _ = sink.send(Message::Close(Some(normal))).await;
                    break None;
                }
            },
            incoming = inbox.next() => match incoming {
                Some(Ok(Message::Text(text))) => listener.text(&text),
                Some(Ok(Message::Close(frame))) => break frame.map(|frame| frame.code.into()),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => break None,
            },
        }
    };
    listener.closed(code);
}
