//! What signaling sees of a relay: who may speak with it, what is answered, and what is told of a room.

use crate::support::{KEY, Signaling, connect, relay, relay_with, room, who};
use domain::{
    media::Sdp,
    relay::{Connection, Epoch, RelayCommand, RelayMessage, RelayOutcome, RelayRefusal, SUBPROTOCOL},
};
use std::net::UdpSocket;
use tokio_tungstenite::tungstenite::{Error, http::StatusCode};

fn refusal(outcome: RelayOutcome) -> RelayRefusal {
    match outcome {
        RelayOutcome::Refused { code, .. } => code,
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn without_the_key_or_the_protocol_nobody_controls_a_relay() {
    let relay = relay().await;
    for (key, protocol, status) in [
        ("", SUBPROTOCOL, StatusCode::UNAUTHORIZED),
        ("a key of more than sixteen bytez", SUBPROTOCOL, StatusCode::UNAUTHORIZED),
        (KEY, "bedside-relay.v0", StatusCode::BAD_REQUEST),
    ] {
        match connect(&relay, key, protocol).await {
            Err(Error::Http(response)) => assert_eq!(response.status(), status),
            Err(other) => panic!("{other}"),
            Ok(_) => panic!("let in with {key:?} and {protocol:?}"),
        }
    }
    relay.shutdown().await;
}

#[tokio::test]
async fn two_people_are_in_each_others_slots_and_every_node_that_watches_is_told() {
    let relay = relay().await;
    let (mut one, mut other) = (Signaling::of(&relay).await, Signaling::of(&relay).await);
    let RelayOutcome::Joined { answer } = one.joins(room(1), 1, 1, 1).await else { panic!("to be let in") };
    assert!(answer.expose().contains("a=ice-lite"));
    assert!(matches!(other.joins(room(1), 2, 1, 1).await, RelayOutcome::Joined { .. }));
    for node in [&mut one, &mut other] {
        let RelayMessage::Room { participants, slots, .. } = node.sees(2).await else { unreachable!() };
        assert!(participants.iter().all(|participant| !participant.connected));
        assert_eq!(slots.len(), 4, "sound and picture for each");
        assert!(slots.iter().all(|slot| slot.subscriber != slot.source));
    }
    let stats = relay.stats();
    assert_eq!((stats.rooms, stats.participants), (1, 2));
    relay.shutdown().await;
}

#[tokio::test]
async fn an_older_placement_or_connection_is_refused_and_a_newer_one_replaces() {
    let relay = relay().await;
    let mut node = Signaling::of(&relay).await;
    assert!(matches!(node.joins(room(1), 1, 5, 3).await, RelayOutcome::Joined { .. }));
    assert_eq!(refusal(node.joins(room(1), 2, 4, 1).await), RelayRefusal::Stale);
    assert_eq!(refusal(node.joins(room(1), 1, 5, 2).await), RelayRefusal::Stale);
    assert!(matches!(node.joins(room(1), 1, 5, 4).await, RelayOutcome::Joined { .. }));
    assert_eq!(relay.stats().participants, 1);
    node.asks(RelayCommand::End { room: room(1) }).await;
    assert_eq!(refusal(node.joins(room(1), 1, 4, 9).await), RelayRefusal::Stale, "the relay remembers the placement");
    relay.shutdown().await;
}

#[tokio::test]
async fn what_cannot_be_done_is_refused_with_its_reason() {
    let relay = relay_with(|config| config.max_participants = 6).await;
    let mut node = Signaling::of(&relay).await;
    for participant in 1..=5 {
        assert!(matches!(node.joins(room(1), participant, 1, 1).await, RelayOutcome::Joined { .. }));
    }
    assert_eq!(refusal(node.joins(room(1), 6, 1, 1).await), RelayRefusal::RoomFull);
    assert!(matches!(node.joins(room(2), 6, 1, 1).await, RelayOutcome::Joined { .. }));
    assert_eq!(refusal(node.joins(room(2), 7, 1, 1).await), RelayRefusal::RelayFull);
    assert_eq!(refusal(node.asks(RelayCommand::Watch { room: room(9) }).await), RelayRefusal::NoSuchRoom);
    let bad = RelayCommand::Join {
        room: room(3),
        epoch: Epoch(1),
        participant: who(9),
        connection: Connection(1),
        offer: Sdp::new("v=0".to_owned()),
    };
    assert_eq!(refusal(node.asks(bad).await), RelayRefusal::BadOffer);
    relay.drain();
    node.asks(RelayCommand::End { room: room(1) }).await;
    assert_eq!(refusal(node.joins(room(4), 1, 1, 1).await), RelayRefusal::RelayFull, "it takes no new rooms");
    relay.shutdown().await;
}

#[tokio::test]
async fn who_leaves_and_what_ends_leaves_nothing_behind() {
    let relay = relay().await;
    let mut node = Signaling::of(&relay).await;
    for participant in 1..=3 {
        node.joins(room(1), participant, 1, 1).await;
    }
    let leave = |participant, connection| RelayCommand::Leave {
        room: room(1),
        participant: who(participant),
        connection: Connection(connection),
    };
    node.asks(leave(1, 0)).await;
    assert_eq!(relay.stats().participants, 3, "a connection that was replaced is not touched");
    node.asks(leave(1, 1)).await;
    node.sees(2).await;
    node.asks(RelayCommand::End { room: room(1) }).await;
    while node.hears().await != (RelayMessage::RoomGone { room: room(1) }) {}
    // The threads follow within a tick or two; a join and an end on each shard come after what they still have to do.
    let stats = loop {
        let stats = relay.stats();
        if stats.transports == 0 {
            break stats;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!((stats.rooms, stats.participants, stats.address_pairs), (0, 0, 0));
    relay.shutdown().await;
}

#[tokio::test]
async fn who_is_not_known_gets_not_one_byte() {
    let relay = relay_with(|config| config.shards = 1).await;
    let mut node = Signaling::of(&relay).await;
    let RelayOutcome::Joined { answer } = node.joins(room(1), 1, 1, 1).await else { panic!("to be let in") };
    let ufrag = answer.expose().lines().find_map(|line| line.strip_prefix("a=ice-ufrag:")).expect("a ufrag").to_owned();
    let stranger = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let port = relay.media_addrs[0].port();
    let mut check = vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
    let mut with_known_name = check.clone();
    let name = format!("{ufrag}:abc");
    with_known_name.extend_from_slice(&[0, 6, 0, name.len() as u8]);
    with_known_name.extend_from_slice(name.as_bytes());
    with_known_name.resize(with_known_name.len().next_multiple_of(4), 0);
    with_known_name[3] = (with_known_name.len() - 20) as u8;
    check[1] = 3;
    let hello = [22, 254, 255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0];
    let media = [0x80, 96, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 9, 9, 9, 9];
    let sent: [&[u8]; 6] = [&check, &with_known_name, &hello, &media, &[0; 1_400], &[]];
    for datagram in sent {
        stranger.send_to(datagram, ("127.0.0.1", port)).expect("sent");
    }
    // They were looked at in this order, and none was answered before.
    while relay.stats().dropped_unknown_address < 2 || relay.stats().dropped_unauthentic_checks < 3 {
        tokio::task::yield_now().await;
    }
    stranger.set_nonblocking(true).expect("a socket");
    assert!(stranger.recv(&mut [0; 2_000]).is_err(), "nothing came back");
    assert_eq!(relay.stats().address_pairs, 0);
    relay.shutdown().await;
}
