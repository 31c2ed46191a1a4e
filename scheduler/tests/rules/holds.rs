//! A time is kept while somebody fills in a form, and not longer.

use crate::house::{House, at};
use domain::HoldId;
use jiff::SignedDuration;
use scheduler::{BookError, BookRequest, HoldRequest, HoldView};
use sqlx::PgPool;
use std::sync::Arc;

const FIVE_MINUTES: SignedDuration = SignedDuration::from_mins(5);

async fn hold(house: &House, time: &str, patient: Option<usize>) -> Result<HoldView, BookError> {
    let clinic = &house.riverside;
    let request = HoldRequest {
        practitioner: clinic.practitioner,
        visit_type: clinic.consultation,
        starts_at: at(time),
        patient: patient.map(|index| clinic.patients[index]),
    };
    scheduler::hold(&house.db, &house.clock, &house.random, &clinic.receptionist, request, FIVE_MINUTES).await
}

/// Time passes by the clock of the database.
async fn expire(house: &House, id: HoldId) {
    let sql = "update holds set expires_at = now() where id = $1";
    let result = sqlx::query(sql).bind(id.0).execute(&house.superuser).await.expect("an update");
    assert_eq!(result.rows_affected(), 1);
}

fn with(house: &House, patient: usize, time: &str, hold: HoldId) -> BookRequest {
    BookRequest { hold: Some(hold), ..house.request(patient, at(time)) }
}

async fn free(house: &House) -> bool {
    house.free().await.contains(&at("10:00"))
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_held_time_is_only_its_holders_who_books_it_once(pool: PgPool) {
    let house = House::new(pool).await;
    let held = hold(&house, "10:00", None).await.expect("a free slot");
    assert!(!free(&house).await);
    assert!(matches!(house.book(1, at("10:00")).await, Err(BookError::SlotTaken)));
    assert!(matches!(hold(&house, "10:00", None).await, Err(BookError::SlotTaken)));
    house.send(with(&house, 0, "10:00", held.id)).await.expect("the holder's own");
    assert!(matches!(house.send(with(&house, 1, "10:00", held.id)).await, Err(BookError::HoldGone)));
    assert!(matches!(house.book(1, at("10:00")).await, Err(BookError::SlotTaken)));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_hold_that_has_expired_stands_in_nobodys_way_and_books_nothing(pool: PgPool) {
    let house = House::new(pool).await;
    let held = hold(&house, "10:00", None).await.expect("a free slot");
    // The clock of the program says nothing about it.
    house.clock.advance(SignedDuration::from_mins(30));
    assert!(matches!(house.book(1, at("10:00")).await, Err(BookError::SlotTaken)));
    expire(&house, held.id).await;
    assert!(matches!(house.send(with(&house, 0, "10:00", held.id)).await, Err(BookError::HoldGone)));
    assert!(free(&house).await);
    let next = hold(&house, "10:00", None).await.expect("free again");
    expire(&house, next.id).await;
    house.book(1, at("10:00")).await.expect("free again");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_hold_is_for_one_time_and_may_be_for_one_patient(pool: PgPool) {
    let house = House::new(pool).await;
    let held = hold(&house, "10:00", Some(0)).await.expect("a free slot");
    assert!(matches!(house.send(with(&house, 1, "10:00", held.id)).await, Err(BookError::HoldGone)));
    assert!(matches!(house.send(with(&house, 0, "10:30", held.id)).await, Err(BookError::HoldGone)));
    house.send(with(&house, 0, "10:00", held.id)).await.expect("what was held");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_time_that_is_let_go_is_free(pool: PgPool) {
    let house = House::new(pool).await;
    let held = hold(&house, "10:00", None).await.expect("a free slot");
    for _ in 0..2 {
        scheduler::release_hold(&house.db, &house.riverside.receptionist, held.id).await.expect("let go");
    }
    house.book(1, at("10:00")).await.expect("free again");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn another_clinic_cannot_use_or_end_a_hold(pool: PgPool) {
    let house = House::new(pool).await;
    let held = hold(&house, "10:00", None).await.expect("a free slot");
    scheduler::release_hold(&house.db, &house.harbour.receptionist, held.id).await.expect("nothing happens");
    let theirs = &house.harbour;
    let request = BookRequest {
        hold: Some(held.id),
        ..BookRequest::new(theirs.patients[0], theirs.practitioner, theirs.consultation, at("10:00"))
    };
    let booked = scheduler::book(&house.db, &house.clock, &house.random, &theirs.receptionist, request).await;
    assert!(matches!(booked, Err(BookError::HoldGone)));
    house.send(with(&house, 0, "10:00", held.id)).await.expect("still held");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn of_twenty_who_hold_the_same_time_one_does(pool: PgPool) {
    let house = Arc::new(House::new(pool).await);
    let racers: Vec<_> = (0..20)
        .map(|_| {
            let house = house.clone();
            tokio::spawn(async move { hold(&house, "10:00", None).await })
        })
        .collect();
    let mut held = Vec::new();
    for racer in racers {
        match racer.await.expect("a racer ends") {
            Ok(hold) => held.push(hold.id),
            Err(BookError::SlotTaken) => {}
            Err(other) => panic!("{other}"),
        }
    }
    let [only] = held.as_slice() else { panic!("{held:?}") };
    house.send(with(&house, 0, "10:00", *only)).await.expect("the holder's own");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_hold_that_is_used_twice_at_once_books_once(pool: PgPool) {
    let house = Arc::new(House::new(pool).await);
    let held = hold(&house, "10:00", None).await.expect("a free slot").id;
    let racers: Vec<_> = (0..3)
        .map(|patient| {
            let house = house.clone();
            tokio::spawn(async move { house.send(with(&house, patient, "10:00", held)).await })
        })
        .collect();
    let mut booked = 0;
    for racer in racers {
        match racer.await.expect("a racer ends") {
            Ok(_) => booked += 1,
            Err(BookError::HoldGone) => {}
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(booked, 1);
}
