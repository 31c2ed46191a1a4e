//! Arrive, admit, meet, finish: the whole visit, with media.

use crate::support::{PATIENCE, clinic::Clinic};
use domain::{Role, media::MediaKind};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_admitted_patient_and_the_practitioner_hear_and_see_each_other_until_the_visit_ends() {
    let clinic = Clinic::start().await;
    let visit = clinic.visit();
    let (patient, practitioner) = (clinic.somebody(), clinic.practitioner_of(visit).await);
    let meeting = patient.meets(&practitioner, &clinic.link_of(visit), visit).await;

    let doctor = practitioner.enters(&meeting.practitioners_page).await;
    let guest = patient.enters(&meeting.patients_page).await;
    for (one, other) in [(&doctor, &guest), (&guest, &doctor)] {
        let both = |kind| one.until(move |tally| tally.sources(kind).contains(&other.mark()), PATIENCE);
        both(MediaKind::Audio).await.expect("they are heard");
        both(MediaKind::Video).await.expect("they are seen");
    }

    practitioner.ends(&meeting).await;
    let ended = guest.signaling().expect("they came by signaling").until(|heard| heard.ended, PATIENCE);
    ended.await.expect("the patient is told");
    let goodbye = patient.opens(&meeting.patients_page).await;
    assert!(goodbye.says("Your visit has ended"), "{}", goodbye.text());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_history_tells_what_happened_and_by_whom() {
    let clinic = Clinic::start().await;
    let visit = clinic.visit();
    let practitioner = clinic.practitioner_of(visit).await;
    let meeting = clinic.somebody().meets(&practitioner, &clinic.link_of(visit), visit).await;
    practitioner.ends(&meeting).await;

    let receptionist = clinic.staff(Role::Receptionist).await;
    let appointment = receptionist.opens(&format!("/appointments/{}", visit.appointment)).await;
    let (_, history) =
        appointment.text().split_once("What happened").map(|(a, b)| (a.to_owned(), b.to_owned())).expect("a history");
    for who in [visit.patient.as_str(), visit.practitioner.as_str()] {
        assert!(history.contains(who), "{history}");
    }
}
