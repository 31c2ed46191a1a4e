//! Patients who arrive and wait, and a receptionist who watches the desk, as their browsers do it.

use anyhow::{Context as _, ensure};
use domain::{AppointmentId, Redacted};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use reqwest::{Client, Response, StatusCode, header, redirect::Policy};
use service::keys::Keys;
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};
use tokio::{sync::mpsc, time::timeout};

/// How long the desk may take to tell of an arrival.
const PATIENCE: Duration = Duration::from_secs(20);

/// The pages, as browsers reach them.
pub struct Site {
    address: String,
    keys: Keys,
    http: Client,
}

/// An open waiting room: its stream is read as long as this lives.
pub struct Waiting(tokio::task::JoinHandle<()>);

/// The desk's stream of events.
pub struct Desk {
    /// Who is shown as waiting, and since when.
    shown: mpsc::UnboundedReceiver<(Vec<String>, Instant)>,
    seen: HashMap<String, Instant>,
}

impl Site {
    /// The service at a port of the loop-back address, whose links are made of `secret`.
    ///
    /// # Errors
    /// When there is no client to be had.
    pub fn new(port: u16, secret: &str) -> anyhow::Result<Self> {
        let keys = Keys::derive(&Redacted::new(secret.to_owned()))?;
        let http = Client::builder().redirect(Policy::none()).build()?;
        Ok(Self { address: format!("http://127.0.0.1:{port}"), keys, http })
    }

    /// Signs in and opens the stream of the desk.
    ///
    /// # Errors
    /// When the service refuses.
    pub async fn desk(&self, email: &str, password: &str) -> anyhow::Result<Desk> {
        let form = [("email", email), ("password", password)];
        let answer = self.http.post(format!("{}/sign-in", self.address)).form(&form).send().await?;
        ensure!(answer.status() == StatusCode::SEE_OTHER, "signing in answered {}", answer.status());
        let stream = self.stream("/desk/events", &cookie(&answer)?).await?;
        let (told, shown) = mpsc::unbounded_channel();
        // Ends with the stream.
        tokio::spawn(watch(stream, told));
        Ok(Desk { shown, seen: HashMap::new() })
    }

    /// A patient opens their link, says that they are here, and keeps the waiting room open.
    ///
    /// # Errors
    /// When the service refuses.
    pub async fn arrives(&self, visit: AppointmentId) -> anyhow::Result<Waiting> {
        let link = scheduler::visit_link(&self.keys.visit_link, visit, 1);
        let answer = self.http.post(format!("{}/visit/{}", self.address, link.expose())).send().await?;
        ensure!(answer.status() == StatusCode::SEE_OTHER, "arriving answered {}", answer.status());
        let mut stream = self.stream(&format!("/waiting/{visit}/events"), &cookie(&answer)?).await?;
        let read = tokio::spawn(async move { while let Ok(Some(_)) = stream.chunk().await {} });
        Ok(Waiting(read))
    }

    /// The same for many, so many at a time.
    ///
    /// # Errors
    /// When the service refuses one.
    pub async fn arrive(&self, visits: &[AppointmentId], at_once: usize) -> anyhow::Result<Vec<Waiting>> {
        stream::iter(visits).map(|visit| self.arrives(*visit)).buffer_unordered(at_once).try_collect().await
    }

    async fn stream(&self, path: &str, cookie: &str) -> anyhow::Result<Response> {
        let request = self.http.get(format!("{}{path}", self.address)).header(header::COOKIE, cookie);
        let answer = request.send().await?;
        ensure!(answer.status().is_success(), "{path} answered {}", answer.status());
        Ok(answer)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Desk {
    /// When the desk first showed this patient as waiting.
    ///
    /// # Errors
    /// When it does not within [`PATIENCE`].
    pub async fn sees(&mut self, visit: AppointmentId) -> anyhow::Result<Instant> {
        let name = visit.to_string();
        let shown = async {
            while !self.seen.contains_key(&name) {
                let (waiting, at) = self.shown.recv().await?;
                for visit in waiting {
                    self.seen.entry(visit).or_insert(at);
                }
            }
            self.seen.get(&name).copied()
        };
        timeout(PATIENCE, shown).await.ok().flatten().context("the desk does not show who has arrived")
    }
}

/// Tells who waits by each event of the desk, when its last byte has come.
async fn watch(mut stream: Response, told: mpsc::UnboundedSender<(Vec<String>, Instant)>) {
    let mut text = Vec::new();
    while let Ok(Some(part)) = stream.chunk().await {
        text.extend_from_slice(&part);
        // An empty line ends an event.
        if text.ends_with(b"\n\n") {
            let waiting = waiting(&String::from_utf8_lossy(&text));
            if told.send((waiting, Instant::now())).is_err() {
                return;
            }
            text.clear();
        }
    }
}

/// The visits that the desk lists as waiting: `<li … id="waiting-ID">`.
fn waiting(event: &str) -> Vec<String> {
    let ids = event.split("id=\"waiting-").skip(1).filter_map(|rest| rest.split('"').next());
    ids.map(str::to_owned).collect()
}

fn cookie(answer: &Response) -> anyhow::Result<String> {
    let cookies = answer.headers().get_all(header::SET_COOKIE).iter();
    let pairs = cookies.filter_map(|cookie| cookie.to_str().ok()?.split(';').next());
    let all: Vec<&str> = pairs.collect();
    ensure!(!all.is_empty(), "no cookie came with the answer");
    Ok(all.join("; "))
}

#[cfg(test)]
mod tests {
    use super::waiting;

    #[test]
    fn who_waits_is_read_from_the_desks_own_list() {
        let event =
            "data: <li class=\"side-row\" id=\"waiting-a1\">\ndata: <h2 id=\"heading\"> <li id=\"waiting-b2\">\n\n";
        assert_eq!(waiting(event), ["a1", "b2"]);
    }
}
