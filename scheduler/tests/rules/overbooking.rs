//! A practitioner is booked twice only on purpose: with a reason, and with the name of whoever decided.

use crate::house::{House, at};
use scheduler::{BookError, BookRequest};
use sqlx::PgPool;

fn beside(house: &House, patient: usize, reason: &str) -> BookRequest {
    BookRequest { overbook: Some(reason.to_owned()), ..house.request(patient, at("10:00")) }
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_visit_beside_another_one_says_why_and_who(pool: PgPool) {
    let house = House::new(pool).await;
    let own = house.book(0, at("10:00")).await.expect("a free slot");
    let beside = house.send(beside(&house, 1, " Fever, agreed with Dr One ")).await.expect("a lane");
    let (own, beside) = (house.view(own).await, house.view(beside).await);
    assert_eq!((own.lane, own.overbook_reason, own.overbooked_by), (0, None, None));
    assert_eq!(beside.lane, 1);
    assert_eq!(beside.overbook_reason.as_deref(), Some("Fever, agreed with Dr One"));
    assert_eq!(beside.overbooked_by.as_deref(), Some("desk@riverside.example"));
    assert_eq!(house.actions().await.last().map(String::as_str), Some("appointment.overbooked"));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_reason_without_words_is_none(pool: PgPool) {
    let house = House::new(pool).await;
    house.book(0, at("10:00")).await.expect("a free slot");
    for reason in ["", "  ", &"x".repeat(501)] {
        assert!(matches!(house.send(beside(&house, 1, reason)).await, Err(BookError::ReasonMissing)));
    }
    assert!(matches!(house.book(1, at("10:00")).await, Err(BookError::SlotTaken)));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_free_time_is_booked_as_any_other(pool: PgPool) {
    let house = House::new(pool).await;
    let id = house.send(beside(&house, 0, "If need be")).await.expect("a free slot");
    let view = house.view(id).await;
    assert_eq!((view.lane, view.overbook_reason, view.overbooked_by), (0, None, None));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn nobody_else_is_booked_twice_and_the_lanes_end(pool: PgPool) {
    let house = House::new(pool).await;
    house.book(0, at("10:00")).await.expect("a free slot");
    let same = house.send(beside(&house, 0, "Urgent")).await;
    assert!(matches!(same, Err(BookError::PatientBusy)), "{same:?}");
    for number in 0..100 {
        let patient = house.another_patient(number).await;
        let request = BookRequest { patient, ..beside(&house, 0, "Urgent") };
        match (number, house.send(request).await) {
            (0..99, Ok(_)) | (99, Err(BookError::SlotTaken)) => {}
            (_, other) => panic!("{number}: {other:?}"),
        }
    }
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn the_database_takes_no_second_visit_without_a_reason_and_a_name(pool: PgPool) {
    let house = House::new(pool).await;
    house.book(0, at("10:00")).await.expect("a free slot");
    house.send(beside(&house, 1, "Urgent")).await.expect("a lane");
    for column in ["overbook_reason", "overbooked_by"] {
        let sql = format!("update appointments set {column} = null where lane > 0");
        let refused = sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&house.superuser).await.expect_err("a refusal");
        let by = service::postgres::refused_by(&refused).map(str::to_owned);
        assert!(by.as_deref().is_some_and(|by| by.starts_with("appointments_overbooked")), "{by:?}");
    }
}
