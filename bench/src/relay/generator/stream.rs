//! One source that a participant receives: which packets came, and what the marked ones say.

use super::{mark::Mark, tally::Tally};
use domain::media::MediaKind;
use media_relay::srtp::ReplayWindow;
use std::time::{Duration, Instant};

/// How often a missing packet is asked for, and how long apart: a round trip of a bad path.
const MAX_NACKS: u8 = 4;
const NACK_INTERVAL: Duration = Duration::from_millis(40);
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
    anchor: Option<Anchor>,
    missing: Vec<Missing>,
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
            anchor: None,
            missing: Vec::new(),
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
                self.note_missing(highest + 1, index, now);
                self.highest = Some(index);
            }
            None => self.highest = Some(index),
        }
        Some(index)
    }

    fn note_missing(&mut self, from: u64, until: u64, now: Instant) {
        for index in (from..until).take(MAX_MISSING) {
            if self.missing.len() < MAX_MISSING {
                self.missing.push(Missing { index, asked: 0, due: now });
            }
        }
    }

    /// A retransmission brought this packet; false when it was not missed.
    pub(super) fn repair(&mut self, sequence: u16) -> bool {
        let before = self.missing.len();
        self.missing.retain(|missing| missing.index as u16 != sequence);
        let repaired = self.missing.len() < before;
        self.received += u64::from(repaired);
        repaired
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
            tally.expected += anchor.sequence - last.sequence;
            tally.arrived += anchor.received - last.received;
        }
        self.anchor = Some(anchor);
    }

    /// Begins a window: what came before does not count.
    pub(super) fn begin_window(&mut self) {
        self.anchor = None;
    }

    /// The packets to be asked for now.
    pub(super) fn wanted(&mut self, now: Instant) -> Vec<u16> {
        self.missing.retain(|missing| missing.asked < MAX_NACKS || now < missing.due);
        let due = self.missing.iter_mut().filter(|missing| missing.asked < MAX_NACKS && missing.due <= now);
        due.map(|missing| {
            missing.asked += 1;
            missing.due = now + NACK_INTERVAL;
            missing.index as u16
        })
        .collect()
    }

    /// Whether a key frame should be asked for: there are packets of a picture that nobody can show.
    pub(super) fn needs_keyframe(&self, now: Instant) -> bool {
        const PATIENCE: Duration = Duration::from_millis(500);
        let waited = self.keyframe_asked.is_none_or(|at| now.duration_since(at) > PATIENCE);
        self.kind == MediaKind::Video && !self.is_rtx && self.received > 30 && !self.keyframe_seen && waited
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
                let mark = Mark { room, participant, kind, keyframe: false, layer, sequence: number, sent_at };
                stream.anchor(&mark, &mut tally);
            }
        }
        tally
    }

    #[test]
    fn all_that_was_sent_has_come() {
        let tally = listen(0..=100_000, false);
        assert_eq!((tally.expected, tally.arrived, tally.reordered), (100_000, 100_000, 0));
    }

    #[test]
    fn a_loss_shows_even_where_the_relay_numbers_anew() {
        for renumbered in [false, true] {
            let tally = listen((0..=1_000).filter(|number| number % 100 != 55), renumbered);
            assert_eq!((tally.expected, tally.arrived), (1_000, 990));
        }
    }

    #[test]
    fn what_comes_twice_or_late_is_seen_and_is_no_loss() {
        let tally = listen([0, 1, 2, 4, 3, 5, 5, 6, 7, 8, 9, 10], false);
        assert_eq!((tally.reordered, tally.duplicates), (1, 1));
        assert_eq!((tally.expected, tally.arrived), (10, 10));
    }

    #[test]
    fn a_marked_packet_that_is_late_counts_nothing_twice() {
        let late = (0..10).chain(11..=20).chain([10]).chain(21..=30);
        let tally = listen(late, false);
        assert_eq!((tally.reordered, tally.expected, tally.arrived), (1, 30, 30));
    }

    #[test]
    fn a_missing_packet_is_asked_for_a_few_times() {
        let now = Instant::now();
        let (mut tally, mut stream) = (Tally::new(now), Stream::new(1, MediaKind::Video, false, now));
        for sequence in [1, 2, 5] {
            stream.count(sequence, now, &mut tally);
        }
        assert_eq!(stream.wanted(now), [3, 4]);
        assert!(stream.wanted(now).is_empty(), "not again before the answer can have come");
        assert!(stream.repair(3) && !stream.repair(3));
        let asked = (1..10).map(|n| stream.wanted(now + NACK_INTERVAL * n).len()).sum::<usize>();
        assert_eq!(asked, usize::from(MAX_NACKS) - 1);
    }
}
