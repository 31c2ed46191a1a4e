//! The receptionist books, and the patient's link shows for whom and when.

use crate::support::clinic::Clinic;
use domain::Role;
use reqwest::StatusCode;

#[tokio::test]
async fn a_receptionist_books_a_free_time_and_has_a_link_for_the_patient() {
    let clinic = Clinic::start().await;
    let receptionist = clinic.staff(Role::Receptionist).await;

    let appointment = receptionist.books("Maria Santos", "Dr Hannah Osei", "16:30").await;
    assert!(appointment.url.path().starts_with("/appointments/"), "{}", appointment.text());
    assert!(appointment.says("Maria Santos") && appointment.says("16:30"), "{}", appointment.text());

    let link = appointment.value_of("Visit link").expect("the page shows the link");
    let visit = clinic.somebody().opens(&link).await;
    assert!(visit.says("Maria Santos") && visit.says("Dr Hannah Osei") && visit.says("Not you?"), "{}", visit.text());
}

#[tokio::test]
async fn a_booked_time_is_offered_to_nobody_else() {
    let clinic = Clinic::start().await;
    let receptionist = clinic.staff(Role::Receptionist).await;
    assert!(receptionist.free_times("Dr Hannah Osei").await.contains(&"16:30".to_owned()));
    receptionist.books("Maria Santos", "Dr Hannah Osei", "16:30").await;
    assert!(!receptionist.free_times("Dr Hannah Osei").await.contains(&"16:30".to_owned()));
}

#[tokio::test]
async fn a_cancelled_time_is_free_again_and_the_reason_is_kept() {
    let clinic = Clinic::start().await;
    let receptionist = clinic.staff(Role::Receptionist).await;
    let appointment = receptionist.books("Maria Santos", "Dr Hannah Osei", "16:30").await;

    let form =
        appointment.form("Cancel appointment").expect("it can be cancelled").with("Reason", "The car broke down");
    let cancelled = receptionist.submits(form, &appointment).await;

    assert!(cancelled.says("The car broke down"), "{}", cancelled.text());
    assert!(receptionist.free_times("Dr Hannah Osei").await.contains(&"16:30".to_owned()));
    let link = appointment.value_of("Visit link").expect("the page showed the link");
    let visit = clinic.somebody().opens(&link).await;
    assert!(visit.says("This visit was cancelled") && visit.form("I'm here").is_none(), "{}", visit.text());
}

#[tokio::test]
async fn a_cancellation_without_a_reason_is_refused() {
    let clinic = Clinic::start().await;
    let receptionist = clinic.staff(Role::Receptionist).await;
    let appointment = receptionist.books("Maria Santos", "Dr Hannah Osei", "16:30").await;
    let page = receptionist.presses("Cancel appointment", &appointment).await;
    assert!(page.value_of("Visit link").is_some(), "still booked: {}", page.text());
}

#[tokio::test]
async fn a_practitioner_does_not_run_the_desk_and_nobody_does_without_signing_in() {
    let clinic = Clinic::start().await;
    let practitioner = clinic.staff(Role::Practitioner).await;
    assert_eq!(practitioner.status_of("/appointments/new").await, StatusCode::FORBIDDEN);
    let nobody = clinic.somebody().opens("/appointments/new").await;
    assert_eq!(nobody.url.path(), "/sign-in");
}
