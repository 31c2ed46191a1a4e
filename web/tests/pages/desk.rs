//! The desk: a day and a week by practitioner.

use crate::house::House;
use axum::http::StatusCode;
use domain::Role;
use sqlx::PgPool;

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn free_time_is_a_link_that_books_there_without_a_script(pool: PgPool) {
    let house = House::new(pool).await;
    let mut desk = house.signed_in("Riverside", Role::Receptionist).await;
    let day = desk.get("/desk").await.body;
    let link = day.split("href=\"").find(|rest| rest.starts_with("/appointments/new?practitioner="));
    let link = link.and_then(|rest| rest.split('"').next()).expect("free time").replace("&amp;", "&");
    let form = desk.get(&link).await;
    assert_eq!(form.status, StatusCode::OK);
    assert_eq!(form.body.matches(" checked").count(), 1, "the time is chosen");
    assert!(form.body.contains(" selected>Dr"), "the practitioner is chosen");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_day_that_cannot_be_read_is_today(pool: PgPool) {
    let house = House::new(pool).await;
    let mut desk = house.signed_in("Riverside", Role::Receptionist).await;
    for path in ["/desk?date=yesterday", "/desk?date=2026-02-30", "/desk?page=-7", "/desk?practitioner=nobody"] {
        let answer = desk.get(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        assert!(answer.body.contains("<h1>Today</h1>") && answer.body.contains("Dr Osei"), "{path}");
    }
    let far = desk.get("/desk?date=9999-12-31").await;
    assert_eq!(far.status, StatusCode::OK, "{}", far.body);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_chosen_practitioner_is_the_only_column(pool: PgPool) {
    let house = House::new(pool).await;
    let mut desk = house.signed_in("Riverside", Role::Receptionist).await;
    let id: uuid::Uuid = sqlx::query_scalar("select id from practitioners where family_name = 'Marsh'")
        .fetch_one(&house.superuser)
        .await
        .expect("Dr Marsh");
    let day = desk.get(&format!("/desk?practitioner={id}")).await.body;
    assert_eq!(day.matches("class=\"calendar-column").count(), 1);
    let week = desk.get(&format!("/desk/week?practitioner={id}")).await.body;
    assert_eq!(week.matches("class=\"calendar-column").count(), 7, "a column a day");
    assert!(week.contains("23 to 29 November 2026"));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn the_week_of_everybody_is_a_table_of_days(pool: PgPool) {
    let house = House::new(pool).await;
    let mut desk = house.signed_in("Riverside", Role::Receptionist).await;
    let week = desk.get("/desk/week?date=2026-11-26").await.body;
    assert_eq!(week.matches("<th scope=\"col\"").count(), 8, "the practitioner and seven days");
    assert!(week.contains("href=\"/desk?date=2026-11-23\"") && week.contains("Dr Marsh"));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_patient_is_found_and_opened_without_their_name_in_an_address(pool: PgPool) {
    let house = House::new(pool).await;
    let mut desk = house.signed_in("Riverside", Role::Receptionist).await;
    let found = desk.post("/patients/search", &[("q", "santos")]).await;
    let link = found.body.split("href=\"").find(|rest| rest.starts_with("/patients/") && rest.contains("Maria"));
    let link = link.and_then(|rest| rest.split('"').next()).expect("Maria Santos");
    let patient = desk.get(link).await.body;
    assert!(patient.contains("Maria Santos") && patient.contains("14 Mar 1961") && patient.contains("Ahead"));
    let nobody = desk.post("/patients/search", &[("q", "zzz")]).await.body;
    assert!(nobody.contains("Nobody found"));
    let read = house.count("select count(*) from audit_events where action = 'patient.read'").await;
    assert_eq!(read, 1, "who opens a patient is written down");
}
