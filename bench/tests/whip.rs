//! The target `whip` against a server that answers and forwards nothing: when it asks, what it says who it is, what it leaves behind.
//!
//! Nothing is sent but HTTP.

use axum::{
    Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{delete, post},
};
use bedside_bench::relay::{
    peer::{Peer, PeerFactory, keys::Suite},
    target::{Picture, Place, Receives, Seat, Server, Target as _},
    targets::whip::Whip,
};
use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr},
    path::PathBuf,
    sync::{Arc, Mutex},
};
use tokio::{net::TcpListener, sync::Barrier};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// What the server was asked.
#[derive(Default)]
struct Seen {
    /// Offers to receive.
    asked: usize,
    /// By their place; who made them.
    sessions: BTreeMap<String, String>,
    made: usize,
}

/// A server with a path for each publisher.
struct Media {
    peers: PeerFactory,
    seen: Mutex<Seen>,
    /// What the first offers to receive are answered, in turn.
    refusals: Mutex<Vec<StatusCode>>,
    /// So many offers to receive are answered at the same time or not at all.
    together: Barrier,
}

impl Media {
    fn new(refusals: &[StatusCode], together: usize) -> Arc<Self> {
        Arc::new(Self {
            peers: PeerFactory::new(HERE, 7, Suite::Gcm).expect("a certificate"),
            seen: Mutex::default(),
            refusals: Mutex::new(refusals.to_vec()),
            together: Barrier::new(together),
        })
    }

    /// Starts it, and the target that reaches it.
    async fn serve(self: &Arc<Self>) -> Box<dyn Server> {
        let router = Router::new()
            .route("/{path}/whip", post(publish))
            .route("/{path}/whep", post(receive))
            .route("/sessions/{number}", delete(end))
            .with_state(Arc::clone(self));
        let listener = TcpListener::bind((HERE, 0)).await.expect("a port");
        let address = listener.local_addr().expect("a port");
        tokio::spawn(async move { axum::serve(listener, router).await });
        let whip = Whip {
            name: "whip".to_owned(),
            whip: Some(format!("http://{address}/{{room}}-{{participant}}/whip")),
            whep: Some(format!("http://{address}/{{room}}-{{other}}/whep")),
            bearer: Some("{room}-{participant}-{other}".to_owned()),
            processes: Vec::new(),
        };
        let place = Place { cpu: 0, scratch: PathBuf::new(), address: HERE };
        whip.start(&place).await.expect("an address is given")
    }

    fn answer(&self, headers: &HeaderMap, offer: &str) -> Response {
        let (answer, _) = self.peers.answer(&seat(0, 0), offer).expect("an offer");
        let mut seen = self.seen.lock().expect("nobody panicked");
        seen.made += 1;
        let session = format!("/sessions/{}", seen.made);
        seen.sessions.insert(session.clone(), bearer(headers));
        (StatusCode::CREATED, [(header::LOCATION, session)], answer).into_response()
    }

    fn bearers(&self) -> Vec<String> {
        self.seen.lock().expect("nobody panicked").sessions.values().cloned().collect()
    }

    fn asked(&self) -> usize {
        self.seen.lock().expect("nobody panicked").asked
    }
}

async fn publish(State(media): State<Arc<Media>>, headers: HeaderMap, offer: String) -> Response {
    media.answer(&headers, &offer)
}

async fn receive(State(media): State<Arc<Media>>, headers: HeaderMap, offer: String) -> Response {
    media.seen.lock().expect("nobody panicked").asked += 1;
    let refusal = media.refusals.lock().expect("nobody panicked").pop();
    if let Some(refusal) = refusal {
        return refusal.into_response();
    }
    media.together.wait().await;
    media.answer(&headers, &offer)
}

async fn end(State(media): State<Arc<Media>>, Path(number): Path<String>, headers: HeaderMap) -> StatusCode {
    let (session, bearer) = (format!("/sessions/{number}"), bearer(&headers));
    let sessions = &mut media.seen.lock().expect("nobody panicked").sessions;
    if sessions.get(&session) != Some(&bearer) {
        return StatusCode::FORBIDDEN;
    }
    sessions.remove(&session);
    StatusCode::OK
}

fn bearer(headers: &HeaderMap) -> String {
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).expect("it says who it is");
    value.strip_prefix("Bearer ").expect("by a bearer").to_owned()
}

fn seat(room: u32, participant: u32) -> Seat {
    Seat { room, participant, audio: true, picture: Picture::One, receives: Receives { audio: 1, video: 1 } }
}

/// Two come into a room, and receive each other.
async fn enter(server: &dyn Server, room: u32) -> anyhow::Result<Vec<Peer>> {
    let peers = PeerFactory::new(HERE, 8, Suite::Gcm)?;
    for participant in 0..2 {
        server.join(&seat(room, participant), &peers).await?;
    }
    server.subscribe(room, &peers).await
}

#[tokio::test]
async fn whoever_wants_to_receive_before_the_media_is_there_asks_again() {
    let media = Media::new(&[StatusCode::CONFLICT, StatusCode::NOT_FOUND], 1);
    let server = media.serve().await;
    let made = enter(server.as_ref(), 0).await.expect("the media comes");
    assert_eq!((made.len(), media.asked()), (2, 4));
}

#[tokio::test]
async fn whoever_may_not_receive_does_not_ask_again() {
    let media = Media::new(&[StatusCode::FORBIDDEN], 1);
    let server = media.serve().await;
    let refused = enter(server.as_ref(), 0).await.err().expect("it is refused").to_string();
    assert!(refused.contains("0-1/whep answers 403"), "{refused}");
    assert_eq!(media.asked(), 1);
}

#[tokio::test]
async fn rooms_do_not_wait_for_each_other() {
    let media = Media::new(&[], 2);
    let server = media.serve().await;
    let (first, second) = tokio::join!(enter(server.as_ref(), 0), enter(server.as_ref(), 1));
    assert_eq!((first.expect("it is answered").len(), second.expect("it is answered").len()), (2, 2));
}

#[tokio::test]
async fn everybody_says_who_they_are_and_nobody_stays_behind() {
    let media = Media::new(&[], 1);
    let server = media.serve().await;
    enter(server.as_ref(), 3).await.expect("they come in");
    assert_eq!(media.bearers(), ["3-0-0", "3-1-1", "3-0-1", "3-1-0"]);
    server.leave(&seat(3, 1)).await.expect("they go");
    assert_eq!(media.bearers(), ["3-0-0", "3-0-1"]);
    server.stop().await;
    assert!(media.bearers().is_empty(), "who comes next has the same numbers");
}
