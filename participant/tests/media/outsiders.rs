//! Who has not joined gets no packet and gives none.

use crate::clinic::{Clinic, Sees, connected};
use domain::{
    ParticipantId, Random, Redacted,
    media::MediaKind::{Audio, Video},
};
use participant::{Connection, Peer, Publishing, RelayClient, SocketError};
use service::random::SystemRandom;

/// The answer that somebody could make up who read the network: checks carry the user fragment in clear, never the password.
fn made_up(answer: &str) -> String {
    let lines = answer.lines().map(|line| match line.split_once(':') {
        Some(("a=ice-pwd", _)) => "a=ice-pwd:aguessedpasswordofthesamelength".to_owned(),
        _ => line.to_owned(),
    });
    lines.map(|line| line + "\r\n").collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_not_joined_gets_and_gives_no_packet() {
    let clinic = Clinic::opens().await;
    let practitioner = clinic.joins().await;
    let seat = clinic.seat();
    let patient = Peer::new(seat.participant, Publishing::default()).await.expect("a peer");
    let answer = clinic.answers(seat, patient.offer()).await;
    patient.accept(&answer).await.expect("an answer");

    let outsider = Peer::new(ParticipantId(SystemRandom.uuid()), Publishing::default()).await.expect("a peer");
    outsider.accept(&made_up(&answer)).await.expect("an answer that can be parsed");
    clinic.counts(|stats| stats.dropped_unauthentic_checks > 3).await;

    let tally = practitioner.sees(|tally| tally.packets_from(seat.participant, Video) > 60).await;
    assert_eq!((tally.sources(Audio).len(), tally.sources(Video).len()), (1, 1), "{tally:#?}");
    assert_eq!((tally.damaged(), tally.unexpected), (0, 0));
    let outside = outsider.tally();
    assert_eq!((outside.packets(), outside.sent.audio), (0, 0));
    assert_ne!(outside.connection, Connection::Connected);
    assert_eq!(clinic.signaling.room(clinic.room).participants.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stolen_answer_is_of_no_use_without_the_certificate_of_the_offer() {
    let clinic = Clinic::opens().await;
    let practitioner = clinic.joins().await;
    clinic.is_told(|room| connected(room) == 1).await;
    let seat = clinic.seat();
    let patient = Peer::new(seat.participant, Publishing::default()).await.expect("a peer");
    let answer = clinic.answers(seat, patient.offer()).await;

    // The thief knows every word of the answer, and the ICE credentials of the offer (RFC 8445 §7.3 needs both).
    let thief = Peer::new(seat.participant, Publishing::default()).await.expect("a peer");
    thief.accept(&answer).await.expect("an answer");
    clinic.counts(|stats| stats.address_pairs > 1 || stats.dropped_unauthentic_checks > 3).await;
    let packets = practitioner.tally().sent.video;
    practitioner.sees(|tally| tally.sent.video > packets + 120).await;
    assert_eq!(practitioner.tally().packets(), 0, "nothing of the thief is heard");
    assert_eq!(thief.tally().packets(), 0, "and nothing is told to them");
    assert_eq!(connected(&clinic.signaling.room(clinic.room)), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_commands_the_relay_without_its_key() {
    let clinic = Clinic::opens().await;
    let url = format!("ws://{}/relay", clinic.relay.control_addr);
    let refused: Result<_, SocketError> = RelayClient::connect(&url, &Redacted::new("guessed".to_owned())).await;
    assert_eq!(refused.expect_err("a guess is refused").status(), Some(401));
}
