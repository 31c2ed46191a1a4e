//! Counts what arrives: pure bookkeeping over packets that were read, slot by slot and source by source.

use crate::synthetic;
use domain::{
    ParticipantId,
    media::{MediaKind, Mid},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// How many missing sequence numbers one stream remembers; older ones count as lost for good.
const MAX_MISSING: usize = 4_096;

/// Everything one participant has seen so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Where the peer connection stands.
    pub connection: Connection,
    /// From the answer to ICE and DTLS being done.
    pub connected_after: Option<Duration>,
    /// What arrived, by the media section it arrived in. Only sections in which something arrived are here.
    pub slots: BTreeMap<Mid, SlotTally>,
    /// Packets whose SSRC belongs to no slot.
    pub unexpected: u64,
    /// What the other end said about what this participant sends.
    pub feedback: Feedback,
    /// Packets that this participant sent.
    pub sent: Sent,
}

/// Where a peer connection stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Connection {
    /// ICE or DTLS is under way.
    #[default]
    Connecting,
    /// Media may flow.
    Connected,
    /// The other end has not been heard for a while.
    Disconnected,
    /// It is over: given up, or closed.
    Closed,
}

/// What was said about the packets sent from here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Feedback {
    /// Requests for a key frame of our picture (PLI and FIR).
    pub keyframe_requests: u64,
    /// Transport-wide congestion reports.
    pub transport: u64,
    /// Requests to send packets again.
    pub nacks: u64,
    /// Receiver reports, alone or within sender reports.
    pub reports: u64,
}

/// Packets sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sent {
    /// Sound.
    pub audio: u64,
    /// Picture.
    pub video: u64,
    /// Key frames among the pictures.
    pub keyframes: u64,
}

/// What arrived in one slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotTally {
    /// Sound or picture.
    pub kind: MediaKind,
    /// Packets, each once.
    pub packets: u64,
    /// Packets that came again.
    pub duplicates: u64,
    /// Packets that came after a later one.
    pub reordered: u64,
    /// RTP sequence numbers that have not come (yet).
    pub missing: u64,
    /// Payloads that are not whole, or not of this kind.
    pub damaged: u64,
    /// First packets of key frames.
    pub keyframes: u64,
    /// Who is heard or seen at present.
    pub current: Option<ParticipantId>,
    /// What came from whom.
    pub sources: BTreeMap<ParticipantId, SourceTally>,
    sequence: Sequence,
}

/// What arrived of one source in one slot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceTally {
    /// Packets, each once.
    pub packets: u64,
    /// Packets of the source, between the first and the last that came, which have not come (yet).
    pub missing: u64,
    /// First packets of key frames.
    pub keyframes: u64,
    /// When the first packet came, since the answer was applied.
    pub first_packet: Duration,
    /// When the first key frame began to come, since the answer was applied.
    pub first_keyframe: Option<Duration>,
    /// When the last packet came, since the answer was applied.
    pub last_packet: Duration,
    /// Sum of the times from being made to being read.
    pub delay: Duration,
    sequence: Sequence,
}

impl Tally {
    /// Everybody who was heard (`Audio`) or seen (`Video`) in any slot.
    pub fn sources(&self, kind: MediaKind) -> BTreeSet<ParticipantId> {
        self.of_kind(kind).flat_map(|slot| slot.sources.keys().copied()).collect()
    }

    /// How many packets of `kind` came from `source`.
    pub fn packets_from(&self, source: ParticipantId, kind: MediaKind) -> u64 {
        self.of_kind(kind).filter_map(|slot| slot.sources.get(&source)).map(|from| from.packets).sum()
    }

    /// How many key frames came from `source`.
    pub fn keyframes_from(&self, source: ParticipantId) -> u64 {
        self.of_kind(MediaKind::Video).filter_map(|slot| slot.sources.get(&source)).map(|from| from.keyframes).sum()
    }

    /// When the first packet of `kind` came from `source`, since the answer was applied.
    pub fn first_packet_from(&self, source: ParticipantId, kind: MediaKind) -> Option<Duration> {
        self.of_kind(kind).filter_map(|slot| slot.sources.get(&source)).map(|from| from.first_packet).min()
    }

    /// When the first key frame came from `source`, since the answer was applied.
    pub fn first_keyframe_from(&self, source: ParticipantId) -> Option<Duration> {
        self.of_kind(MediaKind::Video).filter_map(|slot| slot.sources.get(&source)?.first_keyframe).min()
    }

    /// All packets in all slots.
    pub fn packets(&self) -> u64 {
        self.slots.values().map(|slot| slot.packets).sum()
    }

    /// All that has not come: gaps in the sequence numbers of all slots.
    pub fn missing(&self) -> u64 {
        self.slots.values().map(|slot| slot.missing).sum()
    }

    /// All payloads that were not what was sent.
    pub fn damaged(&self) -> u64 {
        self.slots.values().map(|slot| slot.damaged).sum()
    }

    /// Enters one RTP packet of the slot `mid`, read `now` after the answer was applied.
    pub fn receive(&mut self, mid: &Mid, kind: MediaKind, sequence: u16, payload: &[u8], now: Duration) {
        // Keepalives and probes carry padding only, and nothing to check.
        if payload.is_empty() {
            return;
        }
        if !self.slots.contains_key(mid) {
            self.slots.insert(mid.clone(), SlotTally::new(kind));
        }
        let slot = self.slots.get_mut(mid).expect("it was just put there");
        slot.receive(sequence, payload, now);
    }

    fn of_kind(&self, kind: MediaKind) -> impl Iterator<Item = &SlotTally> {
        self.slots.values().filter(move |slot| slot.kind == kind)
    }
}

impl SlotTally {
    fn new(kind: MediaKind) -> Self {
        Self {
            kind,
            packets: 0,
            duplicates: 0,
            reordered: 0,
            missing: 0,
            damaged: 0,
            keyframes: 0,
            current: None,
            sources: BTreeMap::new(),
            sequence: Sequence::default(),
        }
    }

    fn receive(&mut self, sequence: u16, payload: &[u8], now: Duration) {
        let extended = self.sequence.extend(sequence);
        match self.sequence.enter(extended) {
            Arrival::Duplicate => {
                self.duplicates += 1;
                return;
            }
            Arrival::Late => self.reordered += 1,
            Arrival::Next => {}
        }
        self.packets += 1;
        self.missing = self.sequence.missing();
        match synthetic::read(self.kind, payload) {
            Some(reading) => self.credit(&reading, now),
            None => self.damaged += 1,
        }
    }

    fn credit(&mut self, reading: &synthetic::Reading, now: Duration) {
        let mark = reading.mark;
        let new = SourceTally { first_packet: now, ..SourceTally::default() };
        let source = self.sources.entry(mark.source).or_insert(new);
        source.sequence.enter(mark.sequence);
        source.missing = source.sequence.missing();
        source.packets += 1;
        source.last_packet = now;
        source.delay += synthetic::elapsed().saturating_sub(mark.made_at);
        if reading.keyframe {
            source.keyframes += 1;
            source.first_keyframe.get_or_insert(now);
            self.keyframes += 1;
        }
        self.current = Some(mark.source);
    }
}

/// Follows one sequence of numbers and remembers which have not come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Sequence {
    highest: Option<u64>,
    missing: BTreeSet<u64>,
    lost: u64,
}

enum Arrival {
    Next,
    Late,
    Duplicate,
}

impl Sequence {
    /// The full number of a 16-bit one: the nearest to the highest so far (RFC 3711 §3.3.1 does the same).
    fn extend(&self, sequence: u16) -> u64 {
        // Begins one cycle up, so that a number from before the first has a place.
        let highest = self.highest.unwrap_or_else(|| 0x1_0000 + u64::from(sequence));
        let cycle = highest & !0xffff;
        let near = cycle | u64::from(sequence);
        if near > highest + 0x8000 {
            near.saturating_sub(0x1_0000)
        } else if near + 0x8000 < highest {
            near + 0x1_0000
        } else {
            near
        }
    }

    fn enter(&mut self, number: u64) -> Arrival {
        let Some(highest) = self.highest else {
            self.highest = Some(number);
            return Arrival::Next;
        };
        if number <= highest {
            return if self.missing.remove(&number) { Arrival::Late } else { Arrival::Duplicate };
        }
        let skipped = number - highest - 1;
        let remembered = skipped.min(MAX_MISSING as u64);
        self.lost += skipped - remembered;
        self.missing.extend(number - remembered..number);
        while self.missing.len() > MAX_MISSING {
            self.missing.pop_first();
            self.lost += 1;
        }
        self.highest = Some(number);
        Arrival::Next
    }

    fn missing(&self) -> u64 {
        self.lost + self.missing.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synthetic::{Opus, Vp8};
    use uuid::Uuid;

    fn someone(n: u8) -> ParticipantId {
        ParticipantId(Uuid::from_bytes([n; 16]))
    }

    fn mid() -> Mid {
        Mid("2".to_owned())
    }

    /// Enters the given packets of one source's sound under the given RTP sequence numbers.
    fn heard(order: &[(usize, u16)]) -> SlotTally {
        let mut opus = Opus::new(someone(1));
        let packets: Vec<_> = (0..10).map(|_| opus.next_packet(Duration::ZERO)).collect();
        let mut tally = Tally::default();
        for (packet, sequence) in order {
            tally.receive(&mid(), MediaKind::Audio, *sequence, &packets[*packet].bytes, Duration::ZERO);
        }
        tally.slots.remove(&mid()).expect("something came")
    }

    #[test]
    fn packets_in_order_leave_nothing_to_complain_about() {
        let slot = heard(&[(0, 65_534), (1, 65_535), (2, 0), (3, 1)]);
        assert_eq!((slot.packets, slot.missing, slot.reordered, slot.duplicates), (4, 0, 0, 0));
        assert_eq!(slot.sources[&someone(1)].missing, 0);
    }

    #[test]
    fn a_gap_counts_until_it_is_filled() {
        let slot = heard(&[(0, 10), (3, 13)]);
        assert_eq!((slot.missing, slot.sources[&someone(1)].missing), (2, 2));
        let slot = heard(&[(0, 10), (3, 13), (1, 11), (2, 12), (2, 12)]);
        assert_eq!((slot.packets, slot.missing, slot.reordered, slot.duplicates), (4, 0, 2, 1));
    }

    #[test]
    fn a_payload_of_another_kind_is_damaged() {
        let mut tally = Tally::default();
        let packet = Opus::new(someone(1)).next_packet(Duration::ZERO);
        tally.receive(&mid(), MediaKind::Video, 1, &packet.bytes, Duration::ZERO);
        assert_eq!((tally.packets(), tally.damaged()), (1, 1));
    }

    #[test]
    fn pictures_are_credited_to_who_made_them() {
        let (mut first, mut second) = (Vp8::new(someone(1), 2), Vp8::new(someone(2), 2));
        let mut tally = Tally::default();
        let packets =
            first.next_picture(true, Duration::ZERO).into_iter().chain(second.next_picture(true, Duration::ZERO));
        for (sequence, packet) in (0..).zip(packets) {
            tally.receive(
                &mid(),
                MediaKind::Video,
                sequence,
                &packet.bytes,
                Duration::from_millis(u64::from(sequence)),
            );
        }
        assert_eq!(tally.sources(MediaKind::Video), BTreeSet::from([someone(1), someone(2)]));
        assert_eq!((tally.keyframes_from(someone(1)), tally.keyframes_from(someone(2))), (1, 1));
        assert_eq!(tally.first_keyframe_from(someone(2)), Some(Duration::from_millis(6)));
        assert_eq!(tally.slots[&mid()].current, Some(someone(2)));
    }

    #[test]
    fn a_long_silence_is_lost_and_takes_no_memory() {
        let mut sequence = Sequence::default();
        sequence.enter(1);
        sequence.enter(1_000_002);
        assert_eq!(sequence.missing(), 1_000_000);
        assert!(sequence.missing.len() <= MAX_MISSING);
    }
}
