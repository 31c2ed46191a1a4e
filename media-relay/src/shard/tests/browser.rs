//! A browser without a network: seals what it sends, opens what it gets.

use crate::{
    media::{publication::Publication, rtp::Header, subscription::Subscription},
    sdp::{Offer, SlotSsrcs, parse_offer, samples},
    shard::{NewPeer, Peer, PeerKey},
    transport::{
        pairs::Pair,
        srtp::{self, KEYING_MATERIAL_BYTES, Opener, ReplayWindow, Sealer, tests::client},
        stun::{Credentials, tests::request},
    },
};
use domain::media::MediaKind;
use rtc_rtcp::packet::Packet as RtcpPacket;
use rtc_shared::marshal::Marshal;
use std::{
    collections::{HashMap, HashSet},
    net::SocketAddr,
    time::Instant,
};

/// The streams that both sample offers declare here.
pub(super) const AUDIO_SSRC: u32 = 1_001;
pub(super) const VIDEO_SSRC: u32 = 1_002;
const RTX_SSRC: u32 = 1_003;

/// A VP8 payload with a number in it.
pub(super) fn vp8(is_key: bool, number: u8) -> Vec<u8> {
    vec![0x10, u8::from(!is_key), number]
}

/// A media packet as the browser got it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Received {
    pub ssrc: u32,
    pub payload_type: u8,
    pub sequence: u16,
    pub timestamp: u32,
    pub payload: Vec<u8>,
}

/// A browser, the even ones Chromium, the odd ones Firefox.
pub(super) struct Browser {
    pub key: PeerKey,
    pub pair: Pair,
    pub received: Vec<Received>,
    credentials: Credentials,
    offer: Offer,
    material: [u8; KEYING_MATERIAL_BYTES],
    opener: Opener,
    sealer: Sealer,
    windows: HashMap<u32, ReplayWindow>,
    seen: HashSet<(u32, u64)>,
    rtcp: Vec<Box<dyn RtcpPacket>>,
    sequences: HashMap<u32, u64>,
    transport_sequence: u16,
}

impl Browser {
    pub(super) fn new(index: u16) -> Self {
        let sample = if index.is_multiple_of(2) { samples::CHROMIUM } else { samples::FIREFOX };
        let mut offer = parse_offer(sample).unwrap();
        for section in offer.sections.iter_mut().filter(|section| section.sends) {
            let is_video = section.kind == Some(MediaKind::Video);
            section.ssrc = Some(if is_video { VIDEO_SSRC } else { AUDIO_SSRC });
            section.rtx_ssrc = is_video.then_some(RTX_SSRC);
        }
        let material = std::array::from_fn(|n| n as u8 ^ index as u8);
        let (opener, sealer) = client(&material);
        Self {
            key: PeerKey { index, generation: u64::from(index) },
            pair: Pair { remote: SocketAddr::from(([127, 0, 0, 1], 40_000 + index)), local: None },
            received: Vec::new(),
            credentials: Credentials::new(index, &[index as u8; 24]),
            offer,
            material,
            opener,
            sealer,
            windows: HashMap::new(),
            seen: HashSet::new(),
            rtcp: Vec::new(),
            sequences: HashMap::new(),
            transport_sequence: 0,
        }
    }

    /// What the control side would make of the offer.
    pub(super) fn transport(&self, now: Instant) -> Peer {
        let sections = || self.offer.sections.iter().filter_map(|section| Some((section, section.kind?)));
        let publications = sections().filter(|(section, _)| section.sends);
        let subscriptions = sections().filter(|(section, _)| section.receives).enumerate();
        Peer::new(
            NewPeer {
                key: self.key,
                credentials: self.credentials.clone(),
                publications: publications.map(|(section, kind)| Publication::new(section, kind, now)).collect(),
                subscriptions: subscriptions
                    .map(|(slot, (section, kind))| Subscription::new(section, kind, ssrcs(slot), [0xff; 4]))
                    .collect(),
                reporter_ssrc: 7,
            },
            now,
        )
    }

    pub(super) fn relay_keys(&self) -> (Opener, Sealer) {
        srtp::from_keying_material(&self.material)
    }

    pub(super) fn check(&self, nominates: bool) -> Vec<u8> {
        request(&self.credentials, nominates)
    }

    /// New credentials, as the control side makes them.
    pub(super) fn restarts_ice(&mut self) -> Credentials {
        self.credentials = Credentials::new(self.key.index, &[0x77; 24]);
        self.credentials.clone()
    }

    /// Its sound comes from a client that declares no SSRC and cannot name media sections.
    pub(super) fn names_nothing(&mut self) {
        for section in self.offer.sections.iter_mut().filter(|section| section.sends) {
            (section.ssrc, section.rtx_ssrc, section.extensions.mid) = (None, None, None);
        }
    }

    /// The index of a slot among the transport's subscriptions: four for sound, then four for pictures.
    pub(super) fn slot(&self, kind: MediaKind, seat: usize) -> usize {
        if kind == MediaKind::Audio { seat } else { 4 + seat }
    }

    pub(super) fn slot_ssrc(&self, kind: MediaKind, seat: usize) -> u32 {
        ssrcs(self.slot(kind, seat)).media
    }

    /// The next packet of a stream.
    pub(super) fn seals(&mut self, ssrc: u32, payload_type: u8, payload: &[u8]) -> Vec<u8> {
        let payload_type = if self.is_firefox() {
            [(96, 120), (111, 109)].into_iter().find(|(c, _)| *c == payload_type).unwrap().1
        } else {
            payload_type
        };
        let sequence = self.sequences.entry(ssrc).or_insert(65_530);
        *sequence += 1;
        let index = *sequence - 1;
        self.seals_as(ssrc, payload_type, index, payload)
    }

    pub(super) fn seals_retransmission(&mut self, missing: u16, payload: &[u8]) -> Vec<u8> {
        let payload_type = if self.is_firefox() { 124 } else { 97 };
        self.seals_as(RTX_SSRC, payload_type, 5, &[&missing.to_be_bytes()[..], payload].concat())
    }

    fn seals_as(&mut self, ssrc: u32, payload_type: u8, index: u64, payload: &[u8]) -> Vec<u8> {
        let transport_cc = self.offer.sections[1].extensions.transport_cc.unwrap();
        let mut packet = vec![0x90, payload_type];
        packet.extend_from_slice(&(index as u16).to_be_bytes());
        packet.extend_from_slice(&(index as u32).wrapping_mul(3_000).to_be_bytes());
        packet.extend_from_slice(&ssrc.to_be_bytes());
        packet.extend_from_slice(&[0xbe, 0xde, 0, 1, transport_cc << 4 | 1]);
        packet.extend_from_slice(&self.transport_sequence.to_be_bytes());
        packet.push(0);
        self.transport_sequence = self.transport_sequence.wrapping_add(1);
        packet.extend_from_slice(payload);
        self.sealer.seal_rtp(&mut packet, 0, 20, ssrc, index);
        packet
    }

    /// An RTCP datagram.
    pub(super) fn says(&mut self, packet: &impl Marshal) -> Vec<u8> {
        self.says_bytes(packet.marshal().unwrap().to_vec())
    }

    /// An authentic RTCP datagram with these bytes, at least eight, in it.
    pub(super) fn says_bytes(&mut self, mut datagram: Vec<u8>) -> Vec<u8> {
        self.sealer.seal_rtcp(&mut datagram, 0);
        datagram
    }

    /// An authentic packet that begins with these bytes; the header's length is what the bytes say.
    pub(super) fn seals_bytes(&mut self, mut packet: Vec<u8>) -> Option<Vec<u8>> {
        let header = Header::parse(&packet)?;
        self.sealer.seal_rtp(&mut packet, 0, header.len, header.ssrc, u64::from(header.sequence));
        Some(packet)
    }

    /// Declares no SSRC for its picture.
    pub(super) fn declares_no_picture(&mut self) {
        let picture = self.offer.sections.iter_mut().find(|section| section.ssrc == Some(VIDEO_SSRC)).unwrap();
        (picture.ssrc, picture.rtx_ssrc) = (None, None);
    }

    /// A packet of its picture that names the media section.
    pub(super) fn seals_named(&mut self, ssrc: u32, sequence: u16, payload: &[u8]) -> Vec<u8> {
        let id = self.offer.sections[1].extensions.mid.unwrap();
        let mid = self.offer.sections[1].mid.0.as_bytes()[0];
        let mut packet = vec![0x90, 96];
        packet.extend_from_slice(&sequence.to_be_bytes());
        packet.extend_from_slice(&7_u32.to_be_bytes());
        packet.extend_from_slice(&ssrc.to_be_bytes());
        packet.extend_from_slice(&[0xbe, 0xde, 0, 1, id << 4, mid, 0, 0]);
        packet.extend_from_slice(payload);
        self.seals_bytes(packet).unwrap()
    }

    /// Takes a datagram of the relay; everything it sends must open.
    pub(super) fn receives(&mut self, mut datagram: Vec<u8>) {
        if datagram[0] <= 3 {
            return;
        }
        if (192..=223).contains(&datagram[1]) {
            let length = self.opener.open_rtcp(&mut datagram).expect("authentic RTCP");
            self.rtcp.extend(rtc_rtcp::packet::unmarshal(&mut &datagram[..length]).expect("well-formed RTCP"));
            return;
        }
        let header = Header::parse(&datagram).expect("RTP");
        let window = self.windows.entry(header.ssrc).or_default();
        let index = window.index_of(header.sequence).unwrap();
        assert!(self.seen.insert((header.ssrc, index)), "nothing is sealed twice under one number");
        let length = self.opener.open_rtp(&mut datagram, header.len, header.ssrc, index).expect("authentic RTP");
        window.mark(index);
        let mid = self.offer.sections[0].extensions.mid.unwrap();
        assert!(header.extension(&datagram, mid).is_some(), "the slot is named");
        let payload = header.payload(&datagram[..length]).unwrap().to_vec();
        let (ssrc, payload_type) = (header.ssrc, header.payload_type);
        let (sequence, timestamp) = (header.sequence, header.timestamp);
        self.received.push(Received { ssrc, payload_type, sequence, timestamp, payload });
    }

    pub(super) fn media(&self, kind: MediaKind, seat: usize) -> Vec<Received> {
        let ssrc = self.slot_ssrc(kind, seat);
        self.received.iter().filter(|packet| packet.ssrc == ssrc).cloned().collect()
    }

    pub(super) fn retransmissions(&self, seat: usize) -> Vec<Received> {
        let ssrc = ssrcs(self.slot(MediaKind::Video, seat)).rtx;
        self.received.iter().filter(|packet| packet.ssrc == ssrc).cloned().collect()
    }

    /// The RTCP packets of one type so far.
    pub(super) fn rtcp<T: Clone + 'static>(&self) -> Vec<T> {
        self.rtcp.iter().filter_map(|packet| packet.as_any().downcast_ref::<T>()).cloned().collect()
    }

    pub(super) fn forget(&mut self) {
        self.received.clear();
        self.rtcp.clear();
    }

    fn is_firefox(&self) -> bool {
        !self.key.index.is_multiple_of(2)
    }
}

fn ssrcs(slot: usize) -> SlotSsrcs {
    let media = 0x5107_0000 + slot as u32;
    SlotSsrcs { media, rtx: media + 0x100 }
}
