//! A closed page is noticed at once by its `close_notify` (RFC 8446 §6.1), not only when consent runs out.

use crate::clinic::{Clinic, PATIENCE, Sees, connected};
use domain::media::MediaKind::Audio;
use participant::Tally;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_connection_is_noticed_and_the_place_is_kept() {
    // RFC 7675 consent would take 30 s.
    const { assert!(PATIENCE.as_secs() < Duration::from_secs(30).as_secs()) };
    let clinic = Clinic::opens().await;
    let (practitioner, patient) = (clinic.joins().await, clinic.joins().await);
    practitioner.sees(|tally| tally.keyframes_from(patient.mark()) > 0).await;
    patient.peer().close().await.expect("closing is possible");
    let room = clinic.is_told(|room| connected(room) == 1).await;
    let gone = room.participants.iter().find(|p| p.participant == patient.mark()).expect("the place is kept");
    assert!(!gone.connected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_back_takes_the_same_place() {
    let clinic = Clinic::opens().await;
    let (practitioner, mut patient) = (clinic.joins().await, clinic.joins().await);
    practitioner.sees(|tally| tally.keyframes_from(patient.mark()) > 0).await;
    patient.peer().close().await.expect("closing is possible");
    clinic.is_told(|room| connected(room) == 1).await;
    patient.rejoin().await.expect("coming back is possible");
    let keyframes = practitioner.tally().keyframes_from(patient.mark());
    let back = |tally: &Tally| {
        tally.keyframes_from(patient.mark()) > keyframes && tally.packets_from(patient.mark(), Audio) > 60
    };
    let tally = practitioner.sees(back).await;
    assert_eq!(tally.slots.len(), 2, "the same slots: {tally:#?}");
    patient.sees(|tally| tally.keyframes_from(practitioner.mark()) > 0).await;
}
