//! Lists page by page.

use crate::house::{House, Program, id};
use axum::http::StatusCode;
use serde_json::{Value, json};
use sqlx::PgPool;

/// Reads a list to its end, `limit` items at a time; `between` happens after each page.
async fn read(program: &Program, list: &str, limit: usize, between: impl AsyncFn()) -> Vec<Value> {
    let mut all = Vec::new();
    let mut cursor = String::new();
    loop {
        let sign = if list.contains('?') { '&' } else { '?' };
        let page = program.get(&format!("/api/v1/{list}{sign}limit={limit}{cursor}")).await;
        assert!(page.items().len() <= limit);
        all.extend_from_slice(page.items());
        let Some(next) = page.body["next"].as_str() else { return all };
        cursor = format!("&cursor={next}");
        between().await;
    }
}

fn ids(items: &[Value]) -> Vec<&str> {
    items.iter().map(id).collect()
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn every_list_is_whole_whatever_the_size_of_its_pages(pool: PgPool) {
    let house = House::new(pool).await;
    let desk = house.desk();
    for list in ["practitioners", "patients", "visit-types", "resources", "appointments"] {
        let whole = read(&desk, list, 200, async || {}).await;
        assert!(!whole.is_empty(), "{list}");
        assert_eq!(read(&desk, list, 1, async || {}).await, whole, "{list}");
    }
    let whole = read(&desk, "events", 200, async || {}).await;
    assert_eq!(read(&desk, "events", 3, async || {}).await, whole);
    let numbers: Vec<_> = whole.iter().map(|event| event["number"].as_i64().expect("a number")).collect();
    assert!(numbers.is_sorted() && !numbers.is_empty());
    let after = format!("events?after={}", numbers[2]);
    assert_eq!(read(&desk, &after, 200, async || {}).await, whole[3..]);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn what_is_written_between_two_pages_neither_hides_nor_repeats_anything(pool: PgPool) {
    let house = House::new(pool).await;
    let desk = house.desk();
    let before = read(&desk, "patients", 200, async || {}).await;
    let seen = read(&desk, "patients", 5, async || {
        let new = json!({ "name": "Ada Byron", "birth_date": "1961-03-14" });
        assert_eq!(desk.post("/api/v1/patients", new).await.status, StatusCode::CREATED);
    })
    .await;
    assert_eq!(of(&seen, &before), ids(&before));
    let wanted = "appointments?from=2026-11-24";
    let before = read(&desk, wanted, 200, async || {}).await;
    // Each is booked before all that is read later, or after all: the demo's visits are of today.
    let seen = read(&desk, wanted, 2, async || {
        desk.books(0).await;
    })
    .await;
    assert_eq!(of(&seen, &before), ids(&before));
}

/// The ids of those that were there before, as they were seen.
fn of<'a>(seen: &'a [Value], before: &[Value]) -> Vec<&'a str> {
    let before = ids(before);
    ids(seen).into_iter().filter(|id| before.contains(id)).collect()
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn slots_go_on_where_the_page_before_ended(pool: PgPool) {
    let house = House::new(pool).await;
    let desk = house.desk();
    let list = desk.consultations().await;
    let whole = read(&desk, &list, 200, async || {}).await;
    assert!(whole.len() > 20, "{}", whole.len());
    assert_eq!(read(&desk, &list, 7, async || {}).await, whole);
    let one = whole[0]["practitioner_id"].as_str().expect("an id");
    let own = read(&desk, &format!("{list}&practitioner_id={one}"), 200, async || {}).await;
    assert!(own.iter().all(|slot| slot["practitioner_id"] == one) && own.len() < whole.len());
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn appointments_are_found_by_whom_when_and_how_they_stand(pool: PgPool) {
    let house = House::new(pool).await;
    let desk = house.desk();
    let booked = desk.books(0).await.body;
    let [practitioner, patient] =
        ["practitioner_id", "patient_id"].map(|field| booked[field].as_str().expect("an id").to_owned());
    let query = format!(
        "appointments?from=2026-11-26&to=2026-11-26&practitioner_id={practitioner}&patient_id={patient}&state=booked"
    );
    assert_eq!(read(&desk, &query, 50, async || {}).await, [booked]);
    assert!(desk.get("/api/v1/appointments?from=2026-11-26&state=cancelled").await.items().is_empty());
    assert!(desk.get("/api/v1/appointments?to=2026-11-20").await.items().is_empty());
}
