//! Any server that speaks WHIP (RFC 9725) and WHEP: each participant publishes by one transport and receives each other by one.
//!
//! It is started by whoever measures; addresses are templates with `{room}`, `{participant}` and, for WHEP, `{other}` in them.

use crate::relay::{
    peer::{Peer, PeerFactory},
    target::{Limits, Missing, Picture, Place, Receives, Seat, Server, Target},
};
use anyhow::Context as _;
use async_trait::async_trait;
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url, header};
use std::collections::HashMap;
use tokio::sync::Mutex;

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
    rooms: Mutex<HashMap<u32, Vec<Member>>>,
}

#[derive(Clone)]
struct Member {
    seat: Seat,
    /// What to delete at the end.
    sessions: Vec<Url>,
    subscribes: bool,
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
        let http = reqwest::Client::builder().build()?;
        Ok(Box::new(Running { whip, whep, bearer, processes, http, rooms: Mutex::default() }))
    }
}

#[async_trait]
impl Server for Running {
    fn processes(&self) -> Vec<u32> {
        self.processes.clone()
    }

    async fn join(&self, seat: &Seat, peers: &PeerFactory) -> anyhow::Result<Vec<Peer>> {
        let mut member = Member { seat: *seat, sessions: Vec::new(), subscribes: seat.receives != Receives::default() };
        let mut made = Vec::new();
        if seat.audio || seat.picture != Picture::No {
            let (offer, pending) = peers.offer(seat, Receives::default())?;
            let (answer, session) = self.exchange(&address(&self.whip, seat, seat), offer).await?;
            made.push(pending.answered(&answer)?);
            member.sessions.extend(session);
        }
        self.rooms.lock().await.entry(seat.room).or_default().push(member);
        Ok(made)
    }

    /// What is not published yet cannot be received.
    async fn subscribe(&self, room: u32, peers: &PeerFactory) -> anyhow::Result<Vec<Peer>> {
        let Some(whep) = &self.whep else { return Ok(Vec::new()) };
        let mut rooms = self.rooms.lock().await;
        let members = rooms.get_mut(&room).context("nobody is there")?;
        let seats: Vec<Seat> = members.iter().map(|member| member.seat).collect();
        let mut made = Vec::new();
        for member in members.iter_mut().filter(|member| member.subscribes) {
            // Nobody subscribes twice.
            member.subscribes = false;
            let silent = Seat { audio: false, picture: Picture::No, ..member.seat };
            for other in seats.iter().filter(|other| other.participant != member.seat.participant) {
                let receives =
                    Receives { audio: usize::from(other.audio), video: usize::from(other.picture != Picture::No) };
                let (offer, pending) = peers.offer(&silent, receives)?;
                let (answer, session) = self.exchange(&address(whep, &member.seat, other), offer).await?;
                made.push(Peer { seat: member.seat, ..pending.answered(&answer)? });
                member.sessions.extend(session);
            }
        }
        Ok(made)
    }

    async fn leave(&self, seat: &Seat) -> anyhow::Result<()> {
        let mut rooms = self.rooms.lock().await;
        let Some(members) = rooms.get_mut(&seat.room) else { return Ok(()) };
        let Some(at) = members.iter().position(|member| member.seat.participant == seat.participant) else {
            return Ok(());
        };
        for session in members.remove(at).sessions {
            self.request(Method::DELETE, session).send().await?;
        }
        Ok(())
    }

    async fn stop(self: Box<Self>) {}
}

impl Running {
    /// Posts an offer; gives the answer and the address of what was made.
    async fn exchange(&self, address: &str, offer: String) -> anyhow::Result<(String, Option<Url>)> {
        let url: Url = address.parse().with_context(|| format!("{address} is no address"))?;
        let request = self.request(Method::POST, url.clone());
        let response = request.header(header::CONTENT_TYPE, "application/sdp").body(offer).send().await?;
        let session = location(&response, &url);
        let (status, body) = (response.status(), response.text().await?);
        anyhow::ensure!(status == StatusCode::CREATED, "{address} answers {status} in place of an answer");
        Ok((body, session))
    }

    fn request(&self, method: Method, url: Url) -> RequestBuilder {
        let request = self.http.request(method, url);
        match &self.bearer {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }
}

/// RFC 9725 §4.2: relative to where the offer was posted.
fn location(response: &Response, posted: &Url) -> Option<Url> {
    posted.join(response.headers().get(header::LOCATION)?.to_str().ok()?).ok()
}

/// The template with the numbers put in.
fn address(template: &str, seat: &Seat, other: &Seat) -> String {
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
        assert_eq!(address(template, &seat(0), &seat(1)), "http://media.example/7/1/whep?as=0");
    }
}
