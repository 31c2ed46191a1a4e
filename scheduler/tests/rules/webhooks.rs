//! Programs are told what happens: at least once, in order, signed, and only where nobody is tricked into calling.

use crate::house::{House, at};
use domain::{Actor, ApiTokenId, Role, WebhookId, Who};
use jiff::SignedDuration;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use scheduler::{
    Cancel, NewWebhook, TargetError, WebhookError, WebhookSender, create_webhook, disable_webhook, events,
    webhooks::tell_webhooks,
};
use service::clock::{ManualClock, SystemClock};
use sqlx::PgPool;
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU16, AtomicUsize, Ordering},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};
use uuid::Uuid;

/// A program that is told, on this machine.
struct Receiver {
    url: String,
    status: Arc<AtomicU16>,
    connections: Arc<AtomicUsize>,
    /// Whatever it answered with 200.
    heard: Arc<Mutex<Vec<(HeaderMap, String)>>>,
}

impl Receiver {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
        let receiver =
            Self { url, status: Arc::new(AtomicU16::new(200)), connections: Arc::default(), heard: Arc::default() };
        let (status, connections, heard) =
            (receiver.status.clone(), receiver.connections.clone(), receiver.heard.clone());
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                let mut request = Vec::new();
                while !is_whole(&request) && socket.read_buf(&mut request).await.is_ok_and(|read| read > 0) {}
                let status = status.load(Ordering::SeqCst);
                if status == 200 {
                    heard.lock().expect("a lock").push(parsed(&request));
                }
                let answer = format!(
                    "HTTP/1.1 {status} .\r\nlocation: http://127.0.0.1:1/\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
                );
                let _ = socket.write_all(answer.as_bytes()).await; // who went away hears nothing
            }
        });
        receiver
    }

    fn numbers(&self) -> Vec<i64> {
        let heard = self.heard.lock().expect("a lock");
        heard.iter().map(|(_, body)| event(body)["number"].as_i64().expect("a number")).collect()
    }
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    body.len() >= length.unwrap_or(0)
}

fn parsed(request: &[u8]) -> (HeaderMap, String) {
    let text = String::from_utf8_lossy(request);
    let (head, body) = text.split_once("\r\n\r\n").expect("a whole request");
    let headers = head.lines().skip(1).filter_map(|line| {
        let (name, value) = line.split_once(": ")?;
        Some((name.parse::<HeaderName>().ok()?, value.parse::<HeaderValue>().ok()?))
    });
    (headers.collect(), body.to_owned())
}

fn event(body: &str) -> serde_json::Value {
    serde_json::from_str(body).expect("JSON")
}

fn administrator(house: &House) -> Actor {
    let who = Who::ApiToken { id: ApiTokenId(Uuid::from_u128(7)), role: Role::Administrator };
    Actor { clinic: house.riverside.id, who }
}

async fn hook(house: &House, url: &str, allow_private: bool) -> Result<(WebhookId, String), WebhookError> {
    let new = NewWebhook { url: url.to_owned(), allow_private };
    let (id, secret) = create_webhook(&house.db, &house.clock, &house.random, &administrator(house), new).await?;
    Ok((id, secret.into_inner()))
}

/// Events are dated by the database's clock, so the worker's begins with the machine's.
fn now() -> ManualClock {
    ManualClock::at(domain::Clock::now(&SystemClock))
}

async fn tell(house: &House, clock: &ManualClock) -> usize {
    let sender = WebhookSender::new().expect("certificates");
    tell_webhooks(&house.db, clock, &sender, house.riverside.id).await.expect("a round")
}

/// Books, cancels, and books again.
async fn three_things_happen(house: &House) {
    let id = house.book(0, at("09:30")).await.expect("a free slot");
    let request = Cancel::new(id, "The patient called.");
    scheduler::cancel(&house.db, &house.clock, &house.riverside.receptionist, request).await.expect("it is booked");
    house.book(1, at("10:00")).await.expect("a free slot");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn what_happens_is_told_signed_and_in_order(pool: PgPool) {
    let house = House::new(pool).await;
    let receiver = Receiver::new().await;
    let (_, secret) = hook(&house, &receiver.url, true).await.expect("a webhook");
    three_things_happen(&house).await;
    assert_eq!(tell(&house, &now()).await, 3);
    let told = receiver.heard.lock().expect("a lock").clone();
    let kinds: Vec<_> = told.iter().map(|(_, body)| event(body)["type"].clone()).collect();
    assert_eq!(kinds, ["appointment.booked", "appointment.cancelled", "appointment.booked"]);
    let verifier = standardwebhooks::Webhook::new(&secret).expect("a secret");
    for (headers, body) in &told {
        verifier.verify(body.as_bytes(), headers).expect("our signature");
        assert_eq!(headers["webhook-id"], format!("evt_{}", event(body)["number"]).as_str());
        let forged = body.replace("appointment", "encounter");
        assert!(verifier.verify(forged.as_bytes(), headers).is_err());
    }
    let read = events(&house.db, &administrator(&house), None, 0, 100).await.expect("events");
    assert_eq!(read.iter().map(|event| event.number).collect::<Vec<_>>(), receiver.numbers());
    assert_eq!(read[2].to_json(), event(&told[2].1), "read again, an event is what was told");
    assert_eq!(tell(&house, &now()).await, 0, "nothing is told again without need");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_program_that_was_away_is_told_everything_in_order_when_it_is_back(pool: PgPool) {
    let house = House::new(pool).await;
    let receiver = Receiver::new().await;
    let (id, _) = hook(&house, &receiver.url, true).await.expect("a webhook");
    let clock = now();
    for status in [503, 302] {
        receiver.status.store(status, Ordering::SeqCst);
        three_or_nothing(&house, status == 503).await;
        assert_eq!(tell(&house, &clock).await, 0);
        let before = receiver.connections.load(Ordering::SeqCst);
        assert_eq!(tell(&house, &clock).await, 0);
        assert_eq!(receiver.connections.load(Ordering::SeqCst), before, "it is not asked again at once");
        clock.advance(SignedDuration::from_mins(1));
    }
    let by = administrator(&house);
    let stands = scheduler::webhooks(&house.db, &by, None, 10).await.expect("webhooks");
    assert_eq!((stands[0].waiting, stands[0].last_outcome.as_deref()), (3, Some("status 302")));
    receiver.status.store(200, Ordering::SeqCst);
    assert_eq!(tell(&house, &clock).await, 3);
    let read = events(&house.db, &by, None, 0, 100).await.expect("events");
    assert_eq!(receiver.numbers(), read.iter().map(|event| event.number).collect::<Vec<_>>());
    let deliveries = scheduler::webhook_deliveries(&house.db, &by, id, i64::MAX, 10).await.expect("deliveries");
    assert_eq!(deliveries.iter().map(|one| one.attempts).collect::<Vec<_>>(), [1, 1, 3]);
}

async fn three_or_nothing(house: &House, three: bool) {
    if three {
        three_things_happen(house).await;
    }
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn what_could_not_be_told_for_a_day_is_given_up_and_seen_as_such(pool: PgPool) {
    let house = House::new(pool).await;
    let receiver = Receiver::new().await;
    hook(&house, &receiver.url, true).await.expect("a webhook");
    receiver.status.store(500, Ordering::SeqCst);
    house.book(0, at("09:30")).await.expect("a free slot");
    let clock = now();
    let mut attempts = 0;
    for _ in 0..60 {
        tell(&house, &clock).await;
        attempts = receiver.connections.load(Ordering::SeqCst);
        clock.advance(SignedDuration::from_mins(30));
    }
    assert!((20..60).contains(&attempts), "{attempts}");
    let stands = scheduler::webhooks(&house.db, &administrator(&house), None, 10).await.expect("webhooks");
    assert_eq!((stands[0].waiting, stands[0].given_up), (0, 1));
    receiver.status.store(200, Ordering::SeqCst);
    house.book(1, at("10:00")).await.expect("a free slot");
    assert_eq!(tell(&house, &clock).await, 1, "what happens later is told");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn of_two_schedulers_one_tells(pool: PgPool) {
    let house = House::new(pool).await;
    let receiver = Receiver::new().await;
    hook(&house, &receiver.url, true).await.expect("a webhook");
    three_things_happen(&house).await;
    let clock = now();
    let (one, two) = tokio::join!(tell(&house, &clock), tell(&house, &clock));
    assert_eq!(one + two, 3);
    assert_eq!(receiver.numbers().len(), 3);
    assert!(receiver.numbers().is_sorted());
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn an_address_within_the_house_needs_an_administrators_leave(pool: PgPool) {
    let house = House::new(pool).await;
    for url in ["https://127.0.0.1/", "https://10.1.2.3/hook", "https://[::1]/", "https://localhost/hook"] {
        let refused = hook(&house, url, false).await;
        assert!(matches!(refused, Err(WebhookError::Target(TargetError::Private))), "{url}: {refused:?}");
        hook(&house, url, true).await.expect("it was allowed");
    }
    let refused = hook(&house, "http://192.168.1.7/hook", false).await;
    assert!(matches!(refused, Err(WebhookError::Target(TargetError::NotHttps))));
    let refused = hook(&house, "http://169.254.169.254/latest/meta-data", true).await;
    assert!(matches!(refused, Err(WebhookError::Target(TargetError::Never))));
    for by in [&house.riverside.receptionist, &house.riverside.doctor] {
        let new = NewWebhook { url: "https://example.org/".to_owned(), allow_private: false };
        let refused = create_webhook(&house.db, &house.clock, &house.random, by, new).await;
        assert!(matches!(refused, Err(WebhookError::NotAllowed)));
    }
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_name_that_leads_into_the_house_later_is_not_called(pool: PgPool) {
    let house = House::new(pool).await;
    let receiver = Receiver::new().await;
    let port = receiver.url.trim_start_matches("http://127.0.0.1:").to_owned();
    hook(&house, "https://example.org/hook", false).await.expect("a webhook");
    house.book(0, at("09:30")).await.expect("a free slot");
    // Whoever owns the name lets it lead elsewhere after it was checked.
    for url in [format!("https://localhost:{port}"), format!("https://127.0.0.1:{port}")] {
        sqlx::query("update webhooks set url = $1").bind(&url).execute(&house.superuser).await.expect("a change");
        sqlx::query("update webhook_deliveries set next_attempt_at = '-infinity'")
            .execute(&house.superuser)
            .await
            .expect("a change");
        assert_eq!(tell(&house, &now()).await, 0);
        assert_eq!(receiver.connections.load(Ordering::SeqCst), 0, "{url} was connected to");
        let stands = scheduler::webhooks(&house.db, &administrator(&house), None, 10).await.expect("webhooks");
        assert_eq!(stands[0].last_outcome.as_deref(), Some("the address belongs to a private network"), "{url}");
    }
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_disabled_webhook_is_told_nothing_and_another_clinic_neither(pool: PgPool) {
    let house = House::new(pool).await;
    let (receiver, other) = (Receiver::new().await, Receiver::new().await);
    let (id, _) = hook(&house, &receiver.url, true).await.expect("a webhook");
    let theirs = Actor { clinic: house.harbour.id, ..administrator(&house) };
    let new = NewWebhook { url: other.url.clone(), allow_private: true };
    create_webhook(&house.db, &house.clock, &house.random, &theirs, new).await.expect("a webhook");
    house.book(0, at("09:30")).await.expect("a free slot");
    let refused = disable_webhook(&house.db, &house.clock, &theirs, id).await;
    assert!(matches!(refused, Err(WebhookError::NotFound)));
    disable_webhook(&house.db, &house.clock, &administrator(&house), id).await.expect("it is told");
    assert_eq!(tell(&house, &now()).await, 0);
    let sender = WebhookSender::new().expect("certificates");
    tell_webhooks(&house.db, &now(), &sender, house.harbour.id).await.expect("a round");
    assert_eq!(receiver.connections.load(Ordering::SeqCst) + other.connections.load(Ordering::SeqCst), 0);
    assert!(events(&house.db, &theirs, None, 0, 100).await.expect("events").is_empty());
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn events_are_numbered_in_the_order_of_their_commits(pool: PgPool) {
    let house = Arc::new(House::new(pool).await);
    let by = administrator(&house);
    let bookings: Vec<_> = (0..12)
        .map(|number| {
            let house = house.clone();
            let starts_at = at("09:30") + SignedDuration::from_mins(30 * number);
            tokio::spawn(async move { house.book(0, starts_at).await.expect("a free slot") })
        })
        .collect();
    let mut seen = Vec::new();
    // Whoever reads on from the last number while others commit misses none.
    while seen.len() < 12 {
        let after = seen.last().copied().unwrap_or(0);
        seen.extend(events(&house.db, &by, None, after, 3).await.expect("events").iter().map(|event| event.number));
        tokio::task::yield_now().await;
    }
    for booking in bookings {
        booking.await.expect("booked");
    }
    let all = events(&house.db, &by, None, 0, 100).await.expect("events");
    assert_eq!(seen, all.iter().map(|event| event.number).collect::<Vec<_>>());
}
