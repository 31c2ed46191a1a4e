//! Join tokens open one room for one person, once.

use crate::house::House;
use domain::{Redacted, relay::Connection, signal::ParticipantRole};
use jiff::SignedDuration;
use scheduler::join_tokens::{MintError, SigningKey, TokenRefused, VerifyingKey, mint, redeem};
use sqlx::PgPool;
use std::sync::Arc;

async fn mint_for_doctor(house: &House, encounter: domain::EncounterId) -> Redacted<String> {
    let key = SigningKey::new(&house.keys.join_token);
    mint(&house.db, &house.clock, &house.random, &key, &house.riverside.doctor, encounter).await.expect("their own")
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_token_makes_its_bearer_who_asked_for_it(pool: PgPool) {
    let house = House::new(pool).await;
    let (appointment, encounter) = house.admitted().await;
    let (signing, verifying) = (SigningKey::new(&house.keys.join_token), VerifyingKey::new(&house.keys.join_token));
    let patient = house.patient(0, appointment);
    for number in 1..=2 {
        let token = mint(&house.db, &house.clock, &house.random, &signing, &patient, encounter).await;
        let token = token.expect("an open encounter");
        let admission = redeem(&house.db, &house.clock, &verifying, &token).await.expect("a fresh token");
        assert_eq!((admission.role, admission.encounter), (ParticipantRole::Patient, encounter));
        assert_eq!(admission.name.expose(), "Maria Santos");
        assert_eq!(admission.connection, Connection(number));
    }
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_token_opens_once_whoever_races(pool: PgPool) {
    let house = Arc::new(House::new(pool).await);
    let (_, encounter) = house.admitted().await;
    let token = mint_for_doctor(&house, encounter).await;
    let racers: Vec<_> = (0..20)
        .map(|_| {
            let (house, token) = (house.clone(), token.clone());
            tokio::spawn(async move {
                redeem(&house.db, &house.clock, &VerifyingKey::new(&house.keys.join_token), &token).await
            })
        })
        .collect();
    let mut opened = 0;
    for racer in racers {
        match racer.await.expect("a racer ends") {
            Ok(_) => opened += 1,
            Err(TokenRefused::Refused) => {}
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(opened, 1);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_token_is_refused_after_a_minute(pool: PgPool) {
    let house = House::new(pool).await;
    let (_, encounter) = house.admitted().await;
    let token = mint_for_doctor(&house, encounter).await;
    house.clock.advance(SignedDuration::from_secs(60));
    let late = redeem(&house.db, &house.clock, &VerifyingKey::new(&house.keys.join_token), &token).await;
    assert!(matches!(late, Err(TokenRefused::Refused)), "{late:?}");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_token_is_refused_when_its_row_has_expired_whatever_its_paper_says(pool: PgPool) {
    let house = House::new(pool).await;
    let (_, encounter) = house.admitted().await;
    let token = mint_for_doctor(&house, encounter).await;
    let earlier = "update join_tokens set expires_at = expires_at - interval '1 minute'";
    sqlx::query(earlier).execute(&house.superuser).await.expect("a change");
    let late = redeem(&house.db, &house.clock, &VerifyingKey::new(&house.keys.join_token), &token).await;
    assert!(matches!(late, Err(TokenRefused::Refused)), "{late:?}");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_token_is_refused_when_the_encounter_is_finished(pool: PgPool) {
    let house = House::new(pool).await;
    let (appointment, encounter) = house.admitted().await;
    let token = mint_for_doctor(&house, encounter).await;
    scheduler::finish(&house.db, &house.clock, &house.riverside.doctor, encounter).await.expect("in progress");
    let late = redeem(&house.db, &house.clock, &VerifyingKey::new(&house.keys.join_token), &token).await;
    assert!(matches!(late, Err(TokenRefused::Refused)), "{late:?}");

    let key = SigningKey::new(&house.keys.join_token);
    let patient = house.patient(0, appointment);
    let more = mint(&house.db, &house.clock, &house.random, &key, &patient, encounter).await;
    assert!(matches!(more, Err(MintError::NotOpen)), "{more:?}");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_token_of_another_key_is_refused(pool: PgPool) {
    let house = House::new(pool).await;
    let (_, encounter) = house.admitted().await;
    let token = mint_for_doctor(&house, encounter).await;
    let other = VerifyingKey::new(&house.keys.visit_link);
    let forged = redeem(&house.db, &house.clock, &other, &token).await;
    assert!(matches!(forged, Err(TokenRefused::Refused)), "{forged:?}");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn who_takes_no_part_gets_no_token(pool: PgPool) {
    let house = House::new(pool).await;
    let (_, encounter) = house.admitted().await;
    let other = house.book(1, crate::house::at("10:00")).await.expect("a free slot");
    let key = SigningKey::new(&house.keys.join_token);
    let ask = async |by| mint(&house.db, &house.clock, &house.random, &key, by, encounter).await;
    assert!(matches!(ask(&house.riverside.colleague).await, Err(MintError::NotYours)));
    assert!(matches!(ask(&house.riverside.receptionist).await, Err(MintError::NotYours)));
    assert!(matches!(ask(&house.harbour.doctor).await, Err(MintError::NotFound)));
    assert!(matches!(ask(&house.patient(1, other)).await, Err(MintError::NotFound)));
}
