//! The description says what is there, and everything in it is there.

use crate::house::House;
use axum::http::{Method, StatusCode};
use domain::Role;
use serde_json::Value;
use sqlx::PgPool;

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn everybody_may_read_what_programs_can_ask_for(pool: PgPool) {
    let house = House::new(pool).await;
    let answer = house.stranger().get("/api/openapi.json").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.body["openapi"].as_str().is_some_and(|version| version.starts_with("3.1")));
    let paths = answer.body["paths"].as_object().expect("paths");
    for path in [
        "practitioners",
        "patients",
        "visit-types",
        "slots",
        "holds",
        "appointments",
        "appointments/{id}",
        "appointments/{id}/arrive",
        "appointments/{id}/cancel",
        "appointments/{id}/join-tokens",
        "appointments/{id}/reschedule",
        "events",
        "webhooks",
    ] {
        assert!(paths.contains_key(&format!("/api/v1/{path}")), "{path}");
    }
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn every_operation_answers_with_a_status_that_it_describes(pool: PgPool) {
    let house = House::new(pool).await;
    let administrator = house.program("Riverside", Role::Administrator);
    let description = house.stranger().get("/api/openapi.json").await.body;
    let mut operations = 0;
    for (path, item) in description["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            let path = path.replace("{id}", "5b6fd1f3-6d0f-4f6e-9f0e-3d7c0f1f2a4b");
            let method: Method = method.to_uppercase().parse().expect("a method");
            let json = [("content-type", "application/json")];
            let stranger = house.stranger().call(method.clone(), &path, &json, Some("{}".to_owned())).await;
            assert_eq!(stranger.refusal(), (401, "token-missing"), "{method} {path}");
            let answer = administrator.call(method.clone(), &path, &json, Some("{}".to_owned())).await;
            let described = operation["responses"].as_object().expect("responses");
            assert!(described.contains_key(answer.status.as_str()), "{method} {path}: {answer:?}");
            assert!(!answer.status.is_server_error(), "{method} {path}: {answer:?}");
            assert_described(&description, operation, &method, &path);
            operations += 1;
        }
    }
    assert!(operations >= 20, "{operations}");
}

/// An operation has words, an id, and every reference in it leads somewhere.
fn assert_described(description: &Value, operation: &Value, method: &Method, path: &str) {
    for field in ["summary", "operationId"] {
        assert!(operation[field].is_string(), "{method} {path} has no {field}");
    }
    for reference in operation.to_string().split("\"$ref\":\"#").skip(1) {
        let pointer = reference.split('"').next().expect("a reference");
        assert!(description.pointer(pointer).is_some(), "{method} {path} refers to {pointer}");
    }
}
