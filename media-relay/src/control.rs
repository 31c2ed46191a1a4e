//! The control WebSocket: signaling's requests in, replies and room states out.

use crate::{director::Director, watchers::WatcherId};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::{
    Router,
    extract::{
        State, WebSocketUpgrade,
        ws::{CloseFrame, Message, WebSocket, close_code},
    },
    http::{HeaderMap, StatusCode, header::AUTHORIZATION},
    response::{IntoResponse, Response},
    routing::get,
};
use domain::{
    Redacted,
    relay::{MAX_MESSAGE_BYTES, RelayMessage, RelayRequest, SUBPROTOCOL},
};
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

/// Signaling nodes connected at a time.
const MAX_WATCHERS: usize = 64;
/// The least time between two states of the rooms that one node watches; changes in between are one.
const STATE_INTERVAL: Duration = Duration::from_millis(30);
/// How often a node is pinged. After three without any sign it is gone.
const PING_INTERVAL: Duration = Duration::from_secs(15);
/// A node that does not take a message for so long is gone.
const SEND_TIMEOUT: Duration = Duration::from_secs(5);

/// What the control server needs.
#[derive(Clone)]
pub(crate) struct Control {
    /// Owner of the rooms.
    pub director: Arc<Director>,
    /// What a node must present.
    pub key: Arc<Redacted<String>>,
    /// Ends all connections.
    pub shutdown: CancellationToken,
}

/// `/relay`.
pub(crate) fn router(control: Control) -> Router {
    Router::new().route("/relay", get(connect)).with_state(control)
}

async fn connect(State(control): State<Control>, headers: HeaderMap, upgrade: WebSocketUpgrade) -> Response {
    if !may_control(&headers, &control.key) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    if control.director.watchers().count() >= MAX_WATCHERS {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let upgrade =
        upgrade.protocols([SUBPROTOCOL]).max_message_size(MAX_MESSAGE_BYTES).max_frame_size(MAX_MESSAGE_BYTES);
    if upgrade.selected_protocol().is_none() {
        return (StatusCode::BAD_REQUEST, "the subprotocol is not spoken here").into_response();
    }
    upgrade.on_upgrade(move |socket| async move {
        let (watcher, changed) = control.director.watchers().add();
        let mut node = Node { socket, watcher, control: control.clone(), ping: ping(), silent_pings: 0 };
        node.run(&changed).await;
        control.director.watchers().remove(watcher);
    })
}

/// Compares without telling how much was right.
fn may_control(headers: &HeaderMap, key: &Redacted<String>) -> bool {
    let presented = headers.get(AUTHORIZATION).and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
    presented.is_some_and(|presented| verify_slices_are_equal(presented, key.expose().as_bytes()).is_ok())
}

fn ping() -> Interval {
    let mut ping = interval(PING_INTERVAL);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ping
}

/// One connection. It has no queue: a request is answered before the next is read, and states are always the latest.
struct Node {
    socket: WebSocket,
    watcher: WatcherId,
    control: Control,
    ping: Interval,
    silent_pings: u32,
}

/// The connection is over.
struct Over;

impl Node {
    async fn run(&mut self, changed: &tokio::sync::Notify) {
        let mut has_news = false;
        let mut quiet_until = Instant::now();
        let shutdown = self.control.shutdown.clone();
        loop {
            let step = tokio::select! {
                () = shutdown.cancelled() => self.close(close_code::AWAY, "the relay stops").await,
                message = self.socket.recv() => self.take(message).await,
                () = changed.notified(), if !has_news => {
                    has_news = true;
                    Ok(())
                }
                () = sleep_until(quiet_until), if has_news => {
                    has_news = false;
                    quiet_until = Instant::now() + STATE_INTERVAL;
                    self.send_states().await
                }
                _ = self.ping.tick() => self.send_ping().await,
            };
            if step.is_err() {
                return;
            }
        }
    }

    async fn take(&mut self, message: Option<Result<Message, axum::Error>>) -> Result<(), Over> {
        self.silent_pings = 0;
        match message {
            Some(Ok(Message::Text(text))) => self.answer(text.as_str()).await,
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(()),
            Some(Ok(Message::Binary(_))) => self.close(close_code::UNSUPPORTED, "text only").await,
            Some(Ok(Message::Close(_)) | Err(_)) | None => Err(Over),
        }
    }

    async fn answer(&mut self, text: &str) -> Result<(), Over> {
        let Ok(RelayRequest { id, command }) = serde_json::from_str(text) else {
            return self.close(close_code::POLICY, "not a request").await;
        };
        let outcome = self.control.director.handle(self.watcher, command, std::time::Instant::now());
        self.send(&RelayMessage::Reply { id, outcome }).await
    }

    async fn send_states(&mut self) -> Result<(), Over> {
        for room in self.control.director.watchers().take_changed(self.watcher) {
            let state = self.control.director.room_state(room);
            if matches!(state, RelayMessage::RoomGone { .. }) {
                self.control.director.watchers().unwatch(self.watcher, room);
            }
            self.send(&state).await?;
        }
        Ok(())
    }

    async fn send_ping(&mut self) -> Result<(), Over> {
        self.silent_pings += 1;
        if self.silent_pings > 3 {
            return Err(Over);
        }
        self.send_message(Message::Ping(Default::default())).await
    }

    async fn close(&mut self, code: u16, reason: &'static str) -> Result<(), Over> {
        // The connection ends either way.
        let _ = self.send_message(Message::Close(Some(CloseFrame { code, reason: reason.into() }))).await;
        Err(Over)
    }

    async fn send(&mut self, message: &RelayMessage) -> Result<(), Over> {
        let text = serde_json::to_string(message).expect("a message of ours is JSON");
        self.send_message(Message::Text(text.into())).await
    }

    async fn send_message(&mut self, message: Message) -> Result<(), Over> {
        match timeout(SEND_TIMEOUT, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(Over),
        }
    }
}
