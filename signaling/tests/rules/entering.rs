//! Coming into the room: who may, and what they then see.

use crate::house::{House, SOON, closed, offer, opens};
use domain::signal::{ErrorCode, close};
use jiff::SignedDuration;
use participant::SignalingClient;
use service::clock::{ManualClock, SystemClock};
use sqlx::PgPool;

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn practitioner_and_patient_see_each_other_by_name(pool: PgPool) {
    let (house, _relay, node) = House::ready(pool).await;
    let doctor = house.joins(&house.practitioner, &node).await;
    let patient = house.joins(&house.patient, &node).await;
    let seen = doctor.until(|heard| heard.room.len() == 2, SOON).await.expect("both are in the room");
    assert_eq!(seen.participant, Some(house.practitioner.participant));
    let view = seen.sees(house.patient.participant).expect("the patient is there");
    assert_eq!(view.name.expose(), "Maria Santos");
    let seen = patient.until(|heard| heard.room.len() == 2, SOON).await.expect("both are in the room");
    let view = seen.sees(house.practitioner.participant).expect("the practitioner is there");
    assert_eq!(view.name.expose(), "Dr Hannah Osei");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_token_lets_in_once(pool: PgPool) {
    let (house, _relay, node) = House::ready(pool).await;
    let token = house.token(&house.patient).await;
    let offer = offer(&house.patient).await;
    let first = opens(&node).await;
    first.join(&token, &offer).await.expect("open");
    first.until(|heard| heard.answer.is_some(), SOON).await.expect("joined");

    let second = opens(&node).await;
    second.join(&token, &offer).await.expect("open");
    let (code, heard) = closed(&second).await;
    assert_eq!((code, heard.errors), (Some(close::TOKEN_REFUSED), vec![ErrorCode::TokenRefused]));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn an_expired_token_lets_nobody_in(pool: PgPool) {
    let (house, _relay, node) = House::ready(pool).await;
    let two_minutes_ago = domain::Clock::now(&SystemClock) - SignedDuration::from_mins(2);
    let token = house.token_at(&house.patient, &ManualClock::at(two_minutes_ago)).await;
    let page = opens(&node).await;
    page.join(&token, &offer(&house.patient).await).await.expect("open");
    assert_eq!(closed(&page).await.0, Some(close::TOKEN_REFUSED));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_page_of_another_origin_is_refused(pool: PgPool) {
    let mut house = House::new(pool).await;
    let node = house.starts_node().await;
    let refused = SignalingClient::connect(&node.url, "http://evil.example").await.expect_err("refused");
    assert_eq!(refused.status(), Some(403));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn nobody_speaks_before_showing_a_token(pool: PgPool) {
    let mut house = House::new(pool).await;
    let node = house.starts_node().await;
    let page = opens(&node).await;
    page.leave().await.expect("open");
    let (code, heard) = closed(&page).await;
    assert_eq!((code, heard.errors), (Some(close::BAD_MESSAGE), vec![ErrorCode::BadMessage]));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_second_page_of_the_same_person_replaces_the_first_also_from_another_node(pool: PgPool) {
    let (mut house, _relay, node) = House::ready(pool).await;
    let other_node = house.starts_node().await;
    let first = house.joins(&house.patient, &node).await;
    let second = house.joins(&house.patient, &other_node).await;
    let (code, heard) = closed(&first).await;
    assert_eq!((code, heard.replaced), (Some(close::REPLACED), true));
    let third = house.joins(&house.patient, &other_node).await;
    assert_eq!(closed(&second).await.0, Some(close::REPLACED));
    assert_eq!(third.heard().closed, None);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_page_that_lost_its_socket_takes_up_on_another_node_without_new_media(pool: PgPool) {
    let (mut house, relay, node) = House::ready(pool).await;
    let doctor = house.joins(&house.practitioner, &node).await;
    drop(house.joins(&house.patient, &node).await);
    let other_node = house.starts_node().await;
    let page = opens(&other_node).await;
    page.resume(&house.token(&house.patient).await).await.expect("open");
    let heard = page.until(|heard| heard.resumed == 1 && heard.room.len() == 2, SOON).await.expect("resumed");
    assert_eq!((heard.restarts, heard.answer), (0, None));
    assert_eq!(relay.stats().participants, 2);
    assert!(!doctor.heard().replaced);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn who_resumes_a_room_that_is_nowhere_is_asked_to_offer_anew(pool: PgPool) {
    let (house, _relay, node) = House::ready(pool).await;
    let page = opens(&node).await;
    page.resume(&house.token(&house.patient).await).await.expect("open");
    page.until(|heard| heard.resumed == 1 && heard.restarts == 1, SOON).await.expect("asked for an offer");
    page.rejoin(&offer(&house.patient).await).await.expect("open");
    page.until(|heard| heard.answer.is_some() && heard.room.len() == 1, SOON).await.expect("joined");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_new_peer_connection_on_the_same_socket_does_not_count_as_somebody_else(pool: PgPool) {
    let (house, relay, node) = House::ready(pool).await;
    let page = house.joins(&house.patient, &node).await;
    page.rejoin(&offer(&house.patient).await).await.expect("open");
    let heard = page.until(|heard| heard.answers == 2, SOON).await.expect("joined anew");
    assert_eq!((heard.replaced, heard.closed), (false, None));
    assert_eq!(relay.stats().participants, 1);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn an_offer_that_is_none_is_refused(pool: PgPool) {
    let (house, _relay, node) = House::ready(pool).await;
    let page = opens(&node).await;
    page.join(&house.token(&house.patient).await, "v=0\r\nnonsense").await.expect("open");
    let (code, heard) = closed(&page).await;
    assert_eq!((code, heard.errors), (Some(close::BAD_MESSAGE), vec![ErrorCode::OfferRefused]));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn who_leaves_is_gone_for_the_others_and_may_come_back(pool: PgPool) {
    let (house, _relay, node) = House::ready(pool).await;
    let doctor = house.joins(&house.practitioner, &node).await;
    let patient = house.joins(&house.patient, &node).await;
    doctor.until(|heard| heard.room.len() == 2, SOON).await.expect("both");
    patient.leave().await.expect("open");
    assert_eq!(closed(&patient).await.0, Some(close::LEFT));
    doctor.until(|heard| heard.room.len() == 1, SOON).await.expect("the patient left");
    house.joins(&house.patient, &node).await;
    doctor.until(|heard| heard.room.len() == 2, SOON).await.expect("the patient came back");
}
