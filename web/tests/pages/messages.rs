//! What patients were told, as the desk and the demo's mailbox show it; and who was there.

use crate::house::House;
use axum::http::StatusCode;
use domain::Role;
use jiff::SignedDuration;
use sqlx::PgPool;

/// The address of the first link with this beginning on a page.
fn link_to<'a>(body: &'a str, beginning: &str, end: &str) -> &'a str {
    let hrefs = body.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    hrefs.into_iter().find(|href| href.starts_with(beginning) && href.ends_with(end)).expect("a link")
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn the_mailbox_shows_email_as_html_in_a_sandbox_its_invitation_and_text_messages(pool: PgPool) {
    let house = House::new(pool).await;
    house.delivers().await;
    let mut desk = house.signed_in("Riverside", Role::Receptionist).await;
    let mailbox = desk.get("/mailbox").await.body;
    assert!(mailbox.contains("Text message to ") && mailbox.contains("E-mail to "), "{mailbox}");
    let links = mailbox.split("href=\"").filter(|rest| rest.starts_with("http://localhost:8080/visit/")).count();
    assert!(links > 0, "an address within a text message is a link, too");

    let html = desk.get(link_to(&mailbox, "/mailbox/", "/html")).await;
    assert_eq!((html.status, html.header("content-type")), (StatusCode::OK, "text/html; charset=utf-8"));
    let policy = html.header("content-security-policy");
    assert!(policy.contains("sandbox") && policy.contains("default-src 'none'"), "{policy}");
    assert!(!policy.contains("allow-scripts") && !policy.contains("allow-same-origin"), "{policy}");

    let ics = link_to(&mailbox, "/mailbox/", "/files/visit.ics").to_owned();
    let invitation = desk.get(&ics).await;
    assert_eq!(invitation.header("content-type"), "text/calendar; charset=utf-8");
    assert!(invitation.body.starts_with("BEGIN:VCALENDAR"), "{}", invitation.body);

    let mut elsewhere = house.signed_in("Harbour", Role::Receptionist).await;
    assert_eq!(elsewhere.get(&ics).await.status, StatusCode::NOT_FOUND);
    assert_eq!(house.browser().get(&ics).await.header("location"), "/sign-in");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn an_appointment_tells_what_its_patient_was_told(pool: PgPool) {
    let house = House::new(pool).await;
    let path = format!("/appointments/{}", house.appointment("Riverside"));
    let mut desk = house.signed_in("Riverside", Role::Receptionist).await;
    let before = desk.get(&path).await.body;
    assert!(before.contains("Confirmation") && before.contains("On its way"), "{before}");
    house.delivers().await;
    desk.post(&format!("{path}/send-link"), &[]).await;
    house.delivers().await;
    let after = desk.get(&path).await.body;
    assert!(after.contains("Visit link") && after.contains("Sent"), "{after}");
    assert!(!after.contains("On its way"), "{after}");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_patient_who_waited_and_was_not_seen_is_shown_so_and_the_desk_takes_it_back(pool: PgPool) {
    let house = House::new(pool).await;
    let id = house.appointment("Riverside");
    house.patient_arrives(id).await;
    let start = house.starts_at(id);
    house.clock.set(start + SignedDuration::from_mins(12));
    house.patient_is_seen(id).await;
    house.clock.set(start + SignedDuration::from_hours(2));
    house.marks_missed().await;

    let path = format!("/appointments/{id}");
    let mut desk = house.signed_in("Riverside", Role::Receptionist).await;
    let page = desk.get(&path).await.body;
    assert!(page.contains("Waited, was not seen"), "{page}");
    assert!(page.contains(", was not seen.") && page.contains("Patient in the waiting room"), "{page}");
    assert!(!page.contains("did not come"), "{page}");

    let undo = format!("{path}/undo-missed");
    let blank = desk.post(&undo, &[("reason", " ")]).await;
    assert_eq!(blank.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(blank.body.contains("Say why it was not missed"), "{}", blank.body);
    assert_eq!(desk.get(&undo).await.status, StatusCode::NOT_FOUND, "looking changes nothing");
    assert_eq!(desk.post(&undo, &[("reason", "Seen by phone.")]).await.status, StatusCode::SEE_OTHER);
    assert!(desk.get(&path).await.body.contains("Not missed after all: Seen by phone."));
    house.marks_missed().await;
    assert!(!desk.get(&path).await.body.contains("Waited, was not seen"));
}
