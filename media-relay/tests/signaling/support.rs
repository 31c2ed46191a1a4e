//! A relay and a signaling node, for the tests of what is between them.

use domain::{
    ParticipantId, Random, Redacted, RoomId,
    media::Sdp,
    relay::{Connection, Epoch, RelayCommand, RelayMessage, RelayOutcome, RelayRequest, SUBPROTOCOL},
};
use futures_util::{SinkExt, StreamExt};
use media_relay::{Relay, RelayConfig, RelayHandle};
use std::{sync::Arc, time::Duration};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Error, Message, client::IntoClientRequest},
};
use uuid::Uuid;

pub(crate) const KEY: &str = "a key of more than sixteen bytes";
const OFFER: &str = include_str!("../../src/sdp/samples/firefox.sdp");

struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) {
        aws_lc_rs::rand::fill(bytes).expect("the system has randomness");
    }
}

/// A relay with the usual configuration.
pub(crate) async fn relay() -> RelayHandle {
    relay_with(|_| ()).await
}

pub(crate) async fn relay_with(change: impl FnOnce(&mut RelayConfig)) -> RelayHandle {
    let mut config = RelayConfig::local(Redacted::new(KEY.to_owned()));
    change(&mut config);
    Relay::start(config, Arc::new(SystemRandom)).await.expect("a relay on free ports")
}

/// A signaling node.
pub(crate) struct Signaling {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    next: u64,
    told: Vec<RelayMessage>,
}

pub(crate) async fn connect(relay: &RelayHandle, key: &str, protocol: &str) -> Result<Signaling, Error> {
    let mut request = format!("ws://{}/relay", relay.control_addr).into_client_request()?;
    request.headers_mut().insert("authorization", format!("Bearer {key}").parse().expect("a header"));
    request.headers_mut().insert("sec-websocket-protocol", protocol.parse().expect("a header"));
    let (socket, _) = connect_async(request).await?;
    Ok(Signaling { socket, next: 0, told: Vec::new() })
}

impl Signaling {
    pub(crate) async fn of(relay: &RelayHandle) -> Self {
        connect(relay, KEY, SUBPROTOCOL).await.expect("the right key")
    }

    async fn receives(&mut self) -> RelayMessage {
        loop {
            let message = tokio::time::timeout(Duration::from_secs(20), self.socket.next()).await.expect("in time");
            if let Message::Text(text) = message.expect("open").expect("a message") {
                return serde_json::from_str(text.as_str()).expect("a message of the protocol");
            }
        }
    }

    pub(crate) async fn asks(&mut self, command: RelayCommand) -> RelayOutcome {
        self.next += 1;
        let request = serde_json::to_string(&RelayRequest { id: self.next, command }).expect("JSON");
        self.socket.send(Message::Text(request.into())).await.expect("open");
        loop {
            match self.receives().await {
                RelayMessage::Reply { id, outcome } if id == self.next => return outcome,
                other => self.told.push(other),
            }
        }
    }

    pub(crate) async fn joins(&mut self, room: RoomId, participant: u128, epoch: i64, connection: i64) -> RelayOutcome {
        self.asks(RelayCommand::Join {
            room,
            epoch: Epoch(epoch),
            participant: who(participant),
            connection: Connection(connection),
            offer: offer(),
        })
        .await
    }

    /// The next thing that is told of a room.
    pub(crate) async fn hears(&mut self) -> RelayMessage {
        if self.told.is_empty() { self.receives().await } else { self.told.remove(0) }
    }

    /// Waits until the room has this many participants.
    pub(crate) async fn sees(&mut self, count: usize) -> RelayMessage {
        loop {
            let message = self.hears().await;
            if matches!(&message, RelayMessage::Room { participants, .. } if participants.len() == count) {
                return message;
            }
        }
    }
}

pub(crate) fn who(n: u128) -> ParticipantId {
    ParticipantId(Uuid::from_u128(n))
}

pub(crate) fn room(n: u128) -> RoomId {
    RoomId(Uuid::from_u128(n))
}

pub(crate) fn offer() -> Sdp {
    Sdp::new(OFFER.to_owned())
}
