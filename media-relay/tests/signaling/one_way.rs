//! Clients that only send or only receive, and what they say of their ICE.

use crate::support::{Signaling, relay, room, who};
use domain::{
    Redacted,
    media::Sdp,
    relay::{Connection, Epoch, IceSession, OneWay, RelayCommand, RelayMessage, RelayOutcome, RelayRefusal},
};

const CAMERA: &str = include_str!("../../src/sdp/samples/gstreamer.sdp");
const SCREEN: &str = include_str!("../../src/sdp/samples/aiortc.sdp");

async fn joins(node: &mut Signaling, participant: u128, way: OneWay, offer: &str) -> RelayOutcome {
    let (room, epoch, connection) = (room(1), Epoch(1), Connection(1));
    let offer = Sdp::new(offer.to_owned());
    node.asks(RelayCommand::JoinOneWay { room, epoch, participant: who(participant), connection, way, offer }).await
}

async fn says(node: &mut Signaling, participant: u128, session: Option<u64>, ufrag: Option<&str>) -> RelayOutcome {
    let (room, connection) = (room(1), Connection(1));
    let (session, ufrag) = (session.map(IceSession), ufrag.map(|ufrag| Redacted::new(ufrag.to_owned())));
    node.asks(RelayCommand::Ice { room, participant: who(participant), connection, session, ufrag }).await
}

fn code(outcome: RelayOutcome) -> RelayRefusal {
    let RelayOutcome::Refused { code, .. } = outcome else { panic!("not refused: {outcome:?}") };
    code
}

#[tokio::test]
async fn a_camera_is_shown_on_a_screen_and_neither_does_more() {
    let relay = relay().await;
    let mut node = Signaling::of(&relay).await;
    let RelayOutcome::Joined { answer } = joins(&mut node, 1, OneWay::Publish, CAMERA).await else { panic!("let in") };
    assert_eq!(answer.expose().matches("a=recvonly\r\n").count(), 2);
    assert!(!answer.expose().contains("a=ssrc:"), "nothing is sent to it");
    let RelayOutcome::Joined { answer } = joins(&mut node, 2, OneWay::Receive, SCREEN).await else { panic!("let in") };
    assert_eq!(answer.expose().matches("a=sendonly\r\n").count(), 2);
    let RelayMessage::Room { participants, slots, .. } = node.sees(2).await else { unreachable!() };
    assert!(slots.len() == 2 && slots.iter().all(|slot| (slot.subscriber, slot.source) == (who(2), who(1))));
    let on = |n: u128| participants.iter().find(|one| one.participant == who(n)).expect("is there").status;
    assert!(on(1).microphone && on(1).camera);
    assert!(!on(2).microphone && !on(2).camera);
    relay.shutdown().await;
}

#[tokio::test]
async fn an_offer_of_the_other_way_is_refused() {
    let relay = relay().await;
    let mut node = Signaling::of(&relay).await;
    assert_eq!(code(joins(&mut node, 1, OneWay::Receive, CAMERA).await), RelayRefusal::BadOffer);
    assert_eq!(code(joins(&mut node, 1, OneWay::Publish, SCREEN).await), RelayRefusal::BadOffer);
    relay.shutdown().await;
}

#[tokio::test]
async fn candidates_change_nothing_and_other_credentials_restart_ice() {
    let relay = relay().await;
    let mut node = Signaling::of(&relay).await;
    let RelayOutcome::Joined { answer } = joins(&mut node, 1, OneWay::Publish, CAMERA).await else { panic!("let in") };
    let own = "JxwVytrpRgtBRvDjwfvabDiR+CbWfNa+";
    let first = RelayOutcome::Ice { session: IceSession::FIRST, fragment: None };
    assert_eq!(says(&mut node, 1, Some(1), None).await, first, "candidates");
    assert_eq!(says(&mut node, 1, Some(1), Some(own)).await, first, "candidates under its own name");
    assert_eq!(code(says(&mut node, 1, Some(1), Some("another")).await), RelayRefusal::WrongIce);

    let restarted = says(&mut node, 1, None, Some("another")).await;
    let RelayOutcome::Ice { session: IceSession(2), fragment: Some(fragment) } = restarted else {
        panic!("not restarted: {restarted:?}");
    };
    let line = |sdp: &Sdp, key: &str| sdp.expose().lines().find(|line| line.starts_with(key)).expect(key).to_owned();
    for key in ["a=ice-ufrag:", "a=ice-pwd:"] {
        assert_ne!(line(&answer, key), line(&fragment, key));
    }
    assert_eq!(line(&answer, "a=candidate:"), line(&fragment, "a=candidate:"));
    assert_eq!(line(&fragment, "a=mid:"), "a=mid:video0");

    assert_eq!(code(says(&mut node, 1, Some(1), None).await), RelayRefusal::WrongIce, "the first session is past");
    let second = RelayOutcome::Ice { session: IceSession(2), fragment: None };
    assert_eq!(says(&mut node, 1, Some(2), Some("another")).await, second);
    relay.shutdown().await;
}

#[tokio::test]
async fn who_is_not_in_the_room_has_no_ice() {
    let relay = relay().await;
    let mut node = Signaling::of(&relay).await;
    assert_eq!(code(says(&mut node, 1, None, None).await), RelayRefusal::NoSuchRoom);
    joins(&mut node, 1, OneWay::Publish, CAMERA).await;
    assert_eq!(code(says(&mut node, 2, None, None).await), RelayRefusal::NoSuchRoom);
    relay.shutdown().await;
}
