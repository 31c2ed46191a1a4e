//! Which packets of a publication are missing, and when the publisher is asked for them (RFC 4585 §6.2.1).

use std::time::{Duration, Instant};

/// How long a gap may be mere reordering.
const REORDER_TOLERANCE: Duration = Duration::from_millis(8);
/// The wait for a retransmission before asking again. Shorter asks twice on long paths for nothing.
const REPEAT_INTERVAL: Duration = Duration::from_millis(100);
/// After this many requests only a keyframe helps.
const MAX_REQUESTS: u8 = 8;
/// Missing packets remembered at a time. With more, the picture is gone anyway.
const MAX_MISSING: usize = 128;

#[derive(Debug, Clone, Copy)]
struct Missing {
    sequence: u64,
    next_request: Instant,
    requests: u8,
}

/// The gaps of one publication.
#[derive(Debug)]
pub(crate) struct MissingPackets {
    missing: Vec<Missing>,
    gave_up: bool,
}

impl Default for MissingPackets {
    fn default() -> Self {
        Self { missing: Vec::with_capacity(MAX_MISSING), gave_up: false }
    }
}

impl MissingPackets {
    /// A packet came, after `highest` had been the highest so far.
    pub(crate) fn arrived(&mut self, sequence: u64, highest: Option<u64>, now: Instant) {
        let Some(highest) = highest else { return };
        if sequence <= highest {
            self.missing.retain(|missing| missing.sequence != sequence);
        } else if (sequence - highest) as usize - 1 > MAX_MISSING - self.missing.len() {
            self.give_up();
        } else {
            let next_request = now + REORDER_TOLERANCE;
            self.missing.extend((highest + 1..sequence).map(|sequence| Missing {
                sequence,
                next_request,
                requests: 0,
            }));
        }
    }

    /// Puts the sequence numbers to be asked for now into `wanted`.
    pub(crate) fn due(&mut self, now: Instant, wanted: &mut Vec<u16>) {
        if self.missing.iter().any(|m| m.requests == MAX_REQUESTS && m.next_request <= now) {
            return self.give_up();
        }
        for missing in self.missing.iter_mut().filter(|missing| missing.next_request <= now) {
            missing.requests += 1;
            missing.next_request = now + REPEAT_INTERVAL;
            wanted.push(missing.sequence as u16);
        }
    }

    /// Whether packets were lost for good since this was last asked.
    pub(crate) fn take_gave_up(&mut self) -> bool {
        std::mem::take(&mut self.gave_up)
    }

    fn give_up(&mut self) {
        self.missing.clear();
        self.gave_up = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(missing: &mut MissingPackets, now: Instant) -> Vec<u16> {
        let mut wanted = Vec::new();
        missing.due(now, &mut wanted);
        wanted
    }

    #[test]
    fn a_gap_is_asked_for_after_the_tolerance_and_until_it_is_filled() {
        let mut missing = MissingPackets::default();
        let now = Instant::now();
        missing.arrived(10, None, now);
        missing.arrived(13, Some(10), now);
        assert_eq!(due(&mut missing, now), Vec::<u16>::new(), "may be reordering");
        let later = now + REORDER_TOLERANCE;
        assert_eq!(due(&mut missing, later), [11, 12]);
        assert_eq!(due(&mut missing, later), Vec::<u16>::new());
        missing.arrived(11, Some(13), later);
        assert_eq!(due(&mut missing, later + REPEAT_INTERVAL), [12]);
    }

    #[test]
    fn what_never_comes_is_given_up() {
        let mut missing = MissingPackets::default();
        let start = Instant::now();
        missing.arrived(1, Some(0), start);
        missing.arrived(3, Some(1), start);
        let asked: usize = (0..20).map(|n| due(&mut missing, start + REPEAT_INTERVAL * n).len()).sum();
        assert_eq!(asked, usize::from(MAX_REQUESTS));
        assert!(missing.take_gave_up());
        assert!(!missing.take_gave_up());
    }

    #[test]
    fn a_jump_costs_no_memory() {
        let mut missing = MissingPackets::default();
        missing.arrived(1_000_000, Some(0), Instant::now());
        assert!(missing.take_gave_up());
        assert!(missing.missing.is_empty());
    }
}
