//! What every answer carries.

use crate::house::House;
use axum::http::StatusCode;
use domain::Role;
use sqlx::PgPool;

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn every_answer_carries_the_headers(pool: PgPool) {
    let house = House::new(pool).await;
    let id = house.appointment("Riverside");
    let mut browser = house.signed_in("Riverside", Role::Administrator).await;
    let appointment = format!("/appointments/{id}");
    let paths = [
        "/",
        "/sign-in",
        "/desk",
        "/desk/events",
        "/day",
        "/history",
        "/mailbox",
        "/patients/new",
        "/appointments/new",
        &appointment,
        "/nowhere",
        "/static/0/nothing.css",
        "/visit/nonsense",
        "/sign-out",
    ];
    for path in paths {
        let answer = browser.get(path).await;
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'nonce-"), "{path}: {policy}");
        assert!(policy.contains("connect-src 'self' ws://signal.example:9000;"), "{path}: {policy}");
        assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin", "{path}");
        assert!(answer.header("permissions-policy").starts_with("camera=("), "{path}");
        assert_eq!(answer.header("x-request-id").len(), 36, "{path}");
    }
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn every_page_in_place_of_another_tells_the_number_to_quote(pool: PgPool) {
    let house = House::new(pool).await;
    let mut browser = house.signed_in("Riverside", Role::Receptionist).await;
    let mut refused = vec![
        (StatusCode::NOT_FOUND, browser.get("/nowhere").await),
        (StatusCode::FORBIDDEN, browser.get("/history").await),
    ];
    sqlx::query("alter table mailbox rename to mislaid").execute(&house.superuser).await.expect("a change");
    refused.push((StatusCode::INTERNAL_SERVER_ERROR, browser.get("/mailbox").await));
    for (status, answer) in refused {
        assert_eq!(answer.status, status);
        let number = format!("<code>{}</code>", answer.header("x-request-id"));
        assert!(
            answer.body.contains("quote this number") && answer.body.contains(&number),
            "{status}: {}",
            answer.body
        );
    }
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_nonce_is_used_once_and_only_by_our_scripts(pool: PgPool) {
    let house = House::new(pool).await;
    let mut browser = house.signed_in("Riverside", Role::Receptionist).await;
    let (first, second) = (browser.get("/desk").await, browser.get("/desk").await);
    assert_ne!(first.header("content-security-policy"), second.header("content-security-policy"));
    for script in first.body.split("<script").skip(1) {
        let nonce = script.split("nonce=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a nonce");
        // The template writes the sign of addition as an entity.
        let nonce = nonce.replace("&#43;", "+").replace("&#61;", "=").replace("&#47;", "/");
        assert!(first.header("content-security-policy").contains(&nonce), "{nonce}");
    }
    assert!(!first.body.contains("style=\"") && !first.body.contains("onclick"));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn the_camera_is_allowed_only_where_it_is_used(pool: PgPool) {
    let house = House::new(pool).await;
    let mut browser = house.browser();
    let policy = |answer: crate::house::Answer| answer.header("permissions-policy").to_owned();
    assert!(policy(browser.get("/sign-in").await).starts_with("camera=(), microphone=()"));
    let waiting = browser.get("/waiting/5b6fd1f3-6d0f-4f6e-9f0e-3d7c0f1f2a4b").await;
    assert!(policy(waiting).starts_with("camera=(self), microphone=(self)"));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn styles_and_scripts_are_kept_for_good(pool: PgPool) {
    let house = House::new(pool).await;
    let mut browser = house.browser();
    let page = browser.get("/sign-in").await;
    let address = page.body.split("rel=\"stylesheet\" href=\"").nth(1).and_then(|rest| rest.split('"').next());
    let sheet = browser.get(address.expect("a style sheet")).await;
    assert_eq!((sheet.status, sheet.header("content-type")), (StatusCode::OK, "text/css; charset=utf-8"));
    assert!(sheet.header("cache-control").contains("immutable"));
    assert_eq!(browser.get("/static/0/style.css").await.header("cache-control"), "no-cache");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_body_that_is_too_large_is_refused_with_a_page(pool: PgPool) {
    let house = House::new(pool).await;
    let long = "x".repeat(100_000);
    let answer = house.browser().post("/sign-in", &[("email", &long), ("password", "x")]).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(answer.body.contains("This could not be read"));
}
