//! Leaving cleans up: tables and counts are where they were.

use crate::clinic::{Clinic, Sees, connected};
use domain::{
    media::MediaKind::Video,
    relay::{RelayCommand, RelayOutcome},
};
use participant::Connection;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_the_last_has_left_the_relay_holds_nothing() {
    let clinic = Clinic::opens().await;
    let (practitioner, patient) = (clinic.joins().await, clinic.joins().await);
    practitioner.sees(|tally| tally.packets_from(patient.mark(), Video) > 30).await;
    patient.sees(|tally| tally.packets_from(practitioner.mark(), Video) > 30).await;
    patient.leave().await.expect("leaving is possible");
    let room = clinic.is_told(|room| room.participants.len() == 1).await;
    assert!(room.slots.is_empty(), "nobody is shown to who is alone: {room:?}");
    clinic.counts(|stats| (stats.participants, stats.transports) == (1, 1)).await;
    practitioner.leave().await.expect("leaving is possible");
    clinic.is_told(|room| room.gone || room.participants.is_empty()).await;
    clinic
        .counts(|stats| (stats.rooms, stats.participants, stats.transports, stats.address_pairs) == (0, 0, 0, 0))
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_visits_leave_no_trace() {
    let mut clinic = Clinic::opens().await;
    for _ in 0..5 {
        clinic.moves_to_another_room();
        let (practitioner, patient) = (clinic.joins().await, clinic.joins().await);
        practitioner.sees(|tally| tally.keyframes_from(patient.mark()) > 0).await;
        patient.leave().await.expect("leaving is possible");
        practitioner.leave().await.expect("leaving is possible");
    }
    clinic
        .counts(|stats| (stats.rooms, stats.participants, stats.transports, stats.address_pairs) == (0, 0, 0, 0))
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_stays_hears_nothing_more_of_who_left() {
    let clinic = Clinic::opens().await;
    let (practitioner, patient, relative) = (clinic.joins().await, clinic.joins().await, clinic.joins().await);
    let gone = patient.mark();
    practitioner.sees(|tally| tally.keyframes_from(gone) > 0 && tally.keyframes_from(relative.mark()) > 0).await;
    patient.leave().await.expect("leaving is possible");
    clinic.is_told(|room| room.participants.len() == 2).await;
    let so_far = practitioner.tally().packets_from(relative.mark(), Video);
    let before = practitioner.sees(|tally| tally.packets_from(relative.mark(), Video) > so_far + 30).await;
    let after = practitioner.sees(|tally| tally.packets_from(relative.mark(), Video) > so_far + 120).await;
    assert_eq!(before.packets_from(gone, Video), after.packets_from(gone, Video));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_of_an_encounter_puts_everybody_out() {
    let clinic = Clinic::opens().await;
    let (practitioner, patient) = (clinic.joins().await, clinic.joins().await);
    clinic.is_told(|room| connected(room) == 2).await;
    let outcome = clinic.asks(RelayCommand::End { room: clinic.room }).await;
    assert_eq!(outcome, RelayOutcome::Done {});
    clinic.is_told(|room| room.gone).await;
    clinic.counts(|stats| (stats.rooms, stats.participants, stats.transports) == (0, 0, 0)).await;
    for one in [&practitioner, &patient] {
        one.sees(|tally| tally.connection != Connection::Connected).await;
    }
}
