//! One source that a participant receives: which packets came, and what the marked ones say.

use super::{frames::Frames, mark::Mark, tally::Tally};
use domain::media::MediaKind;
use media_relay::srtp::ReplayWindow;
use rtc_rtcp::reception_report::ReceptionReport;
use std::time::{Duration, Instant};

/// How often a missing packet is asked for before it is given up, as libwebrtc does it.
const MAX_NACKS: u8 = 10;
/// How long a gap may be mere reordering.
pub(super) const NACK_DELAY: Duration = Duration::from_millis(10);
/// The shortest time after which a packet is asked for again; otherwise a round trip, in which it may be on its way.
const MIN_NACK_INTERVAL: Duration = Duration::from_millis(40);
/// Missing packets remembered at a time.
const MAX_MISSING: usize = 128;
/// A track is silent when nothing came for so long.
pub(super) const SILENCE: Duration = Duration::from_secs(1);

/// Whose encoding it is.
type Source = (u32, u32, u8);

/// A marked packet: its number at the source, and how many of the stream had come with it.
#[derive(Debug, Clone, Copy)]
struct Anchor {
    source: Source,
    sequence: u64,
    received: u64,
}

#[derive(Debug)]
struct Missing {
    index: u64,
    asked: u8,
    due: Instant,
}

/// A received source.
pub(super) struct Stream {
    pub ssrc: u32,
    pub kind: MediaKind,
    pub is_rtx: bool,
    pub received: u64,
    pub keyframe_seen: bool,
    /// Somebody waits for a key frame that was asked for at that time.
    pub keyframe_asked: Option<Instant>,
    pub last_packet: Instant,
    window: ReplayWindow,
    highest: Option<u64>,
    /// The middle half of what the last sender report said of the time (RFC 3550 §6.4.1), and when it came.
    sender_report: Option<(u32, Instant)>,
    anchor: Option<Anchor>,
    missing: Vec<Missing>,
    gave_up: bool,
    pub frames: Frames,
}

impl Stream {
    pub(super) fn new(ssrc: u32, kind: MediaKind, is_rtx: bool, now: Instant) -> Self {
        Self {
            ssrc,
            kind,
            is_rtx,
            received: 0,
            keyframe_seen: false,
            keyframe_asked: None,
            last_packet: now,
            window: ReplayWindow::default(),
            highest: None,
            sender_report: None,
            anchor: None,
            missing: Vec::new(),
            gave_up: false,
            frames: Frames::new(),
        }
    }

    /// Counts a packet by its clear header; gives its index, or `None` for one that came before.
    pub(super) fn count(&mut self, sequence: u16, now: Instant, tally: &mut Tally) -> Option<u64> {
        let index = self.window.index_of(sequence)?;
        if !self.window.is_fresh(index) {
            tally.duplicates += 1;
            return None;
        }
        self.window.mark(index);
        self.received += 1;
        self.last_packet = now;
        match self.highest {
            Some(highest) if index < highest => {
                tally.reordered += 1;
                self.missing.retain(|missing| missing.index != index);
            }
            Some(highest) => {
                self.note_missing(highest + 1, index, now, tally);
                self.highest = Some(index);
            }
            None => self.highest = Some(index),
        }
        Some(index)
    }

    /// Of pictures alone: nobody agreed on retransmission of sound.
    fn note_missing(&mut self, from: u64, until: u64, now: Instant, tally: &mut Tally) {
        if self.is_rtx || self.kind == MediaKind::Audio {
            return;
        }
        let room = (MAX_MISSING - self.missing.len()) as u64;
        let until_asked = until.min(from + room);
        let due = now + NACK_DELAY;
        self.missing.extend((from..until_asked).map(|index| Missing { index, asked: 0, due }));
        self.gave_up |= until_asked < until;
        tally.given_up += until - until_asked;
    }

    /// A retransmission brought this packet; gives its index when it was missed.
    pub(super) fn repair(&mut self, sequence: u16) -> Option<u64> {
        let at = self.missing.iter().position(|missing| missing.index as u16 == sequence)?;
        let index = self.missing.remove(at).index;
        self.received += 1;
        // The original may only be late: then it came twice.
        self.window.mark(index);
        Some(index)
    }

    /// Takes what a marked packet says into the count of what should have come.
    pub(super) fn anchor(&mut self, mark: &Mark, tally: &mut Tally) {
        let anchor = Anchor {
            source: (mark.room, mark.participant, mark.layer),
            sequence: mark.sequence,
            received: self.received,
        };
        if let Some(last) = self.anchor
            && last.source == anchor.source
        {
            if anchor.sequence < last.sequence {
                // Late, or sent again: those between the two are counted already.
                return;
            }
            let arrivals = if self.kind == MediaKind::Audio { &mut tally.sounds } else { &mut tally.pictures };
            arrivals.expected += anchor.sequence - last.sequence;
            arrivals.arrived += anchor.received - last.received;
        }
        self.anchor = Some(anchor);
    }

    /// The server told the time; the next report says how long ago that was.
    pub(super) fn note_sender_report(&mut self, ntp_time: u64, now: Instant) {
        self.sender_report = Some(((ntp_time >> 16) as u32, now));
    }

    /// What there is to report about it, by which a server knows the round trip: Janus keeps nothing for retransmission before that.
    pub(super) fn report(&self, now: Instant) -> ReceptionReport {
        let (last_sender_report, at) = self.sender_report.unwrap_or((0, now));
        ReceptionReport {
            ssrc: self.ssrc,
            last_sequence_number: self.highest.unwrap_or_default() as u32,
            last_sender_report,
            delay: (now.duration_since(at).as_secs_f64() * 65_536.0) as u32,
            ..Default::default()
        }
    }

    /// Begins a window: what came before does not count.
    pub(super) fn begin_window(&mut self) {
        self.anchor = None;
        self.frames.begin_window();
    }

    /// How many packets are missed.
    pub(super) const fn missing(&self) -> usize {
        self.missing.len()
    }

    /// When the next packet is to be asked for.
    pub(super) fn next_request(&self) -> Option<Instant> {
        self.missing.iter().map(|missing| missing.due).min()
    }

    /// The packets to be asked for now, over a path with this round trip.
    pub(super) fn wanted(&mut self, now: Instant, round_trip: Duration, tally: &mut Tally) -> Vec<u16> {
        let before = self.missing.len();
        self.missing.retain(|missing| missing.asked < MAX_NACKS || now < missing.due);
        self.gave_up |= self.missing.len() < before;
        tally.given_up += (before - self.missing.len()) as u64;
        let again = now + (round_trip + NACK_DELAY).max(MIN_NACK_INTERVAL);
        let due = self.missing.iter_mut().filter(|missing| missing.due <= now);
        let wanted = due.map(|missing| {
            missing.asked += 1;
            missing.due = again;
            missing.index as u16
        });
        wanted.collect()
    }

    /// Whether a key frame should be asked for: there are packets of a picture that nobody can show.
    pub(super) fn needs_keyframe(&mut self, now: Instant) -> bool {
        const PATIENCE: Duration = Duration::from_millis(500);
        if self.kind != MediaKind::Video || self.is_rtx {
            return false;
        }
        let has_waited = self.keyframe_asked.is_none_or(|at| now.duration_since(at) > PATIENCE);
        let never_seen = self.received > 30 && !self.keyframe_seen;
        let needs = has_waited && (never_seen || self.gave_up || self.frames.are_stuck());
        self.gave_up &= !needs;
        needs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Packets of one source, every tenth marked; the relay numbers anew what it lets through.
    fn listen(numbers: impl IntoIterator<Item = u64>, renumbered: bool) -> Tally {
        let now = Instant::now();
        let mut tally = Tally::new(now);
        let mut stream = Stream::new(1, MediaKind::Audio, false, now);
        for (place, number) in numbers.into_iter().enumerate() {
            let sequence = if renumbered { place as u16 } else { number as u16 };
            let fresh = stream.count(sequence, now, &mut tally).is_some();
            if fresh && number.is_multiple_of(10) {
                let sent_at = Duration::ZERO;
                let (room, participant, layer, kind) = (0, 0, 0, MediaKind::Audio);
                let (keyframe, place, packets, frame) = (false, 0, 1, number as u32);
                let sequence = number;
                let mark = Mark { room, participant, kind, keyframe, layer, place, packets, frame, sequence, sent_at };
                stream.anchor(&mark, &mut tally);
            }
        }
        tally
    }

    #[test]
    fn all_that_was_sent_has_come() {
        let tally = listen(0..=100_000, false);
        assert_eq!((tally.expected(), tally.arrived(), tally.reordered), (100_000, 100_000, 0));
    }

    #[test]
    fn a_loss_shows_even_where_the_relay_numbers_anew() {
        for renumbered in [false, true] {
            let tally = listen((0..=1_000).filter(|number| number % 100 != 55), renumbered);
            assert_eq!((tally.expected(), tally.arrived()), (1_000, 990));
        }
    }

    #[test]
    fn what_comes_twice_or_late_is_seen_and_is_no_loss() {
        let tally = listen([0, 1, 2, 4, 3, 5, 5, 6, 7, 8, 9, 10], false);
        assert_eq!((tally.reordered, tally.duplicates), (1, 1));
        assert_eq!((tally.expected(), tally.arrived()), (10, 10));
    }

    #[test]
    fn a_marked_packet_that_is_late_counts_nothing_twice() {
        let late = (0..10).chain(11..=20).chain([10]).chain(21..=30);
        let tally = listen(late, false);
        assert_eq!((tally.reordered, tally.expected(), tally.arrived()), (1, 30, 30));
    }

    #[test]
    fn a_missing_packet_is_asked_for_a_few_times() {
        let now = Instant::now();
        let (mut tally, mut stream) = (Tally::new(now), Stream::new(1, MediaKind::Video, false, now));
        for sequence in [1, 2, 5] {
            stream.count(sequence, now, &mut tally);
        }
        let round_trip = Duration::from_millis(150);
        assert!(stream.wanted(now, round_trip, &mut tally).is_empty(), "it may only be late");
        let now = now + NACK_DELAY;
        assert_eq!(stream.wanted(now, round_trip, &mut tally), [3, 4]);
        assert!(
            stream.wanted(now + round_trip, round_trip, &mut tally).is_empty(),
            "not before the answer can have come"
        );
        assert_eq!((stream.repair(3), stream.repair(3)), (Some(3), None));
        let times = (1..20).map(|n| now + (round_trip + NACK_DELAY) * n);
        let asked = times.map(|now| stream.wanted(now, round_trip, &mut tally).len()).sum::<usize>();
        assert_eq!((asked, tally.given_up), (usize::from(MAX_NACKS) - 1, 1));
        assert!(stream.needs_keyframe(now) && !stream.needs_keyframe(now), "only a key frame helps");
    }

    #[test]
    fn a_report_says_how_long_ago_the_server_told_the_time() {
        let now = Instant::now();
        let mut stream = Stream::new(1, MediaKind::Video, false, now);
        let report = stream.report(now);
        assert_eq!((report.ssrc, report.last_sender_report, report.delay), (1, 0, 0), "nobody has told it yet");
        stream.note_sender_report(0x1111_2222_3333_4444, now);
        let report = stream.report(now + Duration::from_millis(500));
        assert_eq!((report.last_sender_report, report.delay), (0x2222_3333, 32_768));
    }

    #[test]
    fn an_original_that_comes_behind_its_retransmission_came_twice() {
        let now = Instant::now();
        let (mut tally, mut stream) = (Tally::new(now), Stream::new(1, MediaKind::Video, false, now));
        for sequence in [1, 2, 4] {
            stream.count(sequence, now, &mut tally);
        }
        assert_eq!(stream.repair(3), Some(3));
        assert_eq!(stream.count(3, now, &mut tally), None);
        assert_eq!((stream.received, tally.duplicates), (4, 1));
    }

    #[test]
    fn sound_that_is_missing_is_not_asked_for() {
        let now = Instant::now();
        let (mut tally, mut stream) = (Tally::new(now), Stream::new(1, MediaKind::Audio, false, now));
        stream.count(1, now, &mut tally);
        stream.count(5, now, &mut tally);
        assert_eq!((stream.missing(), stream.next_request()), (0, None));
    }
}
