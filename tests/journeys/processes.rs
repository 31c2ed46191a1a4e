//! The same visit with web, signaling, media relay and scheduler as processes of their own.

use crate::support::{PATIENCE, processes::Processes};
use domain::media::MediaKind;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_visit_takes_place_with_each_service_as_a_process_of_its_own() {
    let bedside = Processes::start("info").await;
    let visit = bedside.demo.visits.first().expect("the demo has visits").clone();
    let (patient, practitioner) = (bedside.somebody(), bedside.practitioner_of(&visit).await);

    let meeting = patient.meets(&practitioner, &bedside.link_of(&visit), &visit).await;
    let doctor = practitioner.enters(&meeting.practitioners_page).await;
    let guest = patient.enters(&meeting.patients_page).await;
    for (one, other) in [(&doctor, &guest), (&guest, &doctor)] {
        for kind in [MediaKind::Audio, MediaKind::Video] {
            let mark = other.mark();
            let there = one.until(move |tally| tally.sources(kind).contains(&mark), PATIENCE);
            there.await.expect("they hear and see each other");
        }
    }
    // Somebody's page is open, and stays so while the processes stop.
    let _day = practitioner.listens_to("/day/events").await;
    practitioner.ends(&meeting).await;
    let told = guest.signaling().expect("they came by signaling").until(|heard| heard.ended, PATIENCE);
    told.await.expect("the end arrives");

    for ((end, log), service) in bedside.stop().await.iter().zip(["web", "signaling", "scheduler", "media-relay"]) {
        assert!(end.success(), "{service} ended with {end}");
        assert!(!log.contains("some work did not end in time"), "{service} waited for somebody in vain: {log}");
    }
}
