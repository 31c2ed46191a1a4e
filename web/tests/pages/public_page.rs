//! Where the clinic's public page is.

use crate::house::House;
use axum::http::StatusCode;
use domain::Role;
use sqlx::PgPool;

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn an_administrator_gives_the_public_page_its_address(pool: PgPool) {
    let house = House::new(pool).await;
    let mut administrator = house.signed_in("Riverside", Role::Administrator).await;
    let form = administrator.get("/public-page").await.body;
    assert!(form.contains("http://localhost:8080/clinics/riverside-family-clinic"), "{form}");
    for (slug, code) in [
        ("harbour-clinic", "address-taken"),
        ("Riverside", "invalid"),
        ("-riverside", "invalid"),
        ("river\0side", "invalid"),
        (&"r".repeat(10_000), "invalid"),
    ] {
        let refused = administrator.post("/public-page", &[("slug", slug)]).await;
        assert!(refused.status.is_client_error(), "{slug}");
        assert!(refused.body.contains(&format!("data-code=\"{code}\"")), "{slug}: {}", refused.body);
        assert!(refused.body.contains(&format!("value=\"{slug}\"")), "what was typed is kept");
    }
    let saved = administrator.post("/public-page", &[("slug", "riverside")]).await;
    assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.body);
    let mut patient = house.browser();
    assert_eq!(patient.get("/clinics/riverside").await.status, StatusCode::OK);
    assert_eq!(patient.get("/clinics/riverside-family-clinic").await.status, StatusCode::NOT_FOUND);
    assert!(administrator.get("/history").await.body.contains("gave the public page its address"));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn nobody_else_does(pool: PgPool) {
    let house = House::new(pool).await;
    for role in [Role::Receptionist, Role::Practitioner] {
        let mut somebody = house.signed_in("Riverside", role).await;
        assert_eq!(somebody.get("/public-page").await.status, StatusCode::FORBIDDEN);
        assert_eq!(somebody.post("/public-page", &[("slug", "mine")]).await.status, StatusCode::FORBIDDEN);
    }
}
