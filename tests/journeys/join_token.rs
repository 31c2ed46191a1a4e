//! A join token opens one room for one participant, once, and for a minute.

use crate::support::clinic::Clinic;
use domain::{ParticipantId, Random as _, signal::ErrorCode};
use jiff::SignedDuration;
use participant::{JoinError, Participant, Publishing};
use service::random::SystemRandom;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_used_join_token_is_refused() {
    let clinic = Clinic::start().await;
    let visit = clinic.visit();
    let practitioner = clinic.practitioner_of(visit).await;
    let meeting = clinic.somebody().meets(&practitioner, &clinic.link_of(visit), visit).await;
    let way_in = practitioner.asks_to_enter(&meeting.practitioners_page).await.expect("the visit is theirs");

    let first = enter(&clinic, &way_in.token).await.expect("good once");
    assert!(is_refused(enter(&clinic, &way_in.token).await), "good once only");
    first.leave().await.expect("leaving works");
    assert!(is_refused(enter(&clinic, &way_in.token).await), "leaving does not give it back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_expired_join_token_is_refused() {
    let clinic = Clinic::start().await;
    let visit = clinic.visit();
    let practitioner = clinic.practitioner_of(visit).await;
    let meeting = clinic.somebody().meets(&practitioner, &clinic.link_of(visit), visit).await;
    let way_in = practitioner.asks_to_enter(&meeting.practitioners_page).await.expect("the visit is theirs");
    clinic.clock.advance(SignedDuration::from_secs(70));
    assert!(is_refused(enter(&clinic, &way_in.token).await));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_join_token_of_a_finished_visit_is_refused() {
    let clinic = Clinic::start().await;
    let visit = clinic.visit();
    let practitioner = clinic.practitioner_of(visit).await;
    let patient = clinic.somebody();
    let meeting = patient.meets(&practitioner, &clinic.link_of(visit), visit).await;
    let way_in = patient.asks_to_enter(&meeting.patients_page).await.expect("they were admitted");
    practitioner.ends(&meeting).await;
    assert!(is_refused(enter(&clinic, &way_in.token).await));
    assert!(patient.asks_to_enter(&meeting.patients_page).await.is_err(), "there is no other");
}

async fn enter(clinic: &Clinic, token: &domain::Redacted<String>) -> Result<Participant, JoinError> {
    let mark = ParticipantId(SystemRandom.uuid());
    Participant::connect(&clinic.signaling_url(), &clinic.url(), token, mark, Publishing::default()).await
}

fn is_refused(result: Result<Participant, JoinError>) -> bool {
    matches!(result, Err(JoinError::SignalingRefused(ErrorCode::TokenRefused)))
}
