//! A request that is sent twice, since its answer was lost, is done once.

use crate::house::{House, at};
use scheduler::{BookError, BookRequest, Cancel, IdempotencyKey};
use sqlx::PgPool;
use std::sync::Arc;

fn keyed(house: &House, patient: usize, time: &str) -> BookRequest {
    BookRequest { idempotency_key: IdempotencyKey::new("7f3c"), ..house.request(patient, at(time)) }
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn the_same_request_gives_the_same_appointment_whatever_became_of_it(pool: PgPool) {
    let house = House::new(pool).await;
    let id = house.send(keyed(&house, 0, "10:00")).await.expect("a free slot");
    assert_eq!(house.send(keyed(&house, 0, "10:00")).await.expect("the answer again"), id);
    scheduler::cancel(&house.db, &house.clock, &house.riverside.receptionist, Cancel::new(id, "Ill."))
        .await
        .expect("a booked appointment");
    house.clock.set(at("11:00"));
    assert_eq!(house.send(keyed(&house, 0, "10:00")).await.expect("the answer again"), id);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn the_key_of_one_request_is_not_taken_for_another(pool: PgPool) {
    let house = House::new(pool).await;
    house.send(keyed(&house, 0, "10:00")).await.expect("a free slot");
    let others = [
        keyed(&house, 1, "10:00"),
        keyed(&house, 0, "10:30"),
        BookRequest { overbook: Some("Urgent".to_owned()), ..keyed(&house, 0, "10:00") },
    ];
    for other in others {
        assert!(matches!(house.send(other).await, Err(BookError::KeyReused)));
    }
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_key_is_its_senders_own(pool: PgPool) {
    let house = House::new(pool).await;
    let ours = house.send(keyed(&house, 0, "10:00")).await.expect("a free slot");
    let theirs = &house.harbour;
    let request = BookRequest {
        idempotency_key: IdempotencyKey::new("7f3c"),
        ..BookRequest::new(theirs.patients[0], theirs.practitioner, theirs.consultation, at("10:00"))
    };
    let booked = scheduler::book(&house.db, &house.clock, &house.random, &theirs.receptionist, request).await;
    assert_ne!(booked.expect("another clinic's slot"), ours);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_request_that_came_to_nothing_may_be_tried_again_under_its_key(pool: PgPool) {
    let house = House::new(pool).await;
    let in_the_way = house.book(1, at("10:00")).await.expect("a free slot");
    assert!(matches!(house.send(keyed(&house, 0, "10:00")).await, Err(BookError::SlotTaken)));
    scheduler::cancel(&house.db, &house.clock, &house.riverside.receptionist, Cancel::new(in_the_way, "Ill."))
        .await
        .expect("a booked appointment");
    house.send(keyed(&house, 0, "10:00")).await.expect("a free slot");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn twenty_of_the_same_request_at_once_make_one_appointment(pool: PgPool) {
    let house = Arc::new(House::new(pool).await);
    let racers: Vec<_> = (0..20)
        .map(|_| {
            let house = house.clone();
            tokio::spawn(async move { house.send(keyed(&house, 0, "10:00")).await })
        })
        .collect();
    let mut answers = Vec::new();
    for racer in racers {
        answers.push(racer.await.expect("a racer ends").expect("the same answer"));
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    let booked = house.actions().await.iter().filter(|action| *action == "appointment.booked").count();
    assert_eq!(booked, 1);
}

#[test]
fn a_key_is_neither_empty_nor_endless() {
    assert_eq!(IdempotencyKey::new(""), None);
    assert_eq!(IdempotencyKey::new("k".repeat(256)), None);
    assert!(IdempotencyKey::new("k".repeat(255)).is_some());
}
