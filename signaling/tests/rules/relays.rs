//! Relays that come, go and refuse; Redis that goes.

use crate::house::{House, SOON, TOLD, closed, offer, opens};
use domain::signal::ErrorCode;
use sqlx::PgPool;
use std::time::Instant;

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_relay_that_dies_is_noticed_at_once_and_another_takes_the_room(pool: PgPool) {
    let (house, relay, node) = House::ready(pool).await;
    let doctor = house.joins(&house.practitioner, &node).await;
    let patient = house.joins(&house.patient, &node).await;
    let other_relay = house.starts_relay().await;
    relay.shutdown().await;
    let died_at = Instant::now();
    for page in [&doctor, &patient] {
        page.until(|heard| heard.restarts == 1, SOON).await.expect("asked for a new offer");
    }
    assert!(died_at.elapsed() < TOLD);
    doctor.rejoin(&offer(&house.practitioner).await).await.expect("open");
    patient.rejoin(&offer(&house.patient).await).await.expect("open");
    for page in [&doctor, &patient] {
        page.until(|heard| heard.answers == 2 && heard.room.len() == 2, SOON).await.expect("joined anew");
    }
    assert_eq!(other_relay.stats().participants, 2);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn who_offers_anew_before_another_relay_is_there_waits_for_it_a_moment(pool: PgPool) {
    let (house, relay, node) = House::ready(pool).await;
    let page = house.joins(&house.patient, &node).await;
    relay.shutdown().await;
    page.until(|heard| heard.restarts == 1, SOON).await.expect("asked for a new offer");
    page.rejoin(&offer(&house.patient).await).await.expect("open");
    let _relay = house.starts_relay().await;
    page.until(|heard| heard.answers == 2, SOON).await.expect("joined anew");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn without_a_relay_a_page_is_told_to_come_again(pool: PgPool) {
    let mut house = House::new(pool).await;
    let node = house.starts_node().await;
    let page = opens(&node).await;
    page.join(&house.token(&house.patient).await, &offer(&house.patient).await).await.expect("open");
    let (code, heard) = closed(&page).await;
    assert_eq!((code, heard.errors), (Some(1013), vec![ErrorCode::NoRelay]));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_node_with_another_key_gets_nobody_into_a_relay(pool: PgPool) {
    let (mut house, relay, _node) = House::ready(pool).await;
    let stranger = house.starts_node_with("not the key of this house, though long", 10).await;
    let page = opens(&stranger).await;
    page.join(&house.token(&house.patient).await, &offer(&house.patient).await).await.expect("open");
    let (code, heard) = closed(&page).await;
    assert_eq!((code, heard.errors), (Some(1013), vec![ErrorCode::NoRelay]));
    assert_eq!(relay.stats().participants, 0);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_running_room_runs_on_without_redis_and_takes_its_people_back(pool: PgPool) {
    let (mut house, relay, node) = House::ready(pool).await;
    let doctor = house.joins(&house.practitioner, &node).await;
    house.redis.kill();
    house.joins(&house.patient, &node).await;
    doctor.until(|heard| heard.room.len() == 2, SOON).await.expect("both");
    assert_eq!((doctor.heard().restarts, relay.stats().participants), (0, 2));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_flushed_redis_does_not_split_a_room(pool: PgPool) {
    let (mut house, _relay, node) = House::ready(pool).await;
    let _other_relay = house.starts_relay().await;
    let doctor = house.joins(&house.practitioner, &node).await;
    house.redis.kill();
    house.redis.run();
    let other_node = house.starts_node().await;
    let comes = async {
        loop {
            let page = opens(&other_node).await;
            let token = house.token(&house.patient).await;
            page.join(&token, &offer(&house.patient).await).await.expect("open");
            let heard = page.until(|heard| heard.answer.is_some() || heard.closed.is_some(), SOON).await;
            if heard.expect("an answer").answer.is_some() {
                return page;
            }
        }
    };
    let patient = tokio::time::timeout(SOON, comes).await.expect("the relays announce themselves again");
    // Either the placement was written again in time, or the practitioner is asked to come over.
    let heard = doctor.until(|heard| heard.room.len() == 2 || heard.restarts > 0, SOON).await.expect("one room");
    if heard.restarts > 0 {
        doctor.rejoin(&offer(&house.practitioner).await).await.expect("open");
    }
    patient.until(|heard| heard.room.len() == 2, SOON).await.expect("both in one room");
}
