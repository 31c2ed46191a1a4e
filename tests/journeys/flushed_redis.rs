//! Redis may be emptied at any moment: nothing is lost, and nobody is let in.

use crate::support::{PATIENCE, clinic::Clinic};
use domain::media::MediaKind;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flushed_redis_loses_nothing_and_lets_nobody_in() {
    let clinic = Clinic::start().await;
    let visit = clinic.visit();
    let (patient, practitioner) = (clinic.somebody(), clinic.practitioner_of(visit).await);
    patient.arrives(&clinic.link_of(visit)).await;

    clinic.redis.command("FLUSHALL").await;
    assert!(patient.asks_to_enter(&format!("/consultation/{}", visit.appointment)).await.is_err());
    assert!(practitioner.opens("/day").await.form("Admit").is_some(), "the seat is kept");

    let meeting = patient.meets(&practitioner, &clinic.link_of(visit), visit).await;
    clinic.wait_for_the_relay().await;
    let doctor = practitioner.enters(&meeting.practitioners_page).await;
    let guest = patient.enters(&meeting.patients_page).await;
    doctor.until(|tally| tally.sources(MediaKind::Video).contains(&guest.mark()), PATIENCE).await.expect("seen");

    clinic.redis.command("FLUSHALL").await;
    let before = doctor.tally().packets();
    doctor.until(|tally| tally.packets() > before + 100, PATIENCE).await.expect("the picture goes on");
    practitioner.ends(&meeting).await;
    let told = guest.signaling().expect("they came by signaling").until(|heard| heard.ended, PATIENCE);
    told.await.expect("the end arrives");
}
