//! What a page that misbehaves gets: one close code, at once.

use crate::house::{House, SOON, closed, opens};
use domain::{
    media::ParticipantStatus,
    signal::{ClientMessage, ErrorCode, MAX_MESSAGE_BYTES, close},
};
use participant::SignalingClient;
use sqlx::PgPool;

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn an_oversized_message_closes_the_socket(pool: PgPool) {
    let mut house = House::new(pool).await;
    let node = house.starts_node().await;
    let page = opens(&node).await;
    page.say_text(&"a".repeat(MAX_MESSAGE_BYTES + 1)).await.expect("open");
    assert_eq!(closed(&page).await.0, Some(1009));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_flood_closes_the_socket(pool: PgPool) {
    let mut house = House::new(pool).await;
    let node = house.starts_node().await;
    let page = opens(&node).await;
    for _ in 0..200 {
        if page.say(ClientMessage::Ping {}).await.is_err() {
            break;
        }
    }
    let (code, heard) = closed(&page).await;
    assert_eq!((code, heard.errors), (Some(close::TOO_FAST), vec![ErrorCode::TooFast]));
    assert!((60..100).contains(&heard.pongs));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn what_is_not_of_the_protocol_closes_the_socket_and_is_not_repeated(pool: PgPool) {
    let mut house = House::new(pool).await;
    let node = house.starts_node().await;
    for nonsense in ["", "{}", "[]", r#"{"type":"admit"}"#, r#"{"type":"ping","more":1}"#] {
        let page = opens(&node).await;
        page.say_text(nonsense).await.expect("open");
        let (code, heard) = closed(&page).await;
        assert_eq!((code, heard.errors), (Some(close::BAD_MESSAGE), vec![ErrorCode::BadMessage]), "{nonsense}");
    }
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_second_token_on_one_socket_closes_it(pool: PgPool) {
    let (house, _relay, node) = House::ready(pool).await;
    let page = house.joins(&house.patient, &node).await;
    page.resume(&house.token(&house.practitioner).await).await.expect("open");
    assert_eq!(closed(&page).await.0, Some(close::BAD_MESSAGE));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_full_node_refuses_the_next_socket_and_takes_it_when_one_is_closed(pool: PgPool) {
    let mut house = House::new(pool).await;
    let node = house.starts_node_with("a key that does not matter here", 1).await;
    let page = opens(&node).await;
    let refused = SignalingClient::connect(&node.url, crate::house::ORIGIN).await.expect_err("refused");
    assert_eq!(refused.status(), Some(503));
    page.say_text("no").await.expect("open");
    closed(&page).await;
    let again = async {
        while SignalingClient::connect(&node.url, crate::house::ORIGIN).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(SOON, again).await.expect("there is room again");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn what_one_says_of_themselves_reaches_the_others_and_is_about_them_only(pool: PgPool) {
    let (house, _relay, node) = House::ready(pool).await;
    let doctor = house.joins(&house.practitioner, &node).await;
    let patient = house.joins(&house.patient, &node).await;
    patient.say_status(ParticipantStatus { microphone: false, ..ParticipantStatus::default() }).await.expect("open");
    let is_muted = |id| move |heard: &participant::Heard| heard.sees(id).is_some_and(|one| !one.status.microphone);
    let heard = doctor.until(is_muted(house.patient.participant), SOON).await.expect("the patient is muted");
    assert!(!is_muted(house.practitioner.participant)(&heard));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_socket_that_shows_no_token_is_closed_though_it_speaks(pool: PgPool) {
    let mut house = House::new(pool).await;
    let node = house.starts_node().await;
    let page = opens(&node).await;
    page.say(ClientMessage::Ping {}).await.expect("open");
    // Ten seconds are given; the test waits for the event, not for the time.
    let heard = page.until(|heard| heard.closed.is_some(), SOON * 2).await.expect("closed");
    assert_eq!((heard.closed.and_then(|closed| closed.code), heard.pongs), (Some(close::BAD_MESSAGE), 1));
}
