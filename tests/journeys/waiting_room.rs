//! The patient says that they are here, and the practitioner sees it.

use crate::support::{
    PATIENCE,
    clinic::{Clinic, at},
};
use futures_util::StreamExt as _;
use std::time::Duration;

#[tokio::test]
async fn a_patient_who_is_here_waits_and_the_practitioner_may_admit_them() {
    let clinic = Clinic::start().await;
    let visit = clinic.visit();
    let patient = clinic.somebody();
    let practitioner = clinic.practitioner_of(visit).await;
    let admit = format!("Admit {}", visit.patient);
    assert!(practitioner.opens("/day").await.form(&admit).is_none(), "nobody has arrived");

    let waiting = patient.arrives(&clinic.link_of(visit)).await;

    assert!(waiting.says("Waiting room"), "{}", waiting.text());
    assert!(practitioner.opens("/day").await.form(&admit).is_some());
}

#[tokio::test]
async fn an_arrival_reaches_the_day_through_another_node_at_once() {
    let clinic = Clinic::start().await;
    let visit = clinic.visit();
    let practitioner = clinic.practitioner_of(visit).await.through(&clinic.another_node().await);
    let mut events = practitioner.listens_to("/day/events").await.bytes_stream();
    let first = tokio::time::timeout(PATIENCE, events.next()).await;
    assert!(matches!(first, Ok(Some(Ok(_)))), "the stream begins");

    clinic.somebody().arrives(&clinic.link_of(visit)).await;

    let wanted = format!("Admit {}", visit.patient);
    let shown = async {
        let mut text = String::new();
        while !text.contains(&wanted) {
            text += &String::from_utf8_lossy(&events.next().await.expect("the stream goes on").expect("readable"));
        }
    };
    // A page looks by itself every five seconds: sooner than that, the bus has told it. The second that people are promised is measured
    // by `tests/browser/whole-visit.test.mjs`.
    tokio::time::timeout(Duration::from_secs(4), shown).await.expect("told by the bus");
}

#[tokio::test]
async fn arriving_again_keeps_the_seat() {
    let clinic = Clinic::start().await;
    let visit = clinic.visit();
    let link = clinic.link_of(visit);
    let first = clinic.somebody().arrives(&link).await;
    let again = clinic.somebody().arrives(&link).await;
    assert_eq!(first.url, again.url);
    assert!(again.says("Waiting room"), "{}", again.text());
}

#[tokio::test]
async fn too_early_and_too_late_are_said_with_the_next_step() {
    let clinic = Clinic::start().await;
    let visit = clinic.visits_of_first_clinic().last().expect("visits");
    let link = clinic.link_of(visit);

    clinic.clock.set(visit.starts_at - jiff::SignedDuration::from_hours(5));
    let early = clinic.somebody().opens(&link).await;
    assert!(early.says("You are early") && early.form("I'm here").is_none(), "{}", early.text());

    clinic.clock.set(at("23:59"));
    let late = clinic.somebody().opens(&link).await;
    assert!(
        late.says("has passed") && late.says("Call the clinic") && late.form("I'm here").is_none(),
        "{}",
        late.text()
    );
}
