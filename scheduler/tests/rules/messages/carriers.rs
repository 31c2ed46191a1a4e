//! A server that is down, refuses, or comes back: by SMTP and by the webhook of text messages.

use crate::house::{House, at};
use domain::Redacted;
use jiff::SignedDuration;
use scheduler::{
    Mailer, Texts, deliveries,
    messages::{Delivery, MessageKind, MessageState, Problem, SmsWebhook},
    unreached_visits,
};
use sqlx::PgPool;
use standardwebhooks::Webhook;
use std::{collections::HashMap, sync::Arc};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpListener,
    sync::mpsc,
};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// What the provider behind the webhook was asked.
struct Request {
    headers: HashMap<String, String>,
    body: String,
}

/// An HTTP server that answers with each status in turn, and with the last one from then on.
async fn provider(answers: &'static [u16]) -> (Texts, mpsc::UnboundedReceiver<Request>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let (sender, receiver) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        for count in 0.. {
            let Ok((socket, _)) = listener.accept().await else { return };
            let status = answers[answers.len().min(count + 1) - 1];
            if sender.send(answer(socket, status).await).is_err() {
                return;
            }
        }
    });
    let url = format!("http://{address}/sms").parse().expect("an address");
    let webhook = SmsWebhook::new(url, &Redacted::new(SECRET.to_owned())).expect("a secret");
    (Texts::Provider(Arc::new(webhook)), receiver)
}

async fn answer(socket: tokio::net::TcpStream, status: u16) -> Request {
    let mut socket = BufReader::new(socket);
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        socket.read_line(&mut line).await.expect("a line");
        if line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(": ") {
            headers.insert(name.to_lowercase(), value.trim().to_owned());
        }
    }
    let length: usize = headers["content-length"].parse().expect("a length");
    let mut body = vec![0; length];
    socket.read_exact(&mut body).await.expect("a body");
    let head = format!("HTTP/1.1 {status} Whatever\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    socket.write_all(head.as_bytes()).await.expect("an answer");
    socket.shutdown().await.expect("an end");
    Request { headers, body: String::from_utf8(body).expect("text") }
}

async fn confirmation(house: &House, id: domain::AppointmentId) -> Delivery {
    let mut told = deliveries(&house.db, &house.riverside.receptionist, id).await.expect("a read");
    told.retain(|told| told.kind == MessageKind::Confirmation);
    told[0]
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_text_message_is_posted_signed_and_again_with_the_same_id_until_it_is_taken(pool: PgPool) {
    let house = House::new(pool).await;
    sqlx::query("update patients set email = null").execute(&house.superuser).await.expect("a change");
    let id = house.book(0, at("12:00")).await.expect("a free slot");
    let (texts, mut requests) = provider(&[500, 503, 202]).await;
    let carriers = house.carriers(Mailer::Nowhere, texts);
    let mut ids = Vec::new();
    for (pause, sent) in [(0, 0), (30, 0), (60, 1)] {
        house.clock.advance(SignedDuration::from_secs(pause));
        assert_eq!(house.delivers(&carriers).await, sent);
        assert_eq!(house.delivers(&carriers).await, 0, "it is not tried again at once");
        let request = requests.recv().await.expect("a request");
        let header = |name: &str| request.headers[name].as_str();
        let time: i64 = header("webhook-timestamp").parse().expect("seconds");
        let right = Webhook::new(SECRET).expect("a secret").sign(header("webhook-id"), time, request.body.as_bytes());
        assert_eq!(header("webhook-signature"), right.expect("a signature"));
        let body: serde_json::Value = serde_json::from_str(&request.body).expect("JSON");
        assert_eq!(body["data"]["to"], "+44 20 7946 0211");
        assert!(body["data"]["text"].as_str().is_some_and(|text| text.contains("is booked for")), "{body}");
        ids.push(header("webhook-id").to_owned());
    }
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert_eq!(confirmation(&house, id).await.state, MessageState::Sent);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_number_that_is_refused_for_good_is_given_up_at_once_and_the_desk_rings(pool: PgPool) {
    let house = House::new(pool).await;
    sqlx::query("update patients set email = null").execute(&house.superuser).await.expect("a change");
    let id = house.book(0, at("12:00")).await.expect("a free slot");
    let (texts, _requests) = provider(&[422]).await;
    assert_eq!(house.delivers(&house.carriers(Mailer::Nowhere, texts)).await, 0);
    let told = confirmation(&house, id).await;
    assert_eq!((told.state, told.problem), (MessageState::Failed, Some(Problem::Refused)));
    let desk = &house.riverside.receptionist;
    let (unreached, _) = unreached_visits(&house.db, &house.clock, desk).await.expect("a read");
    assert_eq!(unreached[0].1, Some(MessageKind::Confirmation));
    assert!(house.actions().await.contains(&"message.given_up".to_owned()));

    // A later word that arrives takes them off the list.
    house.clock.set(at("11:00"));
    assert_eq!(house.mails().await.len(), 1);
    assert!(unreached_visits(&house.db, &house.clock, desk).await.expect("a read").0.is_empty());
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn an_address_that_is_none_is_given_up_at_once_unless_the_other_way_works(pool: PgPool) {
    let house = House::new(pool).await;
    let wrong = "update patients set email = 'not an address'";
    sqlx::query(wrong).execute(&house.superuser).await.expect("a change");
    house.book(0, at("12:00")).await.expect("a free slot");
    let (texts, _requests) = provider(&[200]).await;
    assert_eq!(house.delivers(&house.carriers(down(), texts)).await, 1);
    let desk = &house.riverside.receptionist;
    assert!(unreached_visits(&house.db, &house.clock, desk).await.expect("a read").0.is_empty(), "the text arrived");
}

/// Port 9 of the loop-back address: nobody answers.
fn down() -> Mailer {
    Mailer::smtp(&Redacted::new("smtp://127.0.0.1:9".to_owned())).expect("an address")
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn email_waits_for_a_server_that_is_down_and_is_not_lost(pool: PgPool) {
    let house = House::new(pool).await;
    sqlx::query("update patients set phone = null").execute(&house.superuser).await.expect("a change");
    house.book(0, at("12:00")).await.expect("a free slot");
    assert_eq!(house.delivers(&house.carriers(down(), Texts::Nowhere)).await, 0);
    assert!(house.mails().await.is_empty());
    house.clock.advance(SignedDuration::from_secs(30));
    assert_eq!(house.mails().await.len(), 1);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn without_a_server_email_waits_and_the_desk_rings_and_text_messages_are_not_missed(pool: PgPool) {
    let house = House::new(pool).await;
    let id = house.book(0, at("12:00")).await.expect("a free slot");
    let nowhere = house.carriers(Mailer::Nowhere, Texts::Nowhere);
    assert_eq!(house.delivers(&nowhere).await, 0);
    house.clock.advance(SignedDuration::from_mins(15));
    let (unreached, _) =
        unreached_visits(&house.db, &house.clock, &house.riverside.receptionist).await.expect("a read");
    assert_eq!(unreached[0].0.id, id);
    let mails = house.mails().await;
    assert_eq!(mails.len(), 1, "the e-mail; the text message was settled when it was due");
}
