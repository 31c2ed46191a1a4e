//! mediasoup, from a folder that has it in its `node_modules` (`bin/bench-peers` makes one), with a small server of ours around it
//! (`bench/peers/mediasoup.mjs`): lines of JSON each way, one transport a participant.

use super::child::{ServerProcess, command};
use crate::relay::{
    machine::says,
    peer::{Peer, PeerFactory},
    target::{Missing, Place, Seat, Server, Target},
};
use anyhow::{Context as _, bail};
use async_trait::async_trait;
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{ChildStdin, ChildStdout},
    sync::Mutex,
    time::timeout,
};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/mediasoup.mjs");
/// How long it may take to start, or to answer.
const REPLY_TIME: Duration = Duration::from_secs(10);

/// mediasoup, to be started.
#[derive(Debug, Clone)]
pub struct Mediasoup {
    folder: Option<PathBuf>,
}

struct Running {
    process: ServerProcess,
    talk: Mutex<Talk>,
    /// Who is in a room and has not subscribed yet, and who has.
    members: Mutex<HashMap<u32, Vec<(Seat, bool)>>>,
}

struct Talk {
    to: ChildStdin,
    from: Lines<BufReader<ChildStdout>>,
}

impl Mediasoup {
    /// The one in `folder`; without it, it is missing.
    pub const fn new(folder: Option<PathBuf>) -> Self {
        Self { folder }
    }

    fn version(&self) -> Option<String> {
        let package = self.folder.as_ref()?.join("node_modules/mediasoup/package.json");
        let package: Value = serde_json::from_str(&std::fs::read_to_string(package).ok()?).ok()?;
        package["version"].as_str().map(str::to_owned)
    }
}

#[async_trait]
impl Target for Mediasoup {
    fn name(&self) -> &str {
        "mediasoup"
    }

    fn configuration(&self) -> Vec<(String, String)> {
        let worker = std::env::var("MEDIASOUP_WORKER_BIN").ok().and_then(|path| worker_of(Path::new(&path)));
        [
            ("version", self.version().unwrap_or_else(|| "unknown".to_owned())),
            ("worker", worker.unwrap_or_else(|| "the one that was published with it".to_owned())),
            ("node", says("node", &["--version"]).unwrap_or_else(|| "unknown".to_owned())),
            ("workers", "1".to_owned()),
            ("transports", "one a participant, a port each".to_owned()),
            ("logLevel", "error".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    async fn start(&self, place: &Place) -> Result<Box<dyn Server>, Missing> {
        let is_there = |folder: &&PathBuf| folder.join("node_modules/mediasoup").exists();
        let folder = self.folder.as_ref().filter(is_there).ok_or_else(|| Missing {
            why: "not installed (bin/bench-peers, or --mediasoup FOLDER; bench/README.md tells more)".to_owned(),
        })?;
        let mut node = command("node", place);
        node.arg(SCRIPT).arg(folder).arg(place.address.to_string());
        let log = std::fs::File::create(place.scratch.join("server.log"))?;
        let mut child = node.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log).spawn()?;
        let to = child.stdin.take().context("it is piped")?;
        let from = BufReader::new(child.stdout.take().context("it is piped")?).lines();
        let mut talk = Talk { to, from };
        talk.hear().await.map_err(|error| Missing { why: format!("it does not start: {error:#}") })?;
        let process = ServerProcess::over(child)?;
        Ok(Box::new(Running { process, talk: Mutex::new(talk), members: Mutex::default() }))
    }
}

/// A worker that was built by whoever measures says so, and how, in a file beside it.
fn worker_of(path: &Path) -> Option<String> {
    let told = std::fs::read_to_string(path.with_extension("txt")).ok();
    Some(told.map_or_else(|| "built by whoever measured".to_owned(), |text| text.trim().to_owned()))
}

#[async_trait]
impl Server for Running {
    /// Node and, as its child, the worker.
    fn processes(&self) -> Vec<u32> {
        vec![self.process.id()]
    }

    async fn join(&self, seat: &Seat, peers: &PeerFactory) -> anyhow::Result<Vec<Peer>> {
        let (offer, pending) = peers.offer(seat, seat.receives)?;
        let join = json!({"join": {"room": seat.room, "participant": seat.participant, "offer": offer}});
        let said = self.talk.lock().await.ask(&join).await?;
        let peer = pending.answered(said["answer"].as_str().context("mediasoup gives no answer")?)?;
        self.members.lock().await.entry(seat.room).or_default().push((*seat, false));
        Ok(vec![peer])
    }

    async fn subscribe(&self, room: u32, _: &PeerFactory) -> anyhow::Result<Vec<Peer>> {
        let mut rooms = self.members.lock().await;
        let members = rooms.entry(room).or_default();
        let seats: Vec<Seat> = members.iter().map(|(seat, _)| *seat).collect();
        for (seat, has_subscribed) in members.iter_mut() {
            // Nobody subscribes twice.
            if std::mem::replace(has_subscribed, true) {
                continue;
            }
            let others = seats.iter().filter(|other| other.participant != seat.participant);
            let others: Vec<Value> = others
                .map(|other| json!({"participant": other.participant, "large": seat.sees_large(other)}))
                .collect();
            let subscribe = json!({"room": room, "participant": seat.participant, "others": others});
            self.talk.lock().await.ask(&json!({"subscribe": subscribe})).await?;
        }
        Ok(Vec::new())
    }

    async fn leave(&self, seat: &Seat) -> anyhow::Result<()> {
        let mut rooms = self.members.lock().await;
        if let Some(members) = rooms.get_mut(&seat.room) {
            members.retain(|(member, _)| member.participant != seat.participant);
        }
        let leave = json!({"leave": {"room": seat.room, "participant": seat.participant}});
        self.talk.lock().await.ask(&leave).await.map(drop)
    }

    async fn stop(self: Box<Self>) {
        self.process.stop().await;
    }
}

impl Talk {
    async fn ask(&mut self, command: &Value) -> anyhow::Result<Value> {
        self.to.write_all(format!("{command}\n").as_bytes()).await?;
        self.hear().await
    }

    async fn hear(&mut self) -> anyhow::Result<Value> {
        let line = timeout(REPLY_TIME, self.from.next_line()).await.context("mediasoup does not answer")??;
        let said: Value = serde_json::from_str(&line.context("mediasoup is gone")?)?;
        match said["error"].as_str() {
            Some(error) => bail!("mediasoup refuses: {error}"),
            None => Ok(said),
        }
    }
}
