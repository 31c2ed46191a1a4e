//! Another clinic's rows are not there: not forbidden, missing.

use crate::support::clinic::Clinic;
use domain::{AppointmentId, Random as _, Role};
use service::random::SystemRandom;

#[tokio::test]
async fn a_receptionist_of_another_clinic_finds_what_somebody_finds_who_asks_for_nothing() {
    let clinic = Clinic::start().await;
    let receptionist = clinic.staff(Role::Receptionist).await;
    let appointment = receptionist.books("Maria Santos", "Dr Hannah Osei", "16:30").await;
    let stranger = clinic.stranger().await;

    let theirs = stranger.opens(appointment.url.path()).await;
    let nothing = stranger.opens(&format!("/appointments/{}", AppointmentId(SystemRandom.uuid()))).await;

    assert_eq!(theirs.status, 404);
    assert_eq!(without_request_id(&theirs.text()), without_request_id(&nothing.text()));
    for act in ["cancel", "send-link", "admit"] {
        let path = format!("{}/{act}", appointment.url.path());
        let answer = stranger.post(&path).form(&[("reason", "none of my business")]).send().await.expect("an answer");
        assert!(matches!(answer.status().as_u16(), 403 | 404), "{act}: {}", answer.status());
    }
    let still = receptionist.opens(appointment.url.path()).await;
    assert!(still.value_of("Visit link").is_some(), "nothing happened to it: {}", still.text());
}

#[tokio::test]
async fn patients_of_another_clinic_are_not_found_by_name() {
    let clinic = Clinic::start().await;
    let stranger = clinic.stranger().await;
    let answer = stranger.post("/patients/find").form(&[("q", "Santos")]).send().await.expect("an answer");
    assert!(!answer.text().await.expect("text").contains("Maria Santos"));
}

#[tokio::test]
async fn nobody_enters_the_consultation_of_another_clinic() {
    let clinic = Clinic::start().await;
    let visit = clinic.visit();
    let meeting = clinic.somebody().meets(&clinic.practitioner_of(visit).await, &clinic.link_of(visit), visit).await;
    let stranger = clinic.practitioner_elsewhere().await;
    assert_eq!(stranger.status_of(&meeting.practitioners_page).await, 404);
    assert!(stranger.asks_to_enter(&meeting.practitioners_page).await.is_err());
    assert!(stranger.asks_to_enter(&meeting.patients_page).await.is_err());
}

/// Each answer has its own number for whoever asks about it later.
fn without_request_id(text: &str) -> String {
    text.split_whitespace().filter(|word| word.len() < 20).collect::<Vec<_>>().join(" ")
}
