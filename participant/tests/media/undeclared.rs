//! What a participant sends under an SSRC that its offer did not declare is not forwarded.

use crate::clinic::{Clinic, Sees};
use domain::media::MediaKind::{Audio, Video};
use participant::{Peer, Publishing, slots};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_undeclared_ssrc_is_not_forwarded() {
    let clinic = Clinic::opens().await;
    let practitioner = clinic.joins().await;
    let seat = clinic.seat();
    let patient = Peer::new(seat.participant, Publishing::default()).await.expect("a peer");
    // The picture is declared under another SSRC than it is sent with.
    let sound = slots::declared_ssrcs(patient.offer())[0].to_string();
    let offer = patient.offer().split("\nm=").map(|section| match section.starts_with("video") {
        true => slots::declared_ssrcs(&format!("\nm={section}"))
            .iter()
            .fold(section.to_owned(), |section, ssrc| section.replace(&ssrc.to_string(), &(ssrc ^ 0x5555).to_string())),
        false => section.to_owned(),
    });
    let offer = offer.collect::<Vec<_>>().join("\nm=");
    assert!(offer.contains(&sound));
    patient.accept(&clinic.answers(seat, &offer).await).await.expect("an answer");
    let tally = practitioner.sees(|tally| tally.packets_from(seat.participant, Audio) > 60).await;
    assert_eq!(tally.packets_from(seat.participant, Video), 0, "{tally:#?}");
    assert!(patient.tally().sent.video > 60);
    clinic.counts(|stats| stats.dropped_unknown_ssrc > 60).await;
}
