//! Whoever is not admitted gets no packet and gives none.

use crate::support::{PATIENCE, clinic::Clinic};
use domain::{ParticipantId, Random as _, Redacted, media::MediaKind};
use participant::{Participant, Publishing};
use service::random::SystemRandom;
use tokio::net::UdpSocket;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_patient_who_waits_gets_no_way_in() {
    let clinic = Clinic::start().await;
    let visit = clinic.visit();
    let waiting = clinic.somebody();
    waiting.arrives(&clinic.link_of(visit)).await;
    let consultation = format!("/consultation/{}", visit.appointment);
    assert!(waiting.asks_to_enter(&consultation).await.is_err());
    assert_eq!(clinic.relay.stats().participants, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_gets_no_packet_of_a_running_visit_and_gives_none() {
    let clinic = Clinic::start().await;
    let visit = clinic.visit();
    let (patient, practitioner) = (clinic.somebody(), clinic.practitioner_of(visit).await);
    let meeting = patient.meets(&practitioner, &clinic.link_of(visit), visit).await;
    let way_in = practitioner.asks_to_enter(&meeting.practitioners_page).await.expect("the visit is theirs");
    let doctor = practitioner.enters(&meeting.practitioners_page).await;
    let guest = patient.enters(&meeting.patients_page).await;
    doctor.until(|tally| tally.sources(MediaKind::Video).contains(&guest.mark()), PATIENCE).await.expect("seen");

    // Another patient waits meanwhile. They ask, they make a token up, they change a letter of a real one.
    let other = clinic.visits_of_first_clinic().find(|other| other.patient != visit.patient).expect("another visit");
    let stranger = clinic.somebody();
    stranger.arrives(&clinic.link_of(other)).await;
    for page in [&meeting.patients_page, &meeting.practitioners_page, &format!("/consultation/{}", other.appointment)] {
        assert!(stranger.asks_to_enter(page).await.is_err(), "{page}");
    }
    let real = way_in.token.expose();
    let other = if real.as_bytes()[real.len() - 6] == b'A' { 'B' } else { 'A' };
    let changed = format!("{}{other}{}", &real[..real.len() - 6], &real[real.len() - 5..]);
    for token in [changed, "a.b.c".to_owned(), String::new()] {
        let (url, origin, token) = (clinic.signaling_url(), clinic.url(), Redacted::new(token));
        let mark = ParticipantId(SystemRandom.uuid());
        let entered = Participant::connect(&url, &origin, &token, mark, Publishing::default());
        assert!(entered.await.is_err());
    }

    // They find the media port and speak RTP and STUN to it. Nothing comes back, nothing is taken.
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
    let port = clinic.relay.media_addrs[0].port();
    let mut rtp = [0x80_u8; 200];
    rtp[1] = 96;
    let stun = [0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
    for datagram in [&rtp[..], &stun[..]].iter().cycle().take(200) {
        socket.send_to(datagram, ("127.0.0.1", port)).await.expect("sent");
    }
    let before = doctor.tally().packets();
    doctor.until(|tally| tally.packets() > before + 50, PATIENCE).await.expect("the visit goes on");
    let mut answer = [0; 1500];
    assert!(socket.try_recv(&mut answer).is_err(), "the relay answers nobody it does not know");
    let heard_from = doctor.tally().sources(MediaKind::Video);
    assert_eq!(heard_from.into_iter().collect::<Vec<_>>(), [guest.mark()]);
    assert_eq!(clinic.relay.stats().participants, 2);
}
