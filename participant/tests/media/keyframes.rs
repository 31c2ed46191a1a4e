//! Whoever comes, sees a picture at once, and the publisher is not asked for more than that needs.

use crate::clinic::{Clinic, Sees};
use domain::media::MediaKind::Video;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_joiner_gets_a_keyframe_of_everybody() {
    let clinic = Clinic::opens().await;
    let (practitioner, patient) = (clinic.joins().await, clinic.joins().await);
    practitioner.sees(|tally| tally.packets_from(patient.mark(), Video) > 120).await;
    // They send none but the first unless they are asked.
    let publishers = [&practitioner, &patient];
    let interpreter = clinic.joins().await;
    let tally = interpreter.sees(|tally| publishers.iter().all(|one| tally.keyframes_from(one.mark()) > 0)).await;
    let connected = tally.connected_after.expect("connected");
    for one in publishers {
        let keyframe = tally.first_keyframe_from(one.mark()).expect("it was seen");
        println!("measured: a keyframe {} ms after connecting", keyframe.saturating_sub(connected).as_millis());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_a_picture_arrives_before_its_keyframe() {
    let clinic = Clinic::opens().await;
    let (practitioner, patient) = (clinic.joins().await, clinic.joins().await);
    practitioner.sees(|tally| tally.packets_from(patient.mark(), Video) > 60).await;
    let interpreter = clinic.joins().await;
    let tally = interpreter.sees(|tally| tally.keyframes_from(patient.mark()) > 0).await;
    assert_eq!(tally.first_packet_from(patient.mark(), Video), tally.first_keyframe_from(patient.mark()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_publisher_is_asked_once_for_several_who_come_together() {
    let clinic = Clinic::opens().await;
    let practitioner = clinic.joins().await;
    let (a, b, c) = tokio::join!(clinic.joins(), clinic.joins(), clinic.joins());
    for viewer in [&a, &b, &c] {
        viewer.sees(|tally| tally.packets_from(practitioner.mark(), Video) > 120).await;
    }
    let asked = practitioner.tally().feedback.keyframe_requests;
    // Three viewers whose handshakes end at different times: one request each at the very most, and a repetition or two
    // where the answer took long.
    assert!((1..=6).contains(&asked), "asked {asked} times");
}
