//! LiveKit, from a path that is given: protobuf over a WebSocket, one transport a participant.
//!
//! `go install github.com/livekit/livekit-server/cmd/server@v1.13.5` makes the program.

mod client;
mod messages;

use super::child::{ServerProcess, command, free_port};
use crate::relay::{
    machine::says,
    peer::{Peer, PeerFactory},
    target::{Missing, Picture, Place, Receives, Seat, Server, Target},
};
use anyhow::Context as _;
use async_trait::async_trait;
use client::Client;
use domain::Clock as _;
use jsonwebtoken::{EncodingKey, Header};
use messages::{AddTrack, Request, SessionDescription, UpdateSubscription, UpdateTrackSettings, VideoLayer};
use serde_json::json;
use service::clock::SystemClock;
use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};
use tokio::sync::Mutex;

const KEY: &str = "bench";
/// It guards a server that lives for minutes and hears the loop-back address only.
const SECRET: &str = "a secret of the bench, long enough";

/// How LiveKit is set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tuning {
    /// A port for each transport.
    AsItComes,
    /// One port for all transports, sends in batches.
    OnePort,
}

/// LiveKit, to be started.
#[derive(Debug, Clone)]
pub struct LiveKit {
    program: Option<PathBuf>,
    tuning: Tuning,
}

struct Running {
    process: ServerProcess,
    port: u16,
    members: Mutex<HashMap<u32, Vec<Member>>>,
}

/// Somebody in a room.
#[derive(Clone)]
struct Member {
    seat: Seat,
    client: Client,
    /// Our id and the server's.
    tracks: Vec<(String, String)>,
    subscribes: bool,
}

impl LiveKit {
    /// The program at `program`; without one it is missing.
    pub const fn new(program: Option<PathBuf>, tuning: Tuning) -> Self {
        Self { program, tuning }
    }

    fn write(&self, place: &Place, port: u16) -> anyhow::Result<PathBuf> {
        let ports = match self.tuning {
            Tuning::AsItComes => "port_range_start: 20000\n  port_range_end: 59999".to_owned(),
            Tuning::OnePort => {
                format!("udp_port: {}\n  batch_io:\n    batch_size: 128\n    max_flush_interval: 2ms", free_udp_port()?)
            }
        };
        let address = place.address;
        let text = format!(
            "port: {port}\nbind_addresses: [\"127.0.0.1\"]\nlogging:\n  level: error\nkeys:\n  {KEY}: \"{SECRET}\"\n\
             rtc:\n  {ports}\n  node_ip: {address}\n  use_external_ip: false\n  use_ice_lite: true\n  \
             enable_loopback_candidate: true\n  ips:\n    includes: [\"{address}/32\"]\n"
        );
        let path = place.scratch.join("livekit.yaml");
        fs::write(&path, text)?;
        Ok(path)
    }
}

#[async_trait]
impl Target for LiveKit {
    fn name(&self) -> &str {
        match self.tuning {
            Tuning::AsItComes => "livekit",
            Tuning::OnePort => "livekit-tuned",
        }
    }

    fn configuration(&self) -> Vec<(String, String)> {
        let program = self.program.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
        let version = says(&program, &["--version"]).unwrap_or_else(|| "unknown".to_owned());
        let tuned: &[_] = match self.tuning {
            Tuning::AsItComes => &[("ports", "one for each transport"), ("batch_io", "off, the default")],
            Tuning::OnePort => &[("ports", "one, udp_port"), ("batch_io", "128 packets, 2 ms")],
        };
        let all =
            [("version", version.as_str()), ("use_ice_lite", "true"), ("transports", "one a participant (/rtc/v1)")];
        all.iter().chain(tuned).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    async fn start(&self, place: &Place) -> Result<Box<dyn Server>, Missing> {
        let program = self.program.as_deref().filter(|path| path.exists()).ok_or_else(|| Missing {
            why: "no program is given (--livekit PATH or LIVEKIT_SERVER; bench/README.md tells how to make it)"
                .to_owned(),
        })?;
        let port = free_port()?;
        let config = self.write(place, port)?;
        let mut process = command(Path::new(program), place);
        process.arg("--config").arg(config);
        let mut process = ServerProcess::start(process, place)?;
        process.listens(port).await?;
        Ok(Box::new(Running { process, port, members: Mutex::default() }))
    }
}

#[async_trait]
impl Server for Running {
    fn processes(&self) -> Vec<u32> {
        vec![self.process.id()]
    }

    async fn join(&self, seat: &Seat, peers: &PeerFactory) -> anyhow::Result<Vec<Peer>> {
        let (offer, pending) = peers.offer(seat, Receives::default())?;
        let client = Client::join(self.port, &token(seat)?, pending.offer_again(seat.receives)?).await?;
        let tracks = tracks(seat);
        let published = tracks.len();
        for track in tracks {
            client.say(Request::AddTrack(track)).await?;
        }
        let offer = SessionDescription { kind: "offer".to_owned(), sdp: offer, id: 1 };
        client.say(Request::Offer(offer)).await?;
        let is_there = |heard: &client::Heard| {
            // Those over TCP may come first.
            let has_path = heard.candidates.iter().any(|line| line.to_ascii_lowercase().contains(" udp "));
            !heard.answers.is_empty() && has_path && heard.tracks.len() >= published
        };
        let heard = client.until("answer, candidate and tracks", is_there).await?;
        let answer = format!("{}{}", heard.answers[0], heard.candidates.concat());
        let peer = pending.answered_in_part(&answer, seat.receives)?;
        let subscribes = seat.receives.audio + seat.receives.video > 0;
        let member = Member { seat: *seat, client, tracks: heard.tracks, subscribes };
        self.members.lock().await.entry(seat.room).or_default().push(member);
        Ok(vec![peer])
    }

    /// All tracks at once, so that one more offer of each participant is enough.
    async fn subscribe(&self, room: u32, _: &PeerFactory) -> anyhow::Result<Vec<Peer>> {
        let mut rooms = self.members.lock().await;
        let members = rooms.get_mut(&room).context("nobody is there")?;
        let tracks: Vec<(Seat, Vec<(String, String)>)> =
            members.iter().map(|member| (member.seat, member.tracks.clone())).collect();
        for member in members.iter_mut().filter(|member| member.subscribes) {
            // Nobody subscribes twice.
            member.subscribes = false;
            let others = tracks.iter().filter(|(seat, _)| seat.participant != member.seat.participant);
            let track_sids = others.clone().flat_map(|(_, tracks)| tracks.iter().map(|(_, sid)| sid.clone())).collect();
            let subscription = UpdateSubscription { track_sids, subscribe: true };
            member.client.say(Request::Subscription(subscription)).await?;
            for (other, tracks) in others.filter(|(other, _)| other.picture == Picture::Simulcast) {
                member.client.say(Request::Settings(settings(member.seat.sees_large(other), tracks))).await?;
            }
        }
        Ok(Vec::new())
    }

    async fn leave(&self, seat: &Seat) -> anyhow::Result<()> {
        let mut rooms = self.members.lock().await;
        let Some(members) = rooms.get_mut(&seat.room) else { return Ok(()) };
        match members.iter().position(|member| member.seat.participant == seat.participant) {
            Some(at) => members.remove(at).client.leave().await,
            None => Ok(()),
        }
    }

    async fn stop(self: Box<Self>) {
        self.process.stop().await;
    }
}

/// Names, sizes and bits a second of the encodings that the generator sends, the lowest first.
const LAYERS: [(&str, (u32, u32), u32); 3] =
    [("q", (320, 180), 300_000), ("h", (640, 360), 600_000), ("f", (1280, 720), 1_700_000)];
const VIDEO: &str = "video";

fn settings(large: bool, tracks: &[(String, String)]) -> UpdateTrackSettings {
    let (_, (width, height), _) = LAYERS[if large { LAYERS.len() - 1 } else { 0 }];
    let track_sids = tracks.iter().filter(|(cid, _)| cid == VIDEO).map(|(_, sid)| sid.clone()).collect();
    UpdateTrackSettings { track_sids, width, height }
}

fn layers(seat: &Seat) -> Vec<VideoLayer> {
    let layer = |(number, (rid, (width, height), bitrate)): (i32, (&str, (u32, u32), u32))| VideoLayer {
        quality: number,
        width,
        height,
        bitrate,
        spatial_layer: number,
        rid: rid.to_owned(),
    };
    let taken = if seat.picture == Picture::Simulcast { LAYERS.len() } else { 0 };
    (0..).zip(LAYERS).take(taken).map(layer).collect()
}

fn tracks(seat: &Seat) -> Vec<AddTrack> {
    let audio = AddTrack { cid: "audio".to_owned(), kind: 0, source: 2, disable_red: true, ..AddTrack::default() };
    let (width, height, layers) = (1280, 720, layers(seat));
    let video = AddTrack { cid: VIDEO.to_owned(), kind: 1, source: 1, width, height, layers, ..AddTrack::default() };
    let has_picture = seat.picture != Picture::No;
    [(seat.audio, audio), (has_picture, video)]
        .into_iter()
        .filter_map(|(is_there, track)| is_there.then_some(track))
        .collect()
}

/// LiveKit's access token: who, in which room, with which rights.
fn token(seat: &Seat) -> anyhow::Result<String> {
    let now = SystemClock.now().as_second();
    let claims = json!({
        "iss": KEY, "sub": format!("p{}", seat.participant), "nbf": now - 60, "exp": now + 3_600,
        "video": {"roomJoin": true, "room": format!("r{}", seat.room), "canPublish": true, "canSubscribe": true},
    });
    Ok(jsonwebtoken::encode(&Header::default(), &claims, &EncodingKey::from_secret(SECRET.as_bytes()))?)
}

fn free_udp_port() -> std::io::Result<u16> {
    std::net::UdpSocket::bind(("127.0.0.1", 0))?.local_addr().map(|address| address.port())
}
