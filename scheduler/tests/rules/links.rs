//! The patient's link and the cookie it gives.

use crate::house::{House, at};
use jiff::SignedDuration;
use scheduler::{open_visit, visit_link, visit_sessions};
use sqlx::PgPool;

/// Everything the database knows, as one digest.
async fn state(house: &House) -> String {
    let tables: Vec<String> = sqlx::query_scalar(
        "select table_name::text from information_schema.tables
         where table_schema = 'public' and table_type = 'BASE TABLE' order by 1",
    )
    .fetch_all(&house.superuser)
    .await
    .expect("tables");
    let mut state = String::new();
    for table in tables {
        let sql = format!("select coalesce(string_agg(t::text, ';' order by t::text), '') from {table} t");
        let rows: String =
            sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(&house.superuser).await.expect("rows");
        state += &rows;
    }
    state
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn opening_a_link_a_hundred_times_changes_nothing(pool: PgPool) {
    let house = House::new(pool).await;
    let id = house.book(0, at("09:30")).await.expect("a free slot");
    let token = visit_link(&house.keys.visit_link, id, 1);
    let before = state(&house).await;
    for _ in 0..100 {
        let (by, appointment) =
            open_visit(&house.db, &house.keys.visit_link, token.expose()).await.expect("a read").expect("a good link");
        assert_eq!((&by, appointment), (&house.patient(0, id), id));
        scheduler::glance(&house.db, &by, id).await.expect("a read").expect("their own");
    }
    assert_eq!(state(&house).await, before);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_link_of_another_version_or_key_opens_nothing(pool: PgPool) {
    let house = House::new(pool).await;
    let id = house.book(0, at("09:30")).await.expect("a free slot");
    for token in [
        visit_link(&house.keys.visit_link, id, 2),
        visit_link(&house.keys.join_token, id, 1),
        visit_link(&house.keys.visit_link, domain::AppointmentId(house.riverside.id.0), 1),
    ] {
        let opened = open_visit(&house.db, &house.keys.visit_link, token.expose()).await.expect("a read");
        assert!(opened.is_none());
    }
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_browser_is_remembered_for_half_a_day(pool: PgPool) {
    let house = House::new(pool).await;
    let id = house.book(0, at("09:30")).await.expect("a free slot");
    let patient = house.patient(0, id);
    let token = visit_sessions::start(&house.db, &house.clock, &house.random, &patient).await.expect("a session");
    let find = async |token: &str| visit_sessions::find(&house.db, &house.clock, token).await.expect("a read");
    assert_eq!(find(token.expose()).await, Some(patient));
    assert_eq!(find("somebody else's").await, None);
    house.clock.advance(SignedDuration::from_hours(12));
    assert_eq!(find(token.expose()).await, None);
    for _ in 0..25 {
        house.clock.advance(SignedDuration::from_secs(1));
        visit_sessions::start(&house.db, &house.clock, &house.random, &house.patient(0, id)).await.expect("a session");
    }
    let kept: i64 =
        sqlx::query_scalar("select count(*) from visit_sessions").fetch_one(&house.superuser).await.expect("a count");
    assert_eq!(kept, 20, "the oldest are forgotten");
}
