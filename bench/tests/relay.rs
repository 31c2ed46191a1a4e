//! The generator against our relay, for some seconds at a small load: what is sent arrives, once, in order, where it belongs.
//!
//! Nothing is timed. Whoever measures with this generator must be able to trust its counts.

use bedside_bench::relay::{
    crowd::Crowd,
    generator::Generator,
    path::{Conditions, Impairer, Profile, loss::Loss},
    peer::{PeerFactory, keys::Suite},
    scenario::Scenario,
    target::{Limits, Server},
    targets::bedside::running,
};
use media_relay::{Relay, RelayConfig, RelayHandle};
use service::random::SystemRandom;
use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::Duration,
};

const KEY: &str = "a-key-for-as-long-as-it-is-tested";
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// Rooms at a time, so that a packet can come into a wrong one.
const ROOMS: usize = 2;
/// How long anything may take before the test gives up; it is not waited for.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_who_see_and_hear_each_other_lose_nothing() {
    nothing_is_lost(Scenario::S1, Suite::Gcm, 4_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interpreter_who_is_only_heard_loses_nothing() {
    nothing_is_lost(Scenario::S3, Suite::Gcm, 6_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_who_know_only_the_older_protection_lose_nothing() {
    nothing_is_lost(Scenario::S4, Suite::Cm, 600).await;
}

/// Both ways lose one packet of fifty for a while. All of the pictures come in the end; nobody agreed on retransmission of sound.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_path_loses_of_pictures_is_sent_again_and_arrives() {
    let (relay, server) = relay().await;
    let generator = Generator::start(7).expect("a thread");
    let clear = Profile::long(Duration::from_millis(10));
    let path = Arc::new(Impairer::start(HERE, 7, Conditions::both(clear)).expect("a thread"));
    let peers = PeerFactory::new(HERE, 7, Suite::Gcm).expect("a certificate").through(Some(Arc::clone(&path)));
    let room = Scenario::S6.room(Limits::NONE);
    let mut crowd = Crowd::new(server.as_ref(), &peers, &generator, &room);
    crowd.grow_to(ROOMS, Duration::ZERO).await.expect("everybody joins past it");
    crowd.settled().await.expect("everybody receives everything");

    generator.begin(u32::MAX).await.expect("the generator runs");
    let before = generator.progress().received;
    // Each track has begun to be counted before anything is missing.
    generator.until(|now| now.received >= before + 500, PATIENCE).await.expect("packets come");
    path.set(Conditions::both(Profile { loss: Loss::Independent(0.02), ..clear }));
    generator.until(|now| now.received >= before + 5_000, PATIENCE).await.expect("packets come");
    let happened = path.report().await.expect("the path is there");
    path.set(Conditions::both(clear));
    let behind = before + 5_500;
    generator.until(|now| now.received >= behind && now.missing == 0, PATIENCE).await.expect("what is missing comes");

    let tally = generator.report().await.expect("the generator runs");
    assert!(happened.up.pictures.lost > 10 && happened.down.pictures.lost > 10, "{happened:?}");
    assert_eq!(tally.pictures.arrived, tally.pictures.expected, "{} lost packets were given up", tally.given_up);
    assert!(tally.sounds.arrived < tally.sounds.expected, "the path did lose");
    assert!(tally.asked >= 10 && tally.resent >= 10, "the relay asked {} times", tally.asked);
    assert!(tally.nacked >= 10 && tally.repaired >= 10, "receivers asked {} times", tally.nacked);
    assert_eq!((tally.wrong_room, tally.unreadable), (0, 0), "everything comes to whom it belongs, whole");
    drop(generator);
    server.stop().await;
    relay.shutdown().await;
}

async fn relay() -> (RelayHandle, Box<dyn Server>) {
    let config = RelayConfig { shards: 1, media_ip: HERE, ..RelayConfig::local(domain::Redacted::new(KEY.to_owned())) };
    let relay = Relay::start(config, Arc::new(SystemRandom)).await.expect("the relay starts");
    let server = running(relay.control_addr, KEY).await.expect("the relay is reached");
    (relay, server)
}

/// Runs `scenario` until so many packets have come, asks for key frames, and looks at what was counted.
async fn nothing_is_lost(scenario: Scenario, suite: Suite, packets: u64) {
    let (relay, server) = relay().await;
    let generator = Generator::start(7).expect("a thread");
    let peers = PeerFactory::new(HERE, 7, suite).expect("a certificate");
    let room = scenario.room(Limits::NONE);
    let mut crowd = Crowd::new(server.as_ref(), &peers, &generator, &room);
    crowd.grow_to(ROOMS, Duration::ZERO).await.expect("everybody joins");
    crowd.settled().await.expect("everybody receives everything");

    generator.begin(u32::MAX).await.expect("the generator runs");
    let before = generator.progress().received;
    generator.until(|now| now.received >= before + packets / 2, PATIENCE).await.expect("packets come");
    let pictures = room.seats.iter().map(|seat| seat.receives.video).sum::<usize>() * ROOMS;
    let asked = generator.request_keyframes().await.expect("the generator runs");
    assert_eq!(asked, pictures, "everybody sees whom they should");
    generator.until(|now| now.keyframes_owed == 0, PATIENCE).await.expect("a key frame comes after it was asked for");
    generator.until(|now| now.received >= before + packets, PATIENCE).await.expect("packets come");

    let tally = generator.report().await.expect("the generator runs");
    assert!(tally.expected() > packets / 2, "{} were to come", tally.expected());
    let (nacked, repaired) = (tally.nacked, tally.repaired);
    assert_eq!(tally.arrived(), tally.expected(), "nothing is lost; {nacked} asked for, {repaired} repaired");
    assert_eq!((tally.reordered, tally.duplicates), (0, 0), "everything comes once and in order");
    assert_eq!((tally.wrong_room, tally.unreadable), (0, 0), "everything comes to whom it belongs, whole");
    assert_eq!((tally.silent_tracks, tally.send_failures), (0, 0));
    let senders = room.seats.iter().filter(|seat| seat.receives.video > 0).count();
    assert!(pictures == 0 || (tally.keyframe_requests > 0 && tally.keyframes > 0), "{senders} publish");
    let entries = generator.entries().await.expect("the generator runs");
    assert!(entries.iter().all(|entry| entry.suite == Some(suite.name()) && entry.ended.is_none()), "{entries:?}");

    drop(generator);
    server.stop().await;
    relay.shutdown().await;
}
