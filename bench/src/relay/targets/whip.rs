//! A server that speaks WHIP (RFC 9725) and WHEP, started by whoever measures: each participant publishes by one transport, to an
//! address of their own, and receives each other by one.
//!
//! Addresses and what authorizes us are templates with `{room}`, `{participant}` and, for WHEP, `{other}` in them.

use crate::relay::{
    peer::{Peer, PeerFactory},
    target::{Limits, Missing, Picture, Place, Receives, Seat, Server, Target},
};
use anyhow::{Context as _, ensure};
use async_trait::async_trait;
use futures_util::{FutureExt as _, StreamExt as _, stream};
use reqwest::{
    RequestBuilder, Response, StatusCode, Url,
    header::{self, HeaderMap},
};
use std::{
    collections::BTreeMap,
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::time::{sleep, timeout};

/// How long an answer, somebody's media, or the end of all sessions may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often a server is asked again that does not say when: joining may look as much longer than it is.
const RETRY_INTERVAL: Duration = Duration::from_millis(100);
/// Sessions that are deleted at a time.
const AT_ONCE: usize = 8;

/// How such a server is reached.
#[derive(Debug, Clone, Default)]
pub struct Whip {
    /// How its rows are called.
    pub name: String,
    /// Where to publish; without it the server is missing.
    pub whip: Option<String>,
    /// Where to receive.
    pub whep: Option<String>,
    /// What authorizes us, for servers that ask.
    pub bearer: Option<String>,
    /// Its processes, for the account of what it uses; without them its cost is not measured.
    pub processes: Vec<u32>,
}

struct Running {
    whip: String,
    whep: Option<String>,
    bearer: Option<String>,
    processes: Vec<u32>,
    http: reqwest::Client,
    /// By room and participant. Locked between exchanges only: rooms do not wait for each other.
    members: Mutex<BTreeMap<(u32, u32), Member>>,
}

struct Member {
    seat: Seat,
    sessions: Vec<Session>,
    subscribes: bool,
}

/// What the server made of an offer, to be deleted at the end.
struct Session {
    url: Url,
    bearer: Option<String>,
}

#[async_trait]
impl Target for Whip {
    fn name(&self) -> &str {
        &self.name
    }

    fn configuration(&self) -> Vec<(String, String)> {
        let shown = |template: &Option<String>| template.clone().unwrap_or_else(|| "not given".to_owned());
        [("WHIP", shown(&self.whip)), ("WHEP", shown(&self.whep)), ("started by", "whoever measured".to_owned())]
            .map(|(name, value)| (name.to_owned(), value))
            .into()
    }

    fn limits(&self) -> Limits {
        Limits { simulcast: false, ..Limits::NONE }
    }

    async fn start(&self, _place: &Place) -> Result<Box<dyn Server>, Missing> {
        let Some(whip) = self.whip.clone() else {
            return Err(Missing { why: "no address is given (--whip, --whep)".to_owned() });
        };
        let (whep, bearer, processes) = (self.whep.clone(), self.bearer.clone(), self.processes.clone());
        let http = reqwest::Client::builder().timeout(PATIENCE).build()?;
        Ok(Box::new(Running { whip, whep, bearer, processes, http, members: Mutex::default() }))
    }
}

#[async_trait]
impl Server for Running {
    fn processes(&self) -> Vec<u32> {
        self.processes.clone()
    }

    async fn join(&self, seat: &Seat, peers: &PeerFactory) -> anyhow::Result<Vec<Peer>> {
        let member = Member { seat: *seat, sessions: Vec::new(), subscribes: seat.receives != Receives::default() };
        self.members().insert((seat.room, seat.participant), member);
        if !seat.audio && seat.picture == Picture::No {
            return Ok(Vec::new());
        }
        let (offer, pending) = peers.offer(seat, Receives::default())?;
        let response = self.post(&self.whip, seat, seat, &offer).await?;
        let answer = self.answer(response, seat, seat).await?;
        Ok(vec![pending.answered(&answer)?])
    }

    /// What is not published yet cannot be received.
    async fn subscribe(&self, room: u32, peers: &PeerFactory) -> anyhow::Result<Vec<Peer>> {
        let Some(whep) = &self.whep else { return Ok(Vec::new()) };
        let mut made = Vec::new();
        for (seat, other) in self.subscriptions(room) {
            let silent = Seat { audio: false, picture: Picture::No, ..seat };
            let receives =
                Receives { audio: usize::from(other.audio), video: usize::from(other.picture != Picture::No) };
            let (offer, pending) = peers.offer(&silent, receives)?;
            let response = self.post_until_there(whep, &seat, &other, &offer).await?;
            let answer = self.answer(response, &seat, &other).await?;
            made.push(Peer { seat, ..pending.answered(&answer)? });
        }
        Ok(made)
    }

    async fn leave(&self, seat: &Seat) -> anyhow::Result<()> {
        let left = self.members().remove(&(seat.room, seat.participant));
        for session in left.into_iter().flat_map(|member| member.sessions) {
            self.delete(session).await?;
        }
        Ok(())
    }

    /// The server stays, and the next turn's rooms have the numbers of this one's: whoever is left in them would be in the way.
    async fn stop(self: Box<Self>) {
        let members = mem::take(&mut *self.members());
        let sessions = members.into_values().flat_map(|member| member.sessions);
        // A server that is gone has none, and one that hangs is not waited for once for each.
        let deleted = stream::iter(sessions).for_each_concurrent(AT_ONCE, |session| self.delete(session).map(drop));
        let _ = timeout(PATIENCE, deleted).await;
    }
}

impl Running {
    /// Who of a room receives whom; nobody is named twice.
    fn subscriptions(&self, room: u32) -> Vec<(Seat, Seat)> {
        let mut members = self.members();
        let mut receivers = Vec::new();
        let mut seats = Vec::new();
        for member in members.range_mut((room, 0)..=(room, u32::MAX)).map(|(_, member)| member) {
            seats.push(member.seat);
            receivers.extend(mem::take(&mut member.subscribes).then_some(member.seat));
        }
        let pairs = receivers.iter().flat_map(|seat| seats.iter().map(|other| (*seat, *other)));
        pairs.filter(|(seat, other)| seat.participant != other.participant).collect()
    }

    /// Posts an offer until the other's media has come to the server: many refuse whoever wants it earlier.
    async fn post_until_there(
        &self,
        template: &str,
        seat: &Seat,
        other: &Seat,
        offer: &str,
    ) -> anyhow::Result<Response> {
        let began = Instant::now();
        loop {
            let response = self.post(template, seat, other, offer).await?;
            let left = PATIENCE.saturating_sub(began.elapsed());
            if !is_too_early(response.status()) || left < RETRY_INTERVAL {
                return Ok(response);
            }
            sleep(retry_after(response.headers(), left)).await;
        }
    }

    async fn post(&self, template: &str, seat: &Seat, other: &Seat, offer: &str) -> anyhow::Result<Response> {
        let address = filled(template, seat, other);
        let url: Url = address.parse().with_context(|| format!("{address} is no address"))?;
        let request = self.http.post(url).header(header::CONTENT_TYPE, "application/sdp").body(offer.to_owned());
        Ok(authorized(request, self.bearer_of(seat, other)).send().await?)
    }

    /// The answer to an offer; what was made of it is remembered.
    async fn answer(&self, response: Response, seat: &Seat, other: &Seat) -> anyhow::Result<String> {
        let (status, address) = (response.status(), response.url());
        ensure!(status == StatusCode::CREATED, "{address} answers {status} in place of an answer");
        let session = location(&response).map(|url| Session { url, bearer: self.bearer_of(seat, other) });
        if let Some(member) = self.members().get_mut(&(seat.room, seat.participant)) {
            member.sessions.extend(session);
        }
        Ok(response.text().await?)
    }

    async fn delete(&self, session: Session) -> reqwest::Result<Response> {
        authorized(self.http.delete(session.url), session.bearer).send().await
    }

    /// What authorizes `seat` there.
    fn bearer_of(&self, seat: &Seat, other: &Seat) -> Option<String> {
        Some(filled(self.bearer.as_ref()?, seat, other))
    }

    fn members(&self) -> MutexGuard<'_, BTreeMap<(u32, u32), Member>> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn authorized(request: RequestBuilder, bearer: Option<String>) -> RequestBuilder {
    match bearer {
        Some(bearer) => request.bearer_auth(bearer),
        None => request,
    }
}

/// Whether what is asked for may only not be there yet.
fn is_too_early(status: StatusCode) -> bool {
    [StatusCode::NOT_FOUND, StatusCode::CONFLICT, StatusCode::TOO_EARLY, StatusCode::SERVICE_UNAVAILABLE]
        .contains(&status)
}

/// When to ask again: after the seconds that the server says (RFC 9110 §10.2.3), where they are not more than are `left`.
fn retry_after(headers: &HeaderMap, left: Duration) -> Duration {
    let said = headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    let said = said.map(Duration::from_secs).filter(|said| *said <= left);
    said.unwrap_or_default().max(RETRY_INTERVAL)
}

/// RFC 9725 §4.2: relative to where the offer was posted.
fn location(response: &Response) -> Option<Url> {
    response.url().join(response.headers().get(header::LOCATION)?.to_str().ok()?).ok()
}

/// The template with the numbers put in.
fn filled(template: &str, seat: &Seat, other: &Seat) -> String {
    template
        .replace("{room}", &seat.room.to_string())
        .replace("{participant}", &seat.participant.to_string())
        .replace("{other}", &other.participant.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_names_who_receives_and_who_is_received() {
        let seat = |participant| Seat {
            room: 7,
            participant,
            audio: true,
            picture: Picture::One,
            receives: Receives { audio: 1, video: 1 },
        };
        let template = "http://media.example/{room}/{other}/whep?as={participant}";
        assert_eq!(filled(template, &seat(0), &seat(1)), "http://media.example/7/1/whep?as=0");
    }

    #[test]
    fn a_server_says_when_it_is_asked_again_while_there_is_time() {
        let wait = |said: &str| {
            let headers = HeaderMap::from_iter([(header::RETRY_AFTER, said.parse().expect("a value"))]);
            retry_after(&headers, Duration::from_secs(5))
        };
        assert_eq!(wait("2"), Duration::from_secs(2));
        for other in ["0", "60", "Wed, 21 Oct 2026 07:28:00 GMT"] {
            assert_eq!(wait(other), RETRY_INTERVAL);
        }
    }
}
