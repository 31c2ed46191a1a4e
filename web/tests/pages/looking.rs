//! Looking changes nothing.

use crate::house::House;
use axum::http::StatusCode;
use domain::Role;
use sqlx::PgPool;

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_get_changes_nothing_but_the_history(pool: PgPool) {
    let house = House::new(pool).await;
    let id = house.appointment("Riverside");
    let mut desk = house.signed_in("Riverside", Role::Administrator).await;
    let mut doctor = house.signed_in("Riverside", Role::Practitioner).await;
    let before = state(&house).await;
    let appointment = format!("/appointments/{id}");
    for path in [
        "/",
        "/desk",
        "/history",
        "/mailbox",
        "/patients/new",
        "/appointments/new",
        "/schedules",
        "/visit-types",
        &appointment,
    ] {
        desk.get(path).await;
    }
    for action in ["admit", "cancel", "send-link"] {
        let answer = doctor.get(&format!("/appointments/{id}/{action}")).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{action}");
    }
    for path in ["/day", "/sign-in", "/sign-out", "/patients", "/appointments"] {
        doctor.get(path).await;
    }
    assert_eq!(state(&house).await, before);
}

/// Everything but the history and when somebody was last there.
async fn state(house: &House) -> Vec<String> {
    let mut rows = Vec::new();
    for sql in [
        "select appointments::text from appointments order by 1",
        "select seats::text from seats order by 1",
        "select encounters::text from encounters order by 1",
        "select patients::text from patients order by 1",
        "select outbox::text from outbox order by 1",
        "select token_hash::text || expires_at::text from sessions order by 1",
    ] {
        let table: Vec<String> = sqlx::query_scalar(sql).fetch_all(&house.superuser).await.expect("rows");
        rows.extend(table);
    }
    rows
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn opening_an_appointment_is_told_in_its_history(pool: PgPool) {
    let house = House::new(pool).await;
    let id = house.appointment("Riverside");
    let mut desk = house.signed_in("Riverside", Role::Receptionist).await;
    let page = desk.get(&format!("/appointments/{id}")).await;
    assert!(page.body.contains("opened the appointment"));
    assert!(page.body.contains("http://localhost:8080/visit/"), "the patient's link");
}
