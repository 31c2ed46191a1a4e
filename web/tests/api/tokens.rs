//! Tokens are made and revoked by administrators, and nothing else opens the API.

use crate::house::House;
use axum::{
    body::{Body, to_bytes},
    http::{Method, Request, StatusCode, header},
};
use domain::Role;
use sqlx::PgPool;
use tower::ServiceExt as _;

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn without_a_good_token_nothing_is_told(pool: PgPool) {
    let house = House::new(pool).await;
    let stranger = house.stranger().get("/api/v1/clinic").await;
    assert_eq!(stranger.refusal(), (401, "token-missing"));
    assert_eq!(stranger.header("www-authenticate"), "Bearer realm=\"bedside\"");
    let made_up = format!("bds_{}", "A".repeat(43));
    for token in ["", "nonsense", "bds_", &made_up] {
        let answer = house.program_with(token).get("/api/v1/clinic").await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{token}");
        assert!(answer.header("www-authenticate").starts_with("Bearer"));
    }
    let cookie = house.cookie(Role::Receptionist).await;
    let answer = house.stranger().call(Method::GET, "/api/v1/clinic", &[("cookie", &cookie)], None).await;
    assert_eq!(answer.refusal(), (401, "token-missing"), "somebody who is signed in is no program");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_token_is_shown_once_and_worthless_when_it_is_revoked(pool: PgPool) {
    let house = House::new(pool).await;
    let cookie = house.cookie(Role::Administrator).await;
    let page = page(&house, &cookie, Method::POST, "/api-tokens", "name=Phone+system&acts_as=receptionist").await;
    let token = page.1.split("value=\"bds_").nth(1).and_then(|rest| rest.split('"').next()).expect("the token");
    let program = house.program_with(&format!("bds_{token}"));
    assert_eq!(program.get("/api/v1/clinic").await.status, StatusCode::OK);
    let listed = self::page(&house, &cookie, Method::GET, "/api-tokens", "").await.1;
    assert!(listed.contains("Phone system") && !listed.contains(token));
    let kept: i64 =
        sqlx::query_scalar("select count(*) from api_tokens where encode(token_hash, 'escape') like '%' || $1 || '%'")
            .bind(token)
            .fetch_one(&house.superuser)
            .await
            .expect("a count");
    assert_eq!(kept, 0, "the token itself is kept nowhere");
    let id: uuid::Uuid = sqlx::query_scalar("select id from api_tokens where name = 'Phone system'")
        .fetch_one(&house.superuser)
        .await
        .expect("the token's row");
    let answer = self::page(&house, &cookie, Method::POST, &format!("/api-tokens/{id}/revoke"), "").await;
    assert_eq!(answer.0, StatusCode::SEE_OTHER);
    assert_eq!(program.get("/api/v1/clinic").await.refusal(), (401, "token-unknown"));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn only_administrators_see_the_programs(pool: PgPool) {
    let house = House::new(pool).await;
    for role in [Role::Receptionist, Role::Practitioner] {
        let cookie = house.cookie(role).await;
        for path in ["/api-tokens", "/webhooks"] {
            let answer =
                page(&house, &cookie, Method::POST, path, "name=x&acts_as=administrator&url=https://a.example/").await;
            assert_eq!(answer.0, StatusCode::FORBIDDEN, "{role:?} {path}");
        }
        assert_eq!(page(&house, &cookie, Method::GET, "/api-tokens", "").await.0, StatusCode::FORBIDDEN);
    }
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn what_was_typed_for_a_webhook_is_kept_when_its_address_is_refused(pool: PgPool) {
    let house = House::new(pool).await;
    let cookie = house.cookie(Role::Administrator).await;
    let refused = page(&house, &cookie, Method::POST, "/webhooks", "url=https%3A%2F%2F10.0.0.8%2Fhook").await;
    assert_eq!(refused.0, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.1.contains("private network") && refused.1.contains("https://10.0.0.8/hook"));
    let made =
        page(&house, &cookie, Method::POST, "/webhooks", "url=https%3A%2F%2F10.0.0.8%2Fhook&allow_private=yes").await;
    assert!(made.1.contains("whsec_"), "{}", made.1);
    assert!(!page(&house, &cookie, Method::GET, "/api-tokens", "").await.1.contains("whsec_"));
}

/// Status and text of a page for whoever has the cookie.
async fn page(house: &House, cookie: &str, method: Method, path: &str, form: &str) -> (StatusCode, String) {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::COOKIE, cookie)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "same-origin")
        .body(Body::from(form.to_owned()));
    let response = house.router.clone().oneshot(request.expect("a request")).await.expect("an answer");
    let status = response.status();
    let bytes = to_bytes(response.into_body(), 1 << 20).await.expect("a body");
    (status, String::from_utf8(bytes.to_vec()).expect("text"))
}
