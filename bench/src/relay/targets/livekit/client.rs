//! One participant's signaling: says what it is told, remembers what it hears, and offers again when asked to.

use super::messages::{
    ClientInfo, ConnectionSettings, JoinRequest, Leave, Request, Response, SessionDescription, SignalRequest,
    SignalResponse, WrappedJoinRequest,
};
use anyhow::Context as _;
use base64::{Engine as _, engine::general_purpose::URL_SAFE};
use futures_util::{
    SinkExt as _, StreamExt as _,
    stream::{SplitSink, SplitStream},
};
use prost::Message as _;
use std::{sync::Arc, time::Duration};
use tokio::{
    net::TcpStream,
    sync::{Mutex, watch},
    time::timeout,
};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

/// How long the server may take to answer.
const REPLY_TIME: Duration = Duration::from_secs(10);
/// The newest that the client's field numbers were read from.
const PROTOCOL: i32 = 16;
const SDK_GO: i32 = 5;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;
type Sink = Arc<Mutex<SplitSink<Socket, Message>>>;

/// What was heard so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Heard {
    /// Answers, as they came.
    pub answers: Vec<String>,
    /// Candidate lines of the server.
    pub candidates: Vec<String>,
    /// Our tracks: our id and the server's.
    pub tracks: Vec<(String, String)>,
    /// The server is gone or has thrown us out.
    pub is_over: bool,
}

/// One open WebSocket. Copies share it.
#[derive(Clone)]
pub(super) struct Client {
    sink: Sink,
    heard: watch::Receiver<Heard>,
}

impl Client {
    /// Joins. `next_offer` has all the sections that will be needed; it is made when the server asks for sections.
    pub(super) async fn join(port: u16, token: &str, next_offer: String) -> anyhow::Result<Self> {
        let request = JoinRequest {
            client_info: Some(ClientInfo { sdk: SDK_GO, protocol: PROTOCOL, os: "linux".to_owned() }),
            connection_settings: Some(ConnectionSettings { auto_subscribe: false }),
        };
        let wrapped = WrappedJoinRequest { join_request: request.encode_to_vec() };
        let wrapped = URL_SAFE.encode(wrapped.encode_to_vec()).replace('=', "%3D");
        let url = format!("ws://127.0.0.1:{port}/rtc/v1?access_token={token}&join_request={wrapped}");
        let (socket, _) = connect_async(url).await.context("LiveKit takes no WebSocket")?;
        let (sink, stream) = socket.split();
        let sink = Arc::new(Mutex::new(sink));
        let (told, heard) = watch::channel(Heard::default());
        // Ends with the socket.
        tokio::spawn(listen(stream, Arc::clone(&sink), told, next_offer));
        Ok(Self { sink, heard })
    }

    pub(super) async fn say(&self, request: Request) -> anyhow::Result<()> {
        say(&self.sink, request).await
    }

    /// Waits until what was heard is as `wanted`.
    pub(super) async fn until(&self, what: &str, mut wanted: impl FnMut(&Heard) -> bool) -> anyhow::Result<Heard> {
        let mut heard = self.heard.clone();
        let reached = timeout(REPLY_TIME, heard.wait_for(|heard| heard.is_over || wanted(heard))).await;
        let heard = reached.with_context(|| format!("LiveKit gives no {what}"))?.context("LiveKit is gone")?.clone();
        anyhow::ensure!(!heard.is_over, "LiveKit closed the connection instead of giving {what}");
        Ok(heard)
    }

    pub(super) async fn leave(&self) -> anyhow::Result<()> {
        self.say(Request::Leave(Leave::default())).await?;
        self.sink.lock().await.close().await?;
        Ok(())
    }
}

async fn say(sink: &Sink, request: Request) -> anyhow::Result<()> {
    let bytes = SignalRequest { message: Some(request) }.encode_to_vec();
    Ok(sink.lock().await.send(Message::binary(bytes)).await?)
}

async fn listen(mut stream: SplitStream<Socket>, sink: Sink, told: watch::Sender<Heard>, next_offer: String) {
    let mut offers = 1;
    while let Some(Ok(message)) = stream.next().await {
        let Message::Binary(bytes) = message else { continue };
        match SignalResponse::decode(bytes).ok().and_then(|response| response.message) {
            Some(Response::Answer(answer)) => told.send_modify(|heard| heard.answers.push(answer.sdp)),
            Some(Response::Trickle(trickle)) => {
                if let Some(line) = candidate(&trickle.candidate) {
                    told.send_modify(|heard| heard.candidates.push(line));
                }
            }
            Some(Response::TrackPublished(published)) => {
                let sid = published.track.map(|track| track.sid).unwrap_or_default();
                told.send_modify(|heard| heard.tracks.push((published.cid, sid)));
            }
            Some(Response::MediaSections(_)) => {
                offers += 1;
                let offer = SessionDescription { kind: "offer".to_owned(), sdp: next_offer.clone(), id: offers };
                if say(&sink, Request::Offer(offer)).await.is_err() {
                    break;
                }
            }
            Some(Response::Leave(_)) => break,
            None => {}
        }
    }
    told.send_modify(|heard| heard.is_over = true);
}

/// The candidate of an `RTCIceCandidateInit`, as a line of a description.
fn candidate(init: &str) -> Option<String> {
    let init: serde_json::Value = serde_json::from_str(init).ok()?;
    let candidate = init["candidate"].as_str()?.trim_start_matches("candidate:");
    (!candidate.is_empty()).then(|| format!("a=candidate:{candidate}\r\n"))
}

#[cfg(test)]
mod tests {
    use super::candidate;

    #[test]
    fn a_candidate_becomes_a_line_and_the_end_of_them_none() {
        let init = r#"{"candidate":"candidate:1 1 udp 2130706431 127.0.0.1 7882 typ host","sdpMid":"0"}"#;
        assert_eq!(candidate(init).as_deref(), Some("a=candidate:1 1 udp 2130706431 127.0.0.1 7882 typ host\r\n"));
        assert_eq!(candidate(r#"{"candidate":""}"#), None);
    }
}
