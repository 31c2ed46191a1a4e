//! Who may see what.

use crate::house::{Answer, House};
use axum::http::StatusCode;
use domain::Role;
use sqlx::PgPool;

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn each_role_has_its_own_pages(pool: PgPool) {
    let house = House::new(pool).await;
    let (desk, day, history) = ("/desk", "/day", "/history");
    let allowed = [
        (Role::Receptionist, [true, false, false]),
        (Role::Practitioner, [false, true, false]),
        (Role::Administrator, [true, false, true]),
    ];
    for (role, may) in allowed {
        let mut browser = house.signed_in("Riverside", role).await;
        for (page, may) in [desk, day, history].into_iter().zip(may) {
            let expected = if may { StatusCode::OK } else { StatusCode::FORBIDDEN };
            assert_eq!(browser.get(page).await.status, expected, "{role:?} opens {page}");
        }
    }
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_practitioner_neither_books_nor_cancels_and_a_receptionist_does_not_admit(pool: PgPool) {
    let house = House::new(pool).await;
    let id = house.appointment("Riverside");
    let mut practitioner = house.signed_in("Riverside", Role::Practitioner).await;
    for path in ["/appointments".to_owned(), format!("/appointments/{id}/cancel"), "/patients/find".to_owned()] {
        assert_eq!(practitioner.post(&path, &[]).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    let mut receptionist = house.signed_in("Riverside", Role::Receptionist).await;
    assert_eq!(receptionist.post(&format!("/appointments/{id}/admit"), &[]).await.status, StatusCode::FORBIDDEN);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn whoever_is_not_signed_in_is_asked_to(pool: PgPool) {
    let house = House::new(pool).await;
    let id = house.appointment("Riverside");
    for path in [
        "/desk",
        "/desk/events",
        "/day",
        "/day/events",
        "/history",
        "/mailbox",
        "/appointments/new",
        "/schedules",
        "/visit-types",
    ] {
        assert_eq!(house.browser().get(path).await.header("location"), "/sign-in", "{path}");
    }
    let answer = house.browser().post(&format!("/appointments/{id}/cancel"), &[("reason", "none")]).await;
    assert_eq!(answer.header("location"), "/sign-in");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn another_clinics_appointment_is_as_missing_as_one_that_never_was(pool: PgPool) {
    let house = House::new(pool).await;
    let mut browser = house.signed_in("Harbour", Role::Receptionist).await;
    let foreign = browser.get(&format!("/appointments/{}", house.appointment("Riverside"))).await;
    let missing = browser.get("/appointments/5b6fd1f3-6d0f-4f6e-9f0e-3d7c0f1f2a4b").await;
    let nonsense = browser.get("/appointments/nonsense").await;
    assert_eq!(foreign.status, StatusCode::NOT_FOUND);
    // Each answer has its own number to quote.
    let said = |answer: &Answer| (answer.status, answer.body.replace(answer.header("x-request-id"), ""));
    assert_eq!(said(&foreign), said(&missing));
    assert_eq!(said(&foreign), said(&nonsense));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn another_clinics_appointment_can_be_neither_cancelled_nor_sent_nor_admitted(pool: PgPool) {
    let house = House::new(pool).await;
    let id = house.appointment("Riverside");
    let mut desk = house.signed_in("Harbour", Role::Receptionist).await;
    let mut doctor = house.signed_in("Harbour", Role::Practitioner).await;
    let cancelled = desk.post(&format!("/appointments/{id}/cancel"), &[("reason", "mischief")]).await;
    let sent = desk.post(&format!("/appointments/{id}/send-link"), &[]).await;
    let admitted = doctor.post(&format!("/appointments/{id}/admit"), &[]).await;
    for answer in [cancelled, sent, admitted] {
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
    }
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_form_on_another_site_does_nothing(pool: PgPool) {
    let house = House::new(pool).await;
    let id = house.appointment("Riverside");
    let mut browser = house.signed_in("Riverside", Role::Receptionist).await;
    let path = format!("/appointments/{id}/cancel");
    for site in ["cross-site", "same-site"] {
        let answer = browser.post_from(&path, &[("reason", "forged")], site).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        assert!(answer.body.contains("Nothing was changed."));
    }
    assert_eq!(house.count("select count(*) from appointments where cancel_reason = 'forged'").await, 0);
    assert_eq!(browser.post(&path, &[("reason", "The patient is away")]).await.status, StatusCode::SEE_OTHER);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn the_cookie_of_one_visit_opens_no_other(pool: PgPool) {
    let house = House::new(pool).await;
    let [own, other] = [0, 1].map(|number| house.demo.visits[number].appointment);
    house.patient_arrives(other).await;
    let mut patient = house.browser();
    let arrived = patient.post(&house.link_of(&house.demo.visits[0]), &[]).await;
    assert_eq!(arrived.header("location"), format!("/waiting/{own}"), "{}", arrived.body);
    // Whoever finds the other visit's address out gives their own cookie its name.
    let cookie = patient.cookies[&format!("visit-{}", own.0.simple())].clone();
    patient.cookies.insert(format!("visit-{}", other.0.simple()), cookie);
    for path in ["waiting", "consultation", "goodbye"].map(|page| format!("/{page}/{other}")) {
        assert_eq!(patient.get(&path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    for path in [format!("/waiting/{other}/leave"), format!("/consultation/{other}/join-tokens")] {
        assert_eq!(patient.post(&path, &[]).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(house.count("select count(*) from seats where left_at is not null").await, 0);
}
