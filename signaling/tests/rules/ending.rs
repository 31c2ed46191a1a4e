//! How a consultation ends for its pages, and how a node does.

use crate::house::{House, SOON, TOLD, closed, emptied, opens};
use domain::signal::{ErrorCode, close};
use sqlx::PgPool;
use std::time::Instant;

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_finished_encounter_ends_every_socket_at_once_and_the_room(pool: PgPool) {
    let (mut house, relay, node) = House::ready(pool).await;
    let other_node = house.starts_node().await;
    let doctor = house.joins(&house.practitioner, &node).await;
    let patient = house.joins(&house.patient, &other_node).await;
    let finished_at = Instant::now();
    house.finishes().await;
    house.tells_of_the_end().await;
    for page in [&doctor, &patient] {
        let (code, heard) = closed(page).await;
        assert_eq!((code, heard.ended), (Some(close::ENDED), true));
    }
    assert!(finished_at.elapsed() < TOLD);
    emptied(&relay).await;
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn the_end_is_noticed_when_redis_loses_the_news(pool: PgPool) {
    let (house, _relay, node) = House::ready(pool).await;
    let doctor = house.joins(&house.practitioner, &node).await;
    house.finishes().await;
    assert_eq!(closed(&doctor).await.0, Some(close::ENDED));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn after_the_end_no_token_opens_the_room(pool: PgPool) {
    let (house, _relay, node) = House::ready(pool).await;
    let token = house.token(&house.patient).await;
    house.finishes().await;
    let page = opens(&node).await;
    page.resume(&token).await.expect("open");
    let (code, heard) = closed(&page).await;
    assert_eq!((code, heard.errors), (Some(close::TOKEN_REFUSED), vec![ErrorCode::TokenRefused]));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_node_that_stops_sends_its_pages_elsewhere_and_media_stays(pool: PgPool) {
    let (mut house, relay, node) = House::ready(pool).await;
    let other_node = house.starts_node().await;
    let page = house.joins(&house.patient, &node).await;
    node.draining.cancel();
    assert_eq!(closed(&page).await.0, Some(close::GOING_AWAY));
    assert!(node.signaling.drained(SOON).await);
    assert_eq!(relay.stats().participants, 1);
    let page = opens(&other_node).await;
    page.resume(&house.token(&house.patient).await).await.expect("open");
    page.until(|heard| heard.resumed == 1, SOON).await.expect("resumed");
}
