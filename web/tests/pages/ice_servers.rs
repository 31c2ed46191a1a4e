//! Servers for a narrow network: who is in the visit is told them, and nobody else.

use crate::house::House;
use axum::http::StatusCode;
use domain::Role;
use serde_json::Value;
use sqlx::PgPool;

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn who_is_in_the_visit_is_told_and_nobody_else(pool: PgPool) {
    let house = House::new(pool).await;
    let visit = &house.demo.visits[0];
    let account = house.demo.accounts.iter().find(|one| one.name == visit.practitioner).expect("their account");
    let mut doctor = house.browser();
    doctor.sign_in(&account.email, &account.password).await;
    let mut patient = house.browser();
    patient.post(&house.link_of(visit), &[]).await;
    let of_patient = format!("/consultation/{}/ice-servers", visit.appointment);
    assert_eq!(patient.get(&of_patient).await.status, StatusCode::NOT_FOUND, "the visit has not begun");

    let admitted = doctor.post(&format!("/appointments/{}/admit", visit.appointment), &[]).await;
    let of_practitioner = format!("{}/ice-servers", admitted.header("location"));
    for (browser, path) in [(&mut patient, &of_patient), (&mut doctor, &of_practitioner)] {
        let page = browser.get(path.strip_suffix("/ice-servers").expect("below the page")).await;
        assert!(page.body.contains(&format!("data-ice-servers=\"{path}\"")), "the page knows where to ask");
        let events = house.count("select count(*) from audit_events").await;
        let told = browser.get(path).await;
        assert_eq!(house.count("select count(*) from audit_events").await, events, "asking reads no chart");
        assert_eq!((told.status, told.header("cache-control")), (StatusCode::OK, "no-store"));
        let servers: Value = serde_json::from_str(&told.body).expect("JSON");
        assert_eq!(servers[0]["urls"], "turns:turn.example:443?transport=tcp");
        // Ten minutes after 13:10, in seconds.
        assert!(servers[0]["username"].as_str().is_some_and(|name| name.starts_with("1795526400:")), "{servers}");
        assert!(servers[0]["credential"].is_string());
    }
    let mut desk = house.signed_in("Riverside", Role::Receptionist).await;
    assert_eq!(desk.get(&of_practitioner).await.status, StatusCode::FORBIDDEN);
    assert_eq!(desk.get(&of_patient).await.status, StatusCode::NOT_FOUND);
    let mut elsewhere = house.signed_in("Harbour", Role::Practitioner).await;
    assert_eq!(elsewhere.get(&of_practitioner).await.status, StatusCode::NOT_FOUND);

    doctor.post(&format!("{}/finish", admitted.header("location")), &[]).await;
    assert_eq!(patient.get(&of_patient).await.status, StatusCode::NOT_FOUND, "the visit is over");
}
