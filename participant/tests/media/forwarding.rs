//! What one publishes arrives at the other, whole and in order.

use crate::clinic::{Clinic, Sees, connected};
use domain::media::MediaKind::{Audio, Video};
use participant::{Participant, Publishing, Reach, Tally};

/// Waits until `one` has heard and seen a good second of `other`.
async fn hears_and_sees(one: &Participant, other: &Participant) -> Tally {
    one.sees(|tally| tally.packets_from(other.mark(), Audio) > 60 && tally.packets_from(other.mark(), Video) > 120)
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn packets_arrive_in_order_with_the_right_payload() {
    let clinic = Clinic::opens().await;
    let (practitioner, patient) = (clinic.joins().await, clinic.joins().await);
    for (one, other) in [(&practitioner, &patient), (&patient, &practitioner)] {
        let tally = hears_and_sees(one, other).await;
        assert_eq!((tally.damaged(), tally.unexpected), (0, 0), "{tally:#?}");
        assert_eq!(tally.slots.len(), 2, "one slot of each kind: {tally:#?}");
        for slot in tally.slots.values() {
            assert_eq!((slot.reordered, slot.duplicates), (0, 0), "{slot:#?}");
        }
    }
    assert_eq!(clinic.is_told(|room| connected(room) == 2).await.slots.len(), 4);
    let path = patient.peer().path().await.expect("media flows over some path");
    assert_eq!((path.protocol.as_str(), path.cipher), ("UDP", "AES-128-GCM"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_on_the_way() {
    let clinic = Clinic::opens().await;
    let (practitioner, patient) = (clinic.joins().await, clinic.joins().await);
    hears_and_sees(&practitioner, &patient).await;
    let tally = practitioner.sees(|tally| tally.missing() == 0).await;
    assert_eq!(tally.missing(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_publisher_is_told_how_its_packets_travel() {
    let clinic = Clinic::opens().await;
    let (practitioner, _patient) = (clinic.joins().await, clinic.joins().await);
    practitioner.sees(|tally| tally.feedback.transport > 3 && tally.feedback.reports > 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_mutes_is_not_heard_and_still_seen() {
    let clinic = Clinic::opens().await;
    let (practitioner, patient) = (clinic.joins().await, clinic.joins().await);
    hears_and_sees(&practitioner, &patient).await;
    patient.mute(Audio, true).await.expect("the relay is told");
    clinic
        .is_told(|room| room.participants.iter().any(|p| p.participant == patient.mark() && !p.status.microphone))
        .await;
    // Pictures sent after the microphone fell silent: whatever sound was on the way has come by then.
    let seen = patient.tally().sent.video;
    let before = practitioner.sees(|tally| tally.packets_from(patient.mark(), Video) > seen + 30).await;
    let after = practitioner.sees(|tally| tally.packets_from(patient.mark(), Video) > seen + 90).await;
    assert_eq!(after.packets_from(patient.mark(), Audio), before.packets_from(patient.mark(), Audio));
    patient.mute(Audio, false).await.expect("the relay is told");
    practitioner
        .sees(|tally| tally.packets_from(patient.mark(), Audio) > after.packets_from(patient.mark(), Audio))
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_neither_camera_nor_microphone_hears_and_sees_all_the_same() {
    let clinic = Clinic::opens().await;
    let practitioner = clinic.joins().await;
    let patient = clinic.joins_with(Publishing::nothing()).await;
    hears_and_sees(&patient, &practitioner).await;
    assert_eq!(practitioner.tally().packets(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_on_ipv6_and_ipv4_meet() {
    let clinic = Clinic::opens().await;
    let practitioner = clinic.joins().await;
    let patient = clinic.joins_with(Publishing { reach: Reach::Loopback6, ..Publishing::default() }).await;
    hears_and_sees(&practitioner, &patient).await;
    hears_and_sees(&patient, &practitioner).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_rooms_do_not_mix() {
    let mut clinic = Clinic::opens().await;
    let (practitioner, patient) = (clinic.joins().await, clinic.joins().await);
    clinic.moves_to_another_room();
    let (another_practitioner, another_patient) = (clinic.joins().await, clinic.joins().await);
    for (one, other) in [(&practitioner, &patient), (&another_patient, &another_practitioner)] {
        let tally = hears_and_sees(one, other).await;
        assert_eq!(tally.sources(Audio).len(), 1, "{tally:#?}");
        assert_eq!(tally.sources(Video).len(), 1, "{tally:#?}");
    }
}
