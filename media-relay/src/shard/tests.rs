//! A whole shard without its threads: browsers check and seal as real ones do, and time is an argument.

mod allocations;
mod browser;

use super::{
    Command, PeerKey, SOCKET, Source, WAKE, handshakes,
    socket::ShardSocket,
    worker::{Parts, Worker},
};
use crate::transport::dtls::Identity;
use browser::{AUDIO_SSRC, Browser, VIDEO_SSRC, vp8};
use domain::media::MediaKind;
use mio::{Poll, Waker};
use rtc_rtcp::{
    payload_feedbacks::picture_loss_indication::PictureLossIndication,
    transport_feedbacks::{
        transport_layer_cc::TransportLayerCc,
        transport_layer_nack::{NackPair, TransportLayerNack},
    },
};
use std::{
    net::{IpAddr, Ipv4Addr},
    sync::{Arc, mpsc::sync_channel},
    time::{Duration, Instant},
};

/// A shard whose thread is the test.
struct TestShard {
    worker: Worker,
    browsers: Vec<Browser>,
    now: Instant,
    events: tokio::sync::mpsc::Receiver<super::Event>,
}

impl TestShard {
    /// A shard on which `count` connected browsers show each other.
    fn with_browsers(count: u16) -> Self {
        let identity = Identity::generate().unwrap();
        let poll = Poll::new().unwrap();
        let waker = Arc::new(Waker::new(poll.registry(), WAKE).unwrap());
        let socket = ShardSocket::bind(IpAddr::V4(Ipv4Addr::LOCALHOST), 0, poll.registry(), SOCKET).unwrap();
        let (queue, commands) = sync_channel(64);
        let sender = super::CommandSender { queue, waker };
        let (handshakes, _) = handshakes::start(0, identity.clone(), sender).unwrap();
        let (events, event_queue) = tokio::sync::mpsc::channel(256);
        let (crypto, stats) = (identity.crypto(), Arc::default());
        let worker = Worker::new(Parts { shard: 0, poll, socket, commands, events, handshakes, crypto, stats });
        let mut shard = Self { worker, browsers: Vec::new(), now: Instant::now(), events: event_queue };
        (0..count).for_each(|index| shard.connect(index));
        shard.wait(Duration::from_millis(100));
        for subscriber in 0..count {
            let others = (0..count).filter(|other| *other != subscriber);
            others.enumerate().for_each(|(seat, other)| shard.show(subscriber, seat, other));
        }
        shard
    }

    fn connect(&mut self, index: u16) {
        self.connect_as(Browser::new(index));
    }

    fn connect_as(&mut self, browser: Browser) {
        self.worker.handle_command(Command::Add(Box::new(browser.transport(self.now))), self.now);
        let check = browser.check(true);
        self.worker.handle_datagram(browser.pair, &mut check.clone(), self.now);
        self.worker.handle_command(Command::Open(browser.key, Box::new(browser.relay_keys())), self.now);
        self.browsers.push(browser);
        self.deliver();
    }

    /// Shows the sound and the picture of `source` in one seat of `subscriber`.
    fn show(&mut self, subscriber: u16, seat: usize, source: u16) {
        for (publication, kind) in [MediaKind::Audio, MediaKind::Video].into_iter().enumerate() {
            let subscription = self.browsers[usize::from(subscriber)].slot(kind, seat);
            let peer = self.browsers[usize::from(source)].key;
            let (subscriber, source) = (self.browsers[usize::from(subscriber)].key, Some(Source { peer, publication }));
            self.worker.handle_command(Command::Route { subscriber, subscription, source }, self.now);
        }
    }

    /// Time passes, tick by tick.
    fn wait(&mut self, duration: Duration) {
        let end = self.now + duration;
        while self.now < end {
            self.now += super::timers::TICK;
            self.worker.tick(self.now);
            self.deliver();
        }
    }

    /// A browser's datagram arrives.
    fn arrives(&mut self, from: usize, mut datagram: Vec<u8>) {
        let pair = self.browsers[from].pair;
        self.worker.handle_datagram(pair, &mut datagram, self.now);
        self.deliver();
    }

    /// A browser sends the next packet of its camera.
    fn sends_video(&mut self, from: usize, payload: &[u8]) {
        let packet = self.browsers[from].seals(VIDEO_SSRC, 96, payload);
        self.arrives(from, packet);
    }

    /// What the shard sent goes to the browsers.
    fn deliver(&mut self) {
        for (pair, datagram) in self.worker.egress.take() {
            if let Some(browser) = self.browsers.iter_mut().find(|browser| browser.pair == pair) {
                browser.receives(datagram);
            }
        }
    }

    fn dropped(&self) -> (u64, u64, u64) {
        let mut stats = crate::RelayStats::default();
        self.worker.parts.stats.add_to(&mut stats);
        (stats.dropped_unknown_address, stats.dropped_unknown_ssrc, stats.dropped_unauthentic)
    }
}

#[test]
fn sound_and_picture_arrive_in_order_in_the_receivers_own_numbering() {
    let mut shard = TestShard::with_browsers(2);
    for n in 0..10_u8 {
        shard.sends_video(0, &vp8(n == 0, n));
        let sound = shard.browsers[0].seals(AUDIO_SSRC, 111, &[0xfc, n]);
        shard.arrives(0, sound);
    }
    let pictures = shard.browsers[1].media(MediaKind::Video, 0);
    assert_eq!(
        pictures.iter().map(|p| p.payload.clone()).collect::<Vec<_>>(),
        (0..10).map(|n| vp8(n == 0, n)).collect::<Vec<_>>()
    );
    assert!(pictures.iter().all(|packet| packet.payload_type == 120), "Firefox's number for VP8");
    assert!(pictures.windows(2).all(|pair| pair[1].sequence == pair[0].sequence.wrapping_add(1)));
    assert_eq!(shard.browsers[1].media(MediaKind::Audio, 0).len(), 10);
    assert!(shard.browsers[0].received.is_empty(), "nobody hears themselves");
}

#[test]
fn a_receiver_gets_nothing_before_the_hold_after_its_handshake_and_then_a_keyframe_is_asked_for() {
    let mut shard = TestShard::with_browsers(1);
    shard.connect(1);
    shard.show(1, 0, 0);
    shard.sends_video(0, &vp8(true, 0));
    assert!(shard.browsers[1].received.is_empty());
    assert_eq!(shard.browsers[0].rtcp::<PictureLossIndication>().len(), 0, "not before it can be used");
    shard.wait(Duration::from_millis(90));
    assert_eq!(shard.browsers[0].rtcp::<PictureLossIndication>().len(), 1);
    shard.sends_video(0, &vp8(false, 1));
    assert!(shard.browsers[1].received.is_empty(), "not in the middle of a picture");
    shard.wait(Duration::from_millis(800));
    assert_eq!(shard.browsers[0].rtcp::<PictureLossIndication>().len(), 3, "repeated until one has passed");
    shard.sends_video(0, &vp8(true, 2));
    shard.wait(Duration::from_millis(800));
    assert_eq!(shard.browsers[0].rtcp::<PictureLossIndication>().len(), 3);
    assert_eq!(shard.browsers[1].media(MediaKind::Video, 0).len(), 1);
}

#[test]
fn a_storm_of_picture_losses_asks_the_publisher_at_most_three_times_a_second() {
    let mut shard = TestShard::with_browsers(2);
    shard.sends_video(0, &vp8(true, 0));
    shard.browsers[0].forget();
    let media_ssrc = shard.browsers[1].slot_ssrc(MediaKind::Video, 0);
    for _ in 0..100 {
        for _ in 0..10 {
            let loss = shard.browsers[1].says(&PictureLossIndication { sender_ssrc: 1, media_ssrc });
            shard.arrives(1, loss);
        }
        shard.wait(Duration::from_millis(10));
    }
    let asked = shard.browsers[0].rtcp::<PictureLossIndication>().len();
    assert!((1..=3).contains(&asked), "{asked}");
}

#[test]
fn a_packet_the_receiver_misses_is_sent_again_as_a_retransmission() {
    let mut shard = TestShard::with_browsers(2);
    (0..5).for_each(|n| shard.sends_video(0, &vp8(n == 0, n)));
    let lost = shard.browsers[1].media(MediaKind::Video, 0)[2].clone();
    let media_ssrc = shard.browsers[1].slot_ssrc(MediaKind::Video, 0);
    let nacks = vec![NackPair { packet_id: lost.sequence, lost_packets: 0 }];
    for _ in 0..10 {
        let nack = shard.browsers[1].says(&TransportLayerNack { sender_ssrc: 1, media_ssrc, nacks: nacks.clone() });
        shard.arrives(1, nack);
    }
    let again = shard.browsers[1].retransmissions(0);
    assert_eq!(again.len(), 1, "a request that is repeated at once is answered once");
    assert_eq!(again[0].payload_type, 124);
    assert_eq!(again[0].timestamp, lost.timestamp);
    assert_eq!(again[0].payload, [&lost.sequence.to_be_bytes()[..], &lost.payload].concat());
}

#[test]
fn a_packet_the_relay_misses_is_asked_for_and_passed_on_when_it_comes() {
    let mut shard = TestShard::with_browsers(2);
    shard.sends_video(0, &vp8(true, 0));
    let lost = shard.browsers[0].seals(VIDEO_SSRC, 96, &vp8(false, 1));
    shard.sends_video(0, &vp8(false, 2));
    shard.wait(Duration::from_millis(20));
    let nacks = shard.browsers[0].rtcp::<TransportLayerNack>();
    let missing: Vec<u16> = nacks.iter().flat_map(|nack| nack.nacks.iter().flat_map(|pair| *pair)).collect();
    assert_eq!(missing, [u16::from_be_bytes([lost[2], lost[3]])]);
    let again = shard.browsers[0].seals_retransmission(missing[0], &vp8(false, 1));
    shard.arrives(0, again);
    shard.arrives(0, lost);
    let order: Vec<u8> = shard.browsers[1].media(MediaKind::Video, 0).iter().map(|p| p.payload[2]).collect();
    assert_eq!(order, [0, 2, 1], "and not twice");
    shard.browsers[0].forget();
    shard.wait(Duration::from_millis(500));
    assert!(shard.browsers[0].rtcp::<TransportLayerNack>().is_empty());
}

#[test]
fn publishers_are_told_what_arrived_when() {
    let mut shard = TestShard::with_browsers(2);
    for n in 0..20 {
        shard.sends_video(0, &vp8(n == 0, n));
        shard.wait(Duration::from_millis(10));
    }
    shard.wait(Duration::from_millis(70));
    let reported: u16 = shard.browsers[0].rtcp::<TransportLayerCc>().iter().map(|cc| cc.packet_status_count).sum();
    assert_eq!(reported, 20);
    assert!(shard.browsers[1].rtcp::<TransportLayerCc>().is_empty(), "who sends nothing is told nothing");
}

#[test]
fn media_from_another_address_is_not_looked_at() {
    let mut shard = TestShard::with_browsers(2);
    let mut packet = shard.browsers[0].seals(VIDEO_SSRC, 96, &vp8(true, 0));
    let elsewhere = Browser::new(77).pair;
    shard.worker.handle_datagram(elsewhere, &mut packet, shard.now);
    shard.worker.handle_datagram(elsewhere, &mut [22, 254, 253, 0, 0], shard.now);
    shard.deliver();
    assert_eq!(shard.dropped(), (2, 0, 0));
    assert!(shard.browsers[1].received.is_empty());
}

#[test]
fn a_million_forged_ssrcs_and_a_replayed_packet_leave_nothing_behind() {
    let mut shard = TestShard::with_browsers(2);
    let packet = shard.browsers[0].seals(VIDEO_SSRC, 96, &vp8(true, 0));
    shard.arrives(0, packet.clone());
    let streams = shard.worker.peer(shard.browsers[0].key).unwrap().streams.len();
    for ssrc in 1..=1_000_000_u32 {
        let mut forged = packet.clone();
        forged[8..12].copy_from_slice(&(ssrc << 8).to_be_bytes());
        shard.worker.handle_datagram(shard.browsers[0].pair, &mut forged, shard.now);
    }
    shard.arrives(0, packet);
    assert_eq!(shard.dropped(), (0, 1_000_000, 1));
    assert_eq!(shard.worker.peer(shard.browsers[0].key).unwrap().streams.len(), streams);
    assert_eq!(shard.browsers[1].media(MediaKind::Video, 0).len(), 1);
}

#[test]
fn an_unauthentic_packet_moves_no_window() {
    let mut shard = TestShard::with_browsers(2);
    shard.sends_video(0, &vp8(true, 0));
    let mut forged = shard.browsers[0].seals(VIDEO_SSRC, 96, &vp8(false, 1));
    let sequence = u16::from_be_bytes([forged[2], forged[3]]).wrapping_add(20_000);
    forged[2..4].copy_from_slice(&sequence.to_be_bytes());
    shard.arrives(0, forged);
    shard.sends_video(0, &vp8(false, 2));
    assert_eq!(shard.browsers[1].media(MediaKind::Video, 0).len(), 2);
}

#[test]
fn a_nominated_address_takes_the_media_over() {
    let mut shard = TestShard::with_browsers(2);
    shard.sends_video(0, &vp8(true, 0));
    let mut moved = Browser::new(1);
    moved.pair = Browser::new(200).pair;
    let mut check = moved.check(true);
    shard.worker.handle_datagram(moved.pair, &mut check, shard.now);
    shard.worker.egress.take();
    let mut packet = shard.browsers[0].seals(VIDEO_SSRC, 96, &vp8(false, 1));
    shard.worker.handle_datagram(shard.browsers[0].pair, &mut packet, shard.now);
    let sent: Vec<_> = shard.worker.egress.take().into_iter().map(|(pair, _)| pair).collect();
    assert_eq!(sent, [moved.pair]);
}

#[test]
fn an_address_that_somebody_else_proves_is_no_longer_the_first_ones() {
    let mut shard = TestShard::with_browsers(3);
    shard.sends_video(0, &vp8(true, 0));
    // The third comes from the second's address, as when a router gives a port to somebody else.
    let pair = shard.browsers[1].pair;
    let mut check = shard.browsers[2].check(true);
    shard.worker.handle_datagram(pair, &mut check, shard.now);
    shard.worker.egress.take();
    let mut packet = shard.browsers[0].seals(VIDEO_SSRC, 96, &vp8(false, 1));
    shard.worker.handle_datagram(shard.browsers[0].pair, &mut packet, shard.now);
    let sent: Vec<_> = shard.worker.egress.take().into_iter().map(|(pair, _)| pair).collect();
    assert_eq!(sent, [pair], "the third's picture, and nothing of the second's");
}

#[test]
fn without_consent_nothing_is_sent_and_with_it_again() {
    let mut shard = TestShard::with_browsers(2);
    shard.sends_video(0, &vp8(true, 0));
    shard.wait(Duration::from_secs(31));
    let check = shard.browsers[0].check(false);
    shard.arrives(0, check);
    shard.browsers[1].forget();
    shard.sends_video(0, &vp8(true, 1));
    assert!(shard.browsers[1].received.is_empty());
    let check = shard.browsers[1].check(false);
    shard.arrives(1, check);
    shard.sends_video(0, &vp8(true, 2));
    assert_eq!(shard.browsers[1].media(MediaKind::Video, 0).len(), 1);
}

#[test]
fn who_is_removed_leaves_no_link_and_no_address() {
    let mut shard = TestShard::with_browsers(3);
    let keys: Vec<PeerKey> = shard.browsers.iter().map(|browser| browser.key).collect();
    shard.worker.handle_command(Command::Remove(keys[0]), shard.now);
    assert!(shard.worker.peer(keys[0]).is_none());
    assert!(!shard.worker.by_pair.contains_key(&shard.browsers[0].pair));
    let left = shard.worker.peer(keys[1]).unwrap();
    assert!(left.links.iter().flatten().all(|link| link.peer == keys[2]));
    assert!(left.sources.iter().flatten().all(|source| source.peer == keys[2]));
    keys[1..].iter().for_each(|key| shard.worker.handle_command(Command::Remove(*key), shard.now));
    assert!(shard.worker.peers.is_empty() && shard.worker.by_pair.is_empty());
}

#[test]
fn who_comes_and_goes_leaves_no_memory_behind() {
    let mut shard = TestShard::with_browsers(0);
    let come_and_go = |shard: &mut TestShard| {
        (0..2).for_each(|index| shard.connect(index));
        shard.wait(Duration::from_millis(100));
        shard.show(0, 0, 1);
        shard.show(1, 0, 0);
        (0..50).for_each(|n| shard.sends_video(1, &vp8(n == 0, n)));
        for browser in shard.browsers.split_off(0) {
            shard.worker.handle_command(Command::Remove(browser.key), shard.now);
        }
        while shard.events.try_recv().is_ok() {}
    };
    (0..3).for_each(|_| come_and_go(&mut shard));
    let before = allocations::held();
    (0..50).for_each(|_| come_and_go(&mut shard));
    let left = allocations::held() - before;
    // The queue of events keeps a block of its own; a transport that stayed would be fifty times some hundred kilobytes.
    assert!(left < 4_096, "{left} bytes are left");
}

#[test]
fn a_switched_slot_goes_on_without_a_gap() {
    let mut shard = TestShard::with_browsers(3);
    (0..3).for_each(|n| shard.sends_video(0, &vp8(n == 0, n)));
    shard.show(2, 0, 1);
    shard.sends_video(0, &vp8(false, 3));
    shard.wait(Duration::from_millis(40));
    (10..13).for_each(|n| shard.sends_video(1, &vp8(n == 10, n)));
    let shown = shard.browsers[2].media(MediaKind::Video, 0);
    assert_eq!(shown.iter().map(|packet| packet.payload[2]).collect::<Vec<_>>(), [0, 1, 2, 10, 11, 12]);
    assert!(shown.windows(2).all(|pair| pair[1].sequence == pair[0].sequence.wrapping_add(1)));
    assert!(shown.windows(2).all(|pair| pair[1].timestamp.wrapping_sub(pair[0].timestamp) < 1 << 31));
}

#[test]
fn a_section_without_a_declared_ssrc_takes_the_first_stream_that_names_it_and_no_second() {
    let mut shard = TestShard::with_browsers(0);
    let mut publisher = Browser::new(0);
    publisher.declares_no_picture();
    shard.connect_as(publisher);
    shard.connect(1);
    shard.show(1, 0, 0);
    shard.wait(Duration::from_millis(100));
    let forged = {
        let mut packet = shard.browsers[0].seals_named(0xbad, 1, &vp8(true, 0));
        *packet.last_mut().unwrap() ^= 1;
        packet
    };
    shard.arrives(0, forged);
    for (ssrc, number) in [(0xaaa, 1), (0xbbb, 2), (0xaaa, 3)] {
        let packet = shard.browsers[0].seals_named(ssrc, number.into(), &vp8(number == 1, number));
        shard.arrives(0, packet);
    }
    let shown: Vec<u8> = shard.browsers[1].media(MediaKind::Video, 0).iter().map(|packet| packet.payload[2]).collect();
    assert_eq!(shown, [1, 3]);
    assert_eq!(shard.dropped(), (0, 1, 1));
}

#[test]
fn a_client_that_names_nothing_is_understood_by_its_payload_types_one_stream_each() {
    let mut shard = TestShard::with_browsers(0);
    let mut publisher = Browser::new(0);
    publisher.names_nothing();
    shard.connect_as(publisher);
    shard.connect(1);
    shard.show(1, 0, 0);
    shard.wait(Duration::from_millis(100));
    for (ssrc, payload_type) in [(0xaaa, 96), (0xbbb, 111), (0xccc, 96), (0xaaa, 96)] {
        let packet = shard.browsers[0].seals(ssrc, payload_type, &vp8(true, 7));
        shard.arrives(0, packet);
    }
    assert_eq!(shard.browsers[1].media(MediaKind::Video, 0).len(), 2);
    assert_eq!(shard.browsers[1].media(MediaKind::Audio, 0).len(), 1);
    assert_eq!(shard.dropped(), (0, 1, 0), "a second picture is nobody's");
}

#[test]
fn after_an_ice_restart_only_the_new_credentials_count_and_the_picture_goes_on() {
    let mut shard = TestShard::with_browsers(2);
    shard.sends_video(0, &vp8(true, 0));
    let old_check = shard.browsers[1].check(true);
    let key = shard.browsers[1].key;
    let credentials = shard.browsers[1].restarts_ice();
    shard.worker.handle_command(Command::RestartIce(key, credentials), shard.now);
    shard.sends_video(0, &vp8(false, 1));
    assert_eq!(shard.browsers[1].media(MediaKind::Video, 0).len(), 2, "over the pair in use");

    // The client is somewhere else now.
    let before = shard.browsers[1].pair;
    shard.browsers[1].pair.remote.set_port(41_001);
    shard.arrives(1, old_check);
    shard.sends_video(0, &vp8(false, 2));
    assert_eq!(shard.browsers[1].media(MediaKind::Video, 0).len(), 2, "the old credentials move nothing");
    let new_check = shard.browsers[1].check(true);
    shard.arrives(1, new_check);
    shard.sends_video(0, &vp8(false, 3));
    assert_eq!(shard.browsers[1].media(MediaKind::Video, 0).len(), 3);
    assert_ne!(shard.browsers[1].pair, before);
}

/// Bytes that look random and are the same in every run.
fn noise(seed: &mut u64, len: usize) -> Vec<u8> {
    let mut byte = || {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*seed >> 56) as u8
    };
    (0..len).map(|_| byte()).collect()
}

#[test]
fn whatever_an_admitted_participant_sends_harms_nobody() {
    let mut shard = TestShard::with_browsers(2);
    let mut seed = 1;
    for round in 0..40_000_usize {
        let len = 12 + usize::from(noise(&mut seed, 1)[0]) / 2;
        let mut bytes = noise(&mut seed, len);
        let datagram = if round.is_multiple_of(2) {
            // RTCP of the types that are read, about streams that exist.
            bytes[0] = 0x80 | bytes[0] & 0x3f;
            bytes[1] = [200, 201, 205, 206, 205][round / 2 % 5];
            bytes[2] = 0;
            bytes[3] %= 12;
            if round.is_multiple_of(4) {
                let ssrc = shard.browsers[0].slot_ssrc(MediaKind::Video, 0);
                bytes[8..12].copy_from_slice(&ssrc.to_be_bytes());
            }
            Some(shard.browsers[0].says_bytes(bytes))
        } else {
            bytes[0] = 0x80 | bytes[0] & 0x3f;
            bytes[1] = [96, 97, 111, 98][round / 2 % 4];
            bytes[2..4].copy_from_slice(&(round as u16).to_be_bytes());
            let ssrc = [VIDEO_SSRC, VIDEO_SSRC + 1, AUDIO_SSRC][round / 2 % 3];
            bytes[8..12].copy_from_slice(&ssrc.to_be_bytes());
            shard.browsers[0].seals_bytes(bytes)
        };
        if let Some(datagram) = datagram {
            shard.arrives(0, datagram);
        }
        if round.is_multiple_of(64) {
            shard.wait(super::timers::TICK);
        }
    }
    shard.browsers[0].forget();
    (0..3).for_each(|n| {
        let packet = shard.browsers[1].seals(VIDEO_SSRC, 96, &vp8(n == 0, n));
        shard.arrives(1, packet);
    });
    assert_eq!(shard.browsers[0].media(MediaKind::Video, 0).len(), 3, "and media flows");
}

#[test]
fn the_packet_path_allocates_nothing() {
    let mut shard = TestShard::with_browsers(3);
    let flow = |shard: &mut TestShard, n: u16| {
        let mut payload = vp8(n == 0, n as u8);
        payload.resize(1_000, 7);
        let mut picture = shard.browsers[0].seals(VIDEO_SSRC, 96, &payload);
        let mut sound = shard.browsers[0].seals(AUDIO_SSRC, 111, &[0xfc; 80]);
        let pair = shard.browsers[0].pair;
        let allocated = allocations::during(|| {
            shard.worker.handle_datagram(pair, &mut picture, shard.now);
            shard.worker.handle_datagram(pair, &mut sound, shard.now);
            shard.worker.flush();
        });
        shard.now += Duration::from_millis(1);
        allocated
    };
    assert!((0..20).map(|n| flow(&mut shard, n)).sum::<u64>() > 0, "the first packets set memory aside");
    let allocated: u64 = (20..1_020).map(|n| flow(&mut shard, n)).sum();
    assert_eq!(allocated, 0);
    let mut stats = crate::RelayStats::default();
    shard.worker.parts.stats.add_to(&mut stats);
    assert_eq!((stats.packets_in, stats.packets_out), (2_040, 4_080));
}
