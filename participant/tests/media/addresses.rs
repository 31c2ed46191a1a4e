//! A datagram that is no ICE check is looked at only when it comes from an address that passed one.

use crate::clinic::{Clinic, Sees};
use domain::media::MediaKind::{Audio, Video};
use participant::{Peer, Publishing, slots};
use std::net::{SocketAddr, UdpSocket};

/// The relay's media address on IPv4 loop-back, read from an answer.
fn media_address(answer: &str) -> SocketAddr {
    let candidate = answer
        .lines()
        .filter_map(|line| line.strip_prefix("a=candidate:"))
        .map(|candidate| candidate.split(' ').collect::<Vec<_>>())
        .find(|fields| fields[4] == "127.0.0.1")
        .expect("a loop-back candidate");
    format!("{}:{}", candidate[4], candidate[5]).parse().expect("an address")
}

/// An RTP packet as it would begin if it were this participant's.
fn forged(ssrc: u32, sequence: u16) -> Vec<u8> {
    let mut packet = vec![0x80, 111];
    packet.extend(sequence.to_be_bytes());
    packet.extend([0; 4]);
    packet.extend(ssrc.to_be_bytes());
    packet.extend([0xab; 120]);
    packet
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forged_datagrams_from_another_address_are_not_forwarded() {
    let clinic = Clinic::opens().await;
    let practitioner = clinic.joins().await;
    let seat = clinic.seat();
    let patient = Peer::new(seat.participant, Publishing::default()).await.expect("a peer");
    let answer = clinic.answers(seat, patient.offer()).await;
    patient.accept(&answer).await.expect("an answer");
    practitioner.sees(|tally| tally.keyframes_from(seat.participant) > 0).await;

    let pairs = clinic.relay.stats().address_pairs;
    let stranger = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let ssrc = slots::declared_ssrcs(patient.offer())[0];
    for sequence in 0..200 {
        stranger.send_to(&forged(ssrc, sequence), media_address(&answer)).expect("sent");
    }
    let stats = clinic.counts(|stats| stats.dropped_unknown_address >= 100).await;
    assert_eq!(stats.dropped_unauthentic, 0, "they were dropped before anybody tried to open them: {stats:#?}");
    let so_far = practitioner.tally().packets_from(seat.participant, Video);
    let tally = practitioner.sees(|tally| tally.packets_from(seat.participant, Video) > so_far + 60).await;
    assert_eq!((tally.damaged(), tally.unexpected), (0, 0), "{tally:#?}");
    assert_eq!(tally.sources(Audio).len(), 1);
    assert!(clinic.relay.stats().address_pairs <= pairs, "the stranger is not remembered");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_without_message_integrity_opens_no_address() {
    let clinic = Clinic::opens().await;
    let seat = clinic.seat();
    let patient = Peer::new(seat.participant, Publishing::default()).await.expect("a peer");
    let answer = clinic.answers(seat, patient.offer()).await;
    let stranger = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    stranger.set_nonblocking(true).expect("a socket option");
    // A binding request (RFC 8489 §5) without any attribute.
    let mut check = vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
    check.extend([7; 12]);
    for _ in 0..50 {
        stranger.send_to(&check, media_address(&answer)).expect("sent");
    }
    let stats = clinic.counts(|stats| stats.dropped_unauthentic_checks + stats.dropped_malformed >= 25).await;
    assert_eq!(stats.address_pairs, 0);
    assert!(stranger.recv(&mut [0; 1500]).is_err(), "nothing is answered, so nothing can be amplified");
}
