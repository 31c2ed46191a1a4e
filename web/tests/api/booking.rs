//! Booking, moving and cancelling.

use crate::house::House;
use axum::http::StatusCode;
use serde_json::{Value, json};
use sqlx::PgPool;

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_booked_slot_is_told_where_it_is_and_in_which_version(pool: PgPool) {
    let house = House::new(pool).await;
    let desk = house.desk();
    let wish = desk.wish(0).await;
    let booked = desk.post("/api/v1/appointments", wish.clone()).await;
    assert_eq!(booked.status, StatusCode::CREATED, "{booked:?}");
    assert_eq!(booked.header("etag"), format!("\"{}\"", booked.body["version"]));
    assert_eq!(booked.header("location"), format!("/api/v1/appointments/{}", booked.body["id"].as_str().expect("id")));
    for field in ["practitioner_id", "patient_id", "visit_type_id", "start"] {
        assert_eq!(booked.body[field], wish[field], "{field}");
    }
    assert_eq!((&booked.body["state"], &booked.body["source"]), (&json!("booked"), &json!("api")));
    let read = desk.get(booked.header("location")).await;
    assert_eq!((read.status, &read.body), (StatusCode::OK, &booked.body));
    assert_eq!(read.header("etag"), booked.header("etag"));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn of_many_who_book_one_slot_one_wins_and_the_others_are_told_so(pool: PgPool) {
    let house = House::new(pool).await;
    let desk = house.desk();
    let wish = desk.wish(0).await;
    let patients = desk.get("/api/v1/patients").await;
    let attempts: Vec<_> = patients
        .items()
        .iter()
        .map(|patient| {
            let (desk, mut wish) = (desk.clone(), wish.clone());
            wish["patient_id"] = patient["id"].clone();
            tokio::spawn(async move { desk.post("/api/v1/appointments", wish).await })
        })
        .collect();
    let mut won = 0;
    for attempt in attempts {
        let answer = attempt.await.expect("an answer");
        if answer.status == StatusCode::CREATED {
            won += 1;
        } else {
            assert_eq!(answer.refusal(), (409, "slot-taken"));
        }
    }
    assert_eq!(won, 1);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_request_that_is_sent_again_is_done_once_even_at_the_same_time(pool: PgPool) {
    let house = House::new(pool).await;
    let desk = house.desk();
    let wish = desk.wish(0).await;
    let send = |wish: Value| {
        let desk = desk.clone();
        async move { desk.post_with("/api/v1/appointments", &[("idempotency-key", "form-7")], wish).await }
    };
    let (first, second, third) = tokio::join!(send(wish.clone()), send(wish.clone()), send(wish.clone()));
    for answer in [&first, &second, &third] {
        assert_eq!((answer.status, &answer.body), (StatusCode::CREATED, &first.body));
        assert_eq!(answer.header("location"), first.header("location"));
    }
    let mut other = wish.clone();
    other["start"] = json!("2026-11-27T10:00:00Z");
    assert_eq!(send(other).await.refusal(), (422, "idempotency-key-reused"));
    let long = "k".repeat(256);
    let refused = desk.post_with("/api/v1/appointments", &[("idempotency-key", &long)], wish).await;
    assert_eq!((refused.refusal(), refused.fields()), ((422, "invalid"), vec!["Idempotency-Key"]));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_request_that_is_sent_again_is_answered_as_the_first_time_whatever_has_become_of_it(pool: PgPool) {
    let house = House::new(pool).await;
    let desk = house.desk();
    let key = [("idempotency-key", "form-8")];
    let wish = desk.wish(1).await;
    let first = desk.post_with("/api/v1/appointments", &key, wish.clone()).await;
    desk.post(&format!("{}/cancel", first.header("location")), json!({ "reason": "Feeling better." })).await;
    let again = desk.post_with("/api/v1/appointments", &key, wish.clone()).await;
    assert_eq!((again.status, &again.body), (StatusCode::CREATED, &first.body));
    for header in ["etag", "location"] {
        assert_eq!(again.header(header), first.header(header));
    }
    let present = desk.get(first.header("location")).await;
    assert_eq!((&first.body["state"], &present.body["state"]), (&json!("booked"), &json!("cancelled")));

    desk.post("/api/v1/appointments", wish.clone()).await;
    let series = json!({ "first": wish, "recurrence": "FREQ=WEEKLY;COUNT=2", "leave_out_conflicts": true });
    let key = [("idempotency-key", "series-9")];
    let first = desk.post_with("/api/v1/series", &key, series.clone()).await;
    assert_eq!(first.body["left_out"].as_array().map(Vec::len), Some(1), "{first:?}");
    let again = desk.post_with("/api/v1/series", &key, series).await;
    assert_eq!((again.status, &again.body), (StatusCode::CREATED, &first.body));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn what_was_changed_in_the_meantime_is_not_changed_again_unseen(pool: PgPool) {
    let house = House::new(pool).await;
    let desk = house.desk();
    let booked = desk.books(0).await;
    let path = booked.header("location").to_owned();
    let moving = json!({ "start": desk.wish(3).await["start"], "reason": "The patient asked for a later time." });
    let moved =
        desk.post_with(&format!("{path}/reschedule"), &[("if-match", booked.header("etag"))], moving.clone()).await;
    assert_eq!(moved.status, StatusCode::OK, "{moved:?}");
    assert_eq!(moved.body["start"], moving["start"]);
    assert_ne!(moved.header("etag"), booked.header("etag"));
    for action in ["cancel", "reschedule"] {
        let body = if action == "cancel" { json!({ "reason": "Feeling better." }) } else { moving.clone() };
        let stale = desk.post_with(&format!("{path}/{action}"), &[("if-match", booked.header("etag"))], body).await;
        assert_eq!(stale.refusal(), (412, "version-mismatch"), "{action}");
    }
    let stale = desk.post_with(&format!("{path}/arrive"), &[("if-match", "\"999\"")], json!({})).await;
    assert_eq!(stale.refusal(), (412, "version-mismatch"));
    let cancelled = desk
        .post_with(&format!("{path}/cancel"), &[("if-match", moved.header("etag"))], json!({ "reason": "Ill." }))
        .await;
    assert_eq!((cancelled.status, &cancelled.body["state"]), (StatusCode::OK, &json!("cancelled")));
    let again = desk.post(&format!("{path}/cancel"), json!({ "reason": "Ill." })).await;
    assert_eq!(again.refusal(), (409, "wrong-state"));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_held_time_is_nobody_elses_until_it_is_booked_or_let_go(pool: PgPool) {
    let house = House::new(pool).await;
    let desk = house.desk();
    let mut wish = desk.wish(0).await;
    let mut holding = wish.clone();
    holding.as_object_mut().expect("an object").remove("patient_id");
    let held = desk.post("/api/v1/holds", holding.clone()).await;
    assert_eq!(held.status, StatusCode::CREATED, "{held:?}");
    assert_eq!(desk.post("/api/v1/appointments", wish.clone()).await.refusal(), (409, "slot-taken"));
    assert_eq!(desk.post("/api/v1/holds", holding).await.refusal(), (409, "slot-taken"));
    let path = format!("/api/v1/holds/{}", held.body["id"].as_str().expect("an id"));
    assert_eq!(desk.delete(&path).await.status, StatusCode::NO_CONTENT);
    wish["hold_id"] = held.body["id"].clone();
    assert_eq!(desk.post("/api/v1/appointments", wish.clone()).await.refusal(), (409, "hold-gone"));
    wish.as_object_mut().expect("an object").remove("hold_id");
    assert_eq!(desk.post("/api/v1/appointments", wish).await.status, StatusCode::CREATED);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_time_that_cannot_be_had_is_refused_by_name(pool: PgPool) {
    let house = House::new(pool).await;
    let desk = house.desk();
    let wish = desk.wish(0).await;
    let unknown = json!("5b6fd1f3-6d0f-4f6e-9f0e-3d7c0f1f2a4b");
    for (field, value, code) in [
        ("start", json!("2026-11-20T10:00:00Z"), "in-the-past"),
        ("start", json!("2026-11-26T10:07:00Z"), "outside-schedule"),
        ("start", json!("2031-11-26T10:00:00Z"), "too-far-ahead"),
        ("patient_id", unknown.clone(), "no-such-patient"),
        ("practitioner_id", unknown.clone(), "no-such-practitioner"),
        ("visit_type_id", unknown.clone(), "not-offered"),
        ("room_id", unknown.clone(), "no-such-resource"),
    ] {
        let mut wish = wish.clone();
        wish[field] = value;
        let refused = desk.post("/api/v1/appointments", wish).await;
        assert_eq!((refused.refusal(), refused.fields()), ((422, code), vec![field]), "{field}");
    }
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_series_is_booked_whole_or_told_what_is_in_the_way(pool: PgPool) {
    let house = House::new(pool).await;
    let desk = house.desk();
    let wish = desk.wish(0).await;
    let series = json!({ "first": wish, "recurrence": "FREQ=WEEKLY;COUNT=3" });
    let booked = desk.post("/api/v1/series", series.clone()).await;
    assert_eq!(booked.status, StatusCode::CREATED, "{booked:?}");
    assert_eq!(booked.body["appointment_ids"].as_array().map(Vec::len), Some(3));
    let again = desk.post("/api/v1/series", series).await;
    assert_eq!(again.refusal(), (409, "series-conflicts"));
    assert_eq!(again.body["conflicts"].as_array().map(Vec::len), Some(3), "{again:?}");
    assert_eq!(again.body["conflicts"][0]["start"], booked_start(&desk, &booked.body).await);
    let mut past = wish_of_past(&desk).await;
    past["patient_id"] = json!("5b6fd1f3-6d0f-4f6e-9f0e-3d7c0f1f2a4b");
    let gone = desk.post("/api/v1/series", json!({ "first": past, "recurrence": "FREQ=DAILY;COUNT=2" })).await;
    assert_eq!(gone.refusal(), (409, "series-conflicts"));
    let endless = desk.post("/api/v1/series", json!({ "first": desk.wish(1).await, "recurrence": "FREQ=DAILY" })).await;
    assert_eq!((endless.refusal(), endless.fields()), ((422, "invalid"), vec!["recurrence"]));
}

async fn wish_of_past(desk: &crate::house::Program) -> Value {
    let mut wish = desk.wish(0).await;
    wish["start"] = json!("2026-11-02T10:00:00Z");
    wish
}

async fn booked_start(desk: &crate::house::Program, series: &Value) -> Value {
    let id = series["appointment_ids"][0].as_str().expect("an id");
    desk.get(&format!("/api/v1/appointments/{id}")).await.body["start"].clone()
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_walk_in_waits_and_a_visit_of_another_day_cannot_be_arrived_at(pool: PgPool) {
    let house = House::new(pool).await;
    let desk = house.desk();
    let mut who = desk.wish(0).await;
    who.as_object_mut().expect("an object").remove("start");
    let visits = desk.get("/api/v1/appointments?from=2026-11-24&limit=200").await;
    let patients = desk.get("/api/v1/patients?limit=200").await;
    let is_expected = |id: &Value| visits.items().iter().any(|visit| &visit["patient_id"] == id);
    let free = patients.items().iter().map(|patient| &patient["id"]).find(|id| !is_expected(id));
    who["patient_id"] = free.expect("somebody who has no visit").clone();
    let walked_in = desk.post("/api/v1/walk-ins", who).await;
    assert_eq!((walked_in.status, &walked_in.body["state"]), (StatusCode::CREATED, &json!("arrived")), "{walked_in:?}");
    let booked = desk.books(0).await;
    let early = desk.post(&format!("{}/arrive", booked.header("location")), json!({})).await;
    assert_eq!(early.refusal(), (409, "too-early"));
}
