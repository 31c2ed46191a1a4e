//! Whatever cannot be read is refused with the same form, a sentence and the field that is wrong.

use crate::house::House;
use axum::http::Method;
use serde_json::json;
use sqlx::PgPool;

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn what_cannot_be_read_names_what_is_wrong(pool: PgPool) {
    let house = House::new(pool).await;
    let desk = house.desk();
    let json_body = [("content-type", "application/json")];
    let send = async |body: &str| desk.call(Method::POST, "/api/v1/patients", &json_body, Some(body.to_owned())).await;
    assert_eq!(send("{\"name\":").await.refusal(), (400, "malformed"));
    let long = format!("{{\"name\": \"{}\"}}", "x".repeat(70_000));
    assert_eq!(send(&long).await.refusal(), (413, "too-large"));
    for (body, field) in [
        (json!({ "name": "Ada Byron", "birth_date": "14/03/1961" }), "birth_date"),
        (json!({ "name": "Ada Byron", "birth_date": "1961-02-31" }), "birth_date"),
        (json!({ "name": "Ada Byron", "birth_date": "1961-03-14", "shoe_size": 39 }), "shoe_size"),
        (json!({ "name": "A\0B", "birth_date": "1961-03-14" }), "name"),
        (json!({ "name": 7, "birth_date": "1961-03-14" }), "name"),
        (json!({ "name": "x".repeat(10_000), "birth_date": "1961-03-14" }), "name"),
        (json!({ "name": " ", "birth_date": "1961-03-14" }), "name"),
        (json!({ "name": "Ada Byron", "birth_date": "1961-03-14", "email": "nobody" }), "email"),
    ] {
        let answer = send(&body.to_string()).await;
        assert_eq!((answer.refusal(), answer.fields()), ((422, "invalid"), vec![field]), "{body}");
    }
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let answer = desk.call(Method::POST, "/api/v1/patients", &form, Some("name=Ada".to_owned())).await;
    assert_eq!(answer.refusal(), (415, "unsupported-media-type"));
    let answer = desk.call(Method::POST, "/api/v1/patients", &[], Some("{}".to_owned())).await;
    assert_eq!(answer.refusal(), (415, "unsupported-media-type"));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_parameter_that_nobody_knows_or_that_makes_no_sense_is_refused(pool: PgPool) {
    let house = House::new(pool).await;
    let desk = house.desk();
    for (query, field) in [
        ("appointments?practitoner_id=x", "practitoner_id"),
        ("appointments?practitioner_id=x", "practitioner_id"),
        ("appointments?state=lost", "state"),
        ("appointments?from=yesterday", "from"),
        ("appointments?limit=0", "limit"),
        ("appointments?limit=201", "limit"),
        ("appointments?cursor=nonsense", "cursor"),
        ("events?after=-1", "after"),
    ] {
        let answer = desk.get(&format!("/api/v1/{query}")).await;
        assert_eq!((answer.refusal(), answer.fields()), ((422, "invalid"), vec![field]), "{query}");
    }
    let backwards = desk.get("/api/v1/appointments?from=2026-11-25T00:00:00Z&to=2026-11-24T00:00:00Z").await;
    assert_eq!((backwards.refusal(), backwards.fields()), ((422, "ends-before-it-begins"), vec!["to"]));
    let visit_type = "slots?visit_type_id=5b6fd1f3-6d0f-4f6e-9f0e-3d7c0f1f2a4b";
    assert_eq!(desk.get(&format!("/api/v1/{visit_type}")).await.refusal(), (422, "no-such-visit-type"));
    assert_eq!(desk.get("/api/v1/slots").await.refusal(), (422, "invalid"));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn an_address_or_a_method_that_is_not_there_is_a_problem_too(pool: PgPool) {
    let house = House::new(pool).await;
    let desk = house.desk();
    for path in ["/api/v1/nonsense", "/api/v2/patients", "/api/nonsense", "/api/v1/patients/nonsense"] {
        assert_eq!(desk.get(path).await.refusal(), (404, "not-found"), "{path}");
    }
    let answer = desk.delete("/api/v1/patients").await;
    assert_eq!(answer.refusal(), (405, "method-not-allowed"));
    assert_eq!(answer.header("allow"), "GET,HEAD,POST");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_call_from_a_page_of_another_site_is_judged_by_its_token(pool: PgPool) {
    let house = House::new(pool).await;
    let desk = house.desk();
    let headers = [("sec-fetch-site", "cross-site"), ("origin", "https://desk.example")];
    let answer = desk.post_with("/api/v1/patients/search", &headers, json!({ "text": "santos" })).await;
    assert_eq!(answer.items().len(), 1);
    let answer = house.stranger().post_with("/api/v1/patients/search", &headers, json!({ "text": "santos" })).await;
    assert_eq!(answer.refusal(), (401, "token-missing"));
}
