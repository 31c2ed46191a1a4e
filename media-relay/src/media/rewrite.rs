//! One slot shows one continuous stream, whoever its source is: sequence numbers and timestamps are rewritten.

use std::time::{Duration, Instant};

/// The step between the last packet of one source and the first of the next when they come at the same moment.
const LEAST_STEP: Duration = Duration::from_millis(10);

/// How far a source's numbers may jump before it counts as another stream, and how late a packet may be.
///
/// A receiver guesses the rollover counter from 16 bits (RFC 3711 §3.3.1): a source that jumps by half the range,
/// again and again, would leave it with a wrong one, in a slot that later shows somebody else.
const MAX_JUMP: u64 = 2_000;

/// A packet's place in the outgoing stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// Extended sequence number; its upper part is the SRTP rollover counter.
    pub sequence: u64,
    /// In clock ticks.
    pub timestamp: u32,
}

/// What a packet looks like on arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Arrival {
    /// Extended sequence number in the source's stream.
    pub sequence: u64,
    /// The source's timestamp.
    pub timestamp: u32,
    /// A receiver can begin to decode here.
    pub starts_keyframe: bool,
}

#[derive(Debug, Clone, Copy)]
struct Flow {
    /// Where the source's stream began for this receiver; what is older belongs to nothing shown.
    first: u64,
    /// The source's highest number so far.
    highest: u64,
    sequence_offset: u64,
    timestamp_offset: u32,
}

#[derive(Debug, Clone, Copy)]
struct Last {
    place: Place,
    at: Instant,
}

/// The rewriting of one slot.
#[derive(Debug)]
pub(crate) struct Rewriter {
    clock_rate: u32,
    first_sequence: u16,
    flow: Option<Flow>,
    last: Option<Last>,
}

impl Rewriter {
    /// A slot whose stream begins at `first_sequence` (random, RFC 3550 §5.1).
    pub(crate) fn new(clock_rate: u32, first_sequence: u16) -> Self {
        // In the lower half, so that no receiver takes a reordered first packet for one before a rollover.
        Self { clock_rate, first_sequence: first_sequence & 0x7fff, flow: None, last: None }
    }

    /// The source changes: nothing passes until the next one's keyframe.
    pub(crate) fn switch(&mut self) {
        self.flow = None;
    }

    /// Waits for a keyframe.
    pub(crate) fn is_waiting(&self) -> bool {
        self.flow.is_none()
    }

    /// Gives the packet its place, or `None` when it is not for this receiver.
    pub(crate) fn place(&mut self, arrival: Arrival, now: Instant) -> Option<Place> {
        if self.flow.is_some_and(|flow| arrival.sequence > flow.highest + MAX_JUMP) {
            self.switch();
        }
        if self.flow.is_none() && arrival.starts_keyframe {
            self.flow = Some(self.begin(arrival, now));
        }
        let flow = self.flow.as_mut()?;
        if arrival.sequence < flow.first.max(flow.highest.saturating_sub(MAX_JUMP)) {
            return None;
        }
        flow.highest = flow.highest.max(arrival.sequence);
        let place = Place {
            sequence: arrival.sequence.wrapping_add(flow.sequence_offset),
            timestamp: arrival.timestamp.wrapping_add(flow.timestamp_offset),
        };
        if self.last.is_none_or(|last| place.sequence > last.place.sequence) {
            self.last = Some(Last { place, at: now });
        }
        Some(place)
    }

    /// The outgoing timestamp that the source's `timestamp` has at present.
    pub(crate) fn timestamp_of(&self, timestamp: u32) -> Option<u32> {
        self.flow.map(|flow| timestamp.wrapping_add(flow.timestamp_offset))
    }

    /// Continues after the last packet: the next number, and as much later as it is.
    fn begin(&self, arrival: Arrival, now: Instant) -> Flow {
        let Some(last) = self.last else {
            let sequence_offset = u64::from(self.first_sequence).wrapping_sub(arrival.sequence);
            return Flow { first: arrival.sequence, highest: arrival.sequence, sequence_offset, timestamp_offset: 0 };
        };
        let elapsed = now.saturating_duration_since(last.at).max(LEAST_STEP);
        let ticks = (elapsed.as_micros() * u128::from(self.clock_rate) / 1_000_000) as u32;
        Flow {
            first: arrival.sequence,
            highest: arrival.sequence,
            sequence_offset: (last.place.sequence + 1).wrapping_sub(arrival.sequence),
            timestamp_offset: last.place.timestamp.wrapping_add(ticks).wrapping_sub(arrival.timestamp),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(sequence: u64, timestamp: u32) -> Arrival {
        Arrival { sequence, timestamp, starts_keyframe: true }
    }

    fn delta(sequence: u64, timestamp: u32) -> Arrival {
        Arrival { sequence, timestamp, starts_keyframe: false }
    }

    #[test]
    fn nothing_passes_before_a_keyframe() {
        let mut slot = Rewriter::new(90_000, 100);
        let now = Instant::now();
        assert_eq!(slot.place(delta(5, 0), now), None);
        assert!(slot.is_waiting());
        assert_eq!(slot.place(key(6, 0), now), Some(Place { sequence: 100, timestamp: 0 }));
        assert_eq!(slot.place(delta(7, 3_000), now), Some(Place { sequence: 101, timestamp: 3_000 }));
        assert_eq!(slot.place(delta(5, 0), now), None, "older than the keyframe");
    }

    #[test]
    fn a_late_packet_takes_the_place_that_was_left_for_it() {
        let mut slot = Rewriter::new(90_000, 0);
        let now = Instant::now();
        slot.place(key(10, 0), now);
        assert_eq!(slot.place(delta(12, 0), now).unwrap().sequence, 2);
        assert_eq!(slot.place(delta(11, 0), now).unwrap().sequence, 1);
    }

    #[test]
    fn another_source_continues_the_numbers_and_the_time() {
        let mut slot = Rewriter::new(90_000, 0);
        let now = Instant::now();
        slot.place(key(10, 1_000), now);
        slot.switch();
        let later = now + Duration::from_millis(100);
        assert_eq!(slot.place(delta(70_000, 5), later), None);
        assert_eq!(slot.place(key(70_001, 5), later), Some(Place { sequence: 1, timestamp: 10_000 }));
    }

    #[test]
    fn a_source_that_jumps_begins_anew_and_the_receiver_sees_no_jump() {
        let mut slot = Rewriter::new(90_000, 0);
        let now = Instant::now();
        slot.place(key(10, 0), now);
        assert_eq!(slot.place(delta(10 + MAX_JUMP, 0), now).unwrap().sequence, MAX_JUMP);
        assert_eq!(slot.place(delta(11 + 3 * MAX_JUMP, 0), now), None, "and waits for a keyframe");
        assert_eq!(slot.place(key(12 + 3 * MAX_JUMP, 0), now).unwrap().sequence, MAX_JUMP + 1);
        assert_eq!(slot.place(delta(12, 0), now), None, "too late");
    }

    proptest! {
        /// Whatever sources follow one another, the receiver sees no gap, no repeat, and time moves on.
        #[test]
        fn the_outgoing_stream_has_no_gaps(
            first in any::<u16>(),
            sources in proptest::collection::vec((any::<u32>(), any::<u32>(), 1_usize..50, 0_u64..5_000), 1..12),
        ) {
            let mut slot = Rewriter::new(90_000, first);
            let mut now = Instant::now();
            let mut last: Option<Place> = None;
            for (sequence, timestamp, packets, pause) in sources {
                slot.switch();
                now += Duration::from_millis(pause);
                for n in 0..packets {
                    let arrival = Arrival {
                        sequence: u64::from(sequence) + n as u64,
                        timestamp: timestamp.wrapping_add(3_000 * n as u32),
                        starts_keyframe: n == 0,
                    };
                    let place = slot.place(arrival, now).unwrap();
                    if let Some(last) = last {
                        prop_assert_eq!(place.sequence, last.sequence + 1);
                        let step = place.timestamp.wrapping_sub(last.timestamp);
                        prop_assert!(step > 0 && step < 1 << 31);
                    }
                    last = Some(place);
                    now += Duration::from_millis(33);
                }
            }
        }
    }
}
