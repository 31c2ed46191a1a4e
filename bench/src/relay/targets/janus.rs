//! Janus and its VideoRoom plugin, as Debian packages it (`bin/bench-peers` installs it): JSON over a WebSocket.
//!
//! A participant publishes by one transport and receives everybody else by a second one, as its demo page does.

mod client;
mod config;

use super::child::{ServerProcess, command, free_port};
use crate::relay::{
    machine::says,
    peer::{Peer, PeerFactory},
    target::{Missing, Picture, Place, Receives, Seat, Server, Target},
};
use anyhow::Context as _;
use async_trait::async_trait;
use client::{Client, Handle};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    path::PathBuf,
    time::{Duration, Instant},
};
use tokio::{sync::Mutex, time::sleep};

/// How long a feed may take from its answer until it can be subscribed to.
const PUBLISH_TIME: Duration = Duration::from_secs(10);

/// Janus numbers encodings from the last RID of an offer, since it expects the largest first. We offer the smallest first: the last is
/// the largest, and the first is what it sends unasked.
const LAST_RID: u8 = 0;

/// How Janus is set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tuning {
    /// A thread for each transport and the log as it comes.
    AsItComes,
    /// One event loop for all transports, no statistics of each, little log: what its manual advises for one core.
    OneLoop,
}

/// Janus, to be started.
#[derive(Debug, Clone)]
pub struct Janus {
    program: PathBuf,
    tuning: Tuning,
}

struct Running {
    process: ServerProcess,
    client: Client,
    rooms: Mutex<HashMap<u32, Vec<Member>>>,
}

/// Somebody in a room.
#[derive(Clone)]
struct Member {
    seat: Seat,
    session: u64,
    publisher: Handle,
    wished: Instant,
    subscribes: bool,
}

impl Janus {
    /// The program at `program`, or the one in the path.
    pub fn new(program: Option<PathBuf>, tuning: Tuning) -> Self {
        Self { program: program.unwrap_or_else(|| "janus".into()), tuning }
    }
}

#[async_trait]
impl Target for Janus {
    fn name(&self) -> &str {
        match self.tuning {
            Tuning::AsItComes => "janus",
            Tuning::OneLoop => "janus-tuned",
        }
    }

    fn configuration(&self) -> Vec<(String, String)> {
        // It prints its version above a complaint about the option.
        let output = std::process::Command::new(&self.program).arg("--version").output().ok();
        let said = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
        let version = said.lines().find_map(|line| line.split_once('(')?.1.strip_suffix(')').map(str::to_owned));
        let mut all = vec![("version".to_owned(), version.unwrap_or_else(|| "unknown".to_owned()))];
        all.extend(config::settings(self.tuning).map(|(name, value)| (name.to_owned(), value.to_owned())));
        all
    }

    async fn start(&self, place: &Place) -> Result<Box<dyn Server>, Missing> {
        if says("sh", &["-c", &format!("command -v '{}'", self.program.display())]).is_none() {
            return Err(Missing { why: "not installed; bin/bench-peers does it".to_owned() });
        }
        let port = free_port()?;
        let folder = config::write(self.tuning, place, port)?;
        let mut process = command(&self.program, place);
        process.arg("--configs-folder").arg(&folder);
        let mut process = ServerProcess::start(process, place)?;
        process.listens(port).await?;
        let client = Client::connect(port).await?;
        Ok(Box::new(Running { process, client, rooms: Mutex::default() }))
    }
}

#[async_trait]
impl Server for Running {
    fn processes(&self) -> Vec<u32> {
        vec![self.process.id()]
    }

    async fn join(&self, seat: &Seat, peers: &PeerFactory) -> anyhow::Result<Vec<Peer>> {
        let (offer, pending) = peers.offer(seat, Receives::default())?;
        let session = self.client.session().await?;
        let publisher = self.client.attach(session).await?;
        self.room(publisher, seat.room).await?;
        let join = json!({
            "request": "joinandconfigure", "ptype": "publisher", "room": room_id(seat.room), "id": feed_id(seat),
            "audio": seat.audio, "video": seat.picture != Picture::No,
        });
        let (_, answer) = self.client.message(publisher, join, Some(("offer", offer.as_str()))).await?;
        let peer = pending.answered(&answer.context("Janus gave no answer")?)?;
        let subscribes = seat.receives.audio + seat.receives.video > 0;
        let member = Member { seat: *seat, session, publisher, wished: peer.wished, subscribes };
        self.rooms.lock().await.entry(seat.room).or_default().push(member);
        Ok(vec![peer])
    }

    /// A feed can be subscribed to only when its transport is up.
    async fn subscribe(&self, room: u32, peers: &PeerFactory) -> anyhow::Result<Vec<Peer>> {
        let members = self.rooms.lock().await.get(&room).cloned().unwrap_or_default();
        let mut made = Vec::new();
        for member in members.iter().filter(|member| member.subscribes) {
            let feeds = members.iter().filter(|other| other.seat.participant != member.seat.participant);
            let streams: Vec<_> = feeds.clone().map(|other| json!({"feed": feed_id(&other.seat)})).collect();
            if streams.is_empty() {
                continue;
            }
            let handle = self.client.attach(member.session).await?;
            let join = json!({
                "request": "join", "ptype": "subscriber", "room": room_id(room), "streams": streams,
            });
            let (joined, offer) = self.once_published(handle, join).await?;
            let (answer, mut peer) = peers.answer(&member.seat, &offer.context("Janus made no offer")?)?;
            peer.wished = member.wished;
            self.client.message(handle, json!({"request": "start"}), Some(("answer", answer.as_str()))).await?;
            let large =
                feeds.filter(|other| other.seat.picture == Picture::Simulcast && member.seat.sees_large(&other.seat));
            for mid in large.flat_map(|other| pictures(&joined, feed_id(&other.seat))) {
                let configure = json!({"request": "configure", "mid": mid, "substream": LAST_RID});
                self.client.message(handle, configure, None).await?;
            }
            made.push(peer);
        }
        let mut rooms = self.rooms.lock().await;
        // Nobody subscribes twice.
        rooms.entry(room).or_default().iter_mut().for_each(|member| member.subscribes = false);
        Ok(made)
    }

    async fn leave(&self, seat: &Seat) -> anyhow::Result<()> {
        let mut rooms = self.rooms.lock().await;
        let Some(members) = rooms.get_mut(&seat.room) else { return Ok(()) };
        let Some(at) = members.iter().position(|member| member.seat.participant == seat.participant) else {
            return Ok(());
        };
        let member = members.remove(at);
        if members.is_empty() {
            let destroy = json!({"request": "destroy", "room": room_id(seat.room)});
            self.client.message(member.publisher, destroy, None).await?;
            rooms.remove(&seat.room);
        }
        self.client.destroy(member.session).await
    }

    async fn stop(self: Box<Self>) {
        self.process.stop().await;
    }
}

impl Running {
    /// Janus knows a feed from when its transport is up, which takes as long as a handshake.
    async fn once_published(&self, handle: Handle, join: Value) -> anyhow::Result<(Value, Option<String>)> {
        let deadline = Instant::now() + PUBLISH_TIME;
        loop {
            match self.client.message(handle, join.clone(), None).await {
                Err(error) if error.to_string().contains("No such feed") && Instant::now() < deadline => {
                    sleep(Duration::from_millis(20)).await;
                }
                answer => return answer,
            }
        }
    }

    /// Makes the room unless it is there.
    async fn room(&self, handle: Handle, room: u32) -> anyhow::Result<()> {
        let mut rooms = self.rooms.lock().await;
        if rooms.contains_key(&room) {
            return Ok(());
        }
        let create = json!({
            "request": "create", "room": room_id(room), "publishers": 64, "audiocodec": "opus", "videocodec": "vp8",
            "bitrate": 0, "fir_freq": 0, "transport_wide_cc_ext": true, "permanent": false, "notify_joining": false,
        });
        self.client.message(handle, create, None).await?;
        rooms.insert(room, Vec::new());
        Ok(())
    }
}

/// The media sections with the pictures of a feed, among what was joined.
fn pictures(joined: &Value, feed: u64) -> Vec<Value> {
    let streams = joined["streams"].as_array().into_iter().flatten();
    let pictures = streams.filter(|stream| stream["feed_id"].as_u64() == Some(feed) && stream["type"] == "video");
    pictures.map(|stream| stream["mid"].clone()).collect()
}

/// Zero is no room for Janus.
fn room_id(room: u32) -> u64 {
    u64::from(room) + 1
}

fn feed_id(seat: &Seat) -> u64 {
    u64::from(seat.participant) + 1
}
