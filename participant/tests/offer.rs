//! The offer of a headless participant is what the relay and docs/protocol.md expect of every page.

use domain::{ParticipantId, media::SLOTS};
use participant::{Peer, Publishing, slots};

async fn offer(publishing: Publishing) -> String {
    let participant = ParticipantId("6f1f9c0e-8d51-4d5a-9d0b-0a5d3f0c1b2a".parse().expect("an id"));
    Peer::new(participant, publishing).await.expect("a peer").offer().to_owned()
}

fn sections(offer: &str, kind: &str, direction: &str) -> usize {
    offer.split("\nm=").skip(1).filter(|s| s.starts_with(kind) && s.contains(&format!("a={direction}\r"))).count()
}

#[tokio::test]
async fn own_tracks_come_first_and_then_a_slot_of_each_kind_for_everybody_else() {
    let offer = offer(Publishing::default()).await;
    assert_eq!((sections(&offer, "audio", "sendonly"), sections(&offer, "video", "sendonly")), (1, 1));
    assert_eq!((sections(&offer, "audio", "recvonly"), sections(&offer, "video", "recvonly")), (SLOTS, SLOTS));
    let kinds: Vec<&str> = offer.split("\nm=").skip(1).map(|section| &section[..5]).collect();
    assert_eq!(kinds[..4], ["audio", "video", "audio", "audio"]);
}

#[tokio::test]
async fn it_is_bundled_muxed_and_declares_what_it_sends() {
    let offer = offer(Publishing::default()).await;
    assert!(
        offer.contains("a=group:BUNDLE 0 1 2") && offer.contains("a=rtcp-mux") && offer.contains("a=setup:actpass")
    );
    assert!(!offer.contains("m=application"));
    assert!(slots::declared_ssrcs(&offer).len() >= 2);
}

#[tokio::test]
async fn without_camera_and_microphone_only_slots_are_offered() {
    let offer = offer(Publishing::nothing()).await;
    assert_eq!(offer.matches("\nm=").count(), 2 * SLOTS);
    assert!(slots::declared_ssrcs(&offer).is_empty());
}
