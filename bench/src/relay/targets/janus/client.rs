//! Janus's own protocol: requests by transaction, of which some are answered at once and some by an event later.

use anyhow::{Context as _, bail};
use futures_util::{
    SinkExt as _, StreamExt as _,
    stream::{SplitSink, SplitStream},
};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{net::TcpStream, sync::oneshot, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest as _, http::HeaderValue},
};

/// How long Janus may take to answer.
const REPLY_TIME: Duration = Duration::from_secs(10);

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;
type Waiting = Arc<Mutex<HashMap<String, oneshot::Sender<Value>>>>;

/// A plugin handle in its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Handle {
    session: u64,
    id: u64,
}

/// One WebSocket for all sessions.
pub(super) struct Client {
    sink: tokio::sync::Mutex<SplitSink<Socket, Message>>,
    waiting: Waiting,
    next: AtomicU64,
}

impl Client {
    pub(super) async fn connect(port: u16) -> anyhow::Result<Self> {
        let mut request = format!("ws://127.0.0.1:{port}/").into_client_request()?;
        request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static("janus-protocol"));
        let (socket, _) = connect_async(request).await.context("Janus takes no WebSocket")?;
        let (sink, stream) = socket.split();
        let waiting = Waiting::default();
        // Ends with the socket.
        tokio::spawn(listen(stream, Arc::clone(&waiting)));
        Ok(Self { sink: tokio::sync::Mutex::new(sink), waiting, next: AtomicU64::new(1) })
    }

    pub(super) async fn session(&self) -> anyhow::Result<u64> {
        let reply = self.ask(json!({"janus": "create"})).await?;
        reply["data"]["id"].as_u64().context("Janus made no session")
    }

    pub(super) async fn attach(&self, session: u64) -> anyhow::Result<Handle> {
        let attach = json!({"janus": "attach", "session_id": session, "plugin": "janus.plugin.videoroom"});
        let reply = self.ask(attach).await?;
        Ok(Handle { session, id: reply["data"]["id"].as_u64().context("Janus made no handle")? })
    }

    pub(super) async fn destroy(&self, session: u64) -> anyhow::Result<()> {
        self.ask(json!({"janus": "destroy", "session_id": session})).await.map(drop)
    }

    /// Asks the plugin, perhaps with a description of `(type, sdp)`; gives what it says and its description.
    pub(super) async fn message(
        &self,
        handle: Handle,
        body: Value,
        description: Option<(&str, &str)>,
    ) -> anyhow::Result<(Value, Option<String>)> {
        let mut message = json!({
            "janus": "message", "session_id": handle.session, "handle_id": handle.id, "body": body,
        });
        if let Some((kind, sdp)) = description {
            message["jsep"] = json!({"type": kind, "sdp": sdp});
        }
        let mut reply = self.ask(message).await?;
        let said = reply["plugindata"]["data"].take();
        if let Some(error) = said["error"].as_str() {
            bail!("Janus refuses: {error}");
        }
        Ok((said, reply["jsep"]["sdp"].as_str().map(str::to_owned)))
    }

    async fn ask(&self, mut request: Value) -> anyhow::Result<Value> {
        let transaction = self.next.fetch_add(1, Ordering::Relaxed).to_string();
        request["transaction"] = json!(transaction);
        let (reply, replied) = oneshot::channel();
        lock(&self.waiting).insert(transaction.clone(), reply);
        self.sink.lock().await.send(Message::text(request.to_string())).await?;
        let reply = timeout(REPLY_TIME, replied).await;
        lock(&self.waiting).remove(&transaction);
        let reply = reply.context("Janus does not answer")?.context("Janus is gone")?;
        match reply["error"]["reason"].as_str() {
            Some(reason) => bail!("Janus refuses: {reason}"),
            None => Ok(reply),
        }
    }
}

/// Gives every answer to whoever waits for it. An acknowledgement is none: the answer follows.
async fn listen(mut stream: SplitStream<Socket>, waiting: Waiting) {
    while let Some(Ok(message)) = stream.next().await {
        let said = message.to_text().ok().and_then(|text| serde_json::from_str::<Value>(text).ok());
        let Some(said) = said else { continue };
        if said["janus"] == "ack" {
            continue;
        }
        let reply = said["transaction"].as_str().and_then(|transaction| lock(&waiting).remove(transaction));
        if let Some(reply) = reply {
            // Nobody waits any more: it took too long.
            let _ = reply.send(said);
        }
    }
    // Whoever waits learns that no answer will come.
    lock(&waiting).clear();
}

fn lock(waiting: &Waiting) -> std::sync::MutexGuard<'_, HashMap<String, oneshot::Sender<Value>>> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}
