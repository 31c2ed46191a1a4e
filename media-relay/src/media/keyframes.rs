//! When a publisher is asked for a keyframe: as soon as somebody needs one, and never often.

use std::time::{Duration, Instant};

/// How often one publication is asked.
///
/// Chromium ignores a second request within about 300 ms, and each costs a frame several times the usual size.
/// Lower makes lossy links worse, higher makes a joiner wait longer when a request or the keyframe is lost.
const REQUEST_INTERVAL: Duration = Duration::from_millis(400);

/// What a publication's receivers need.
#[derive(Debug, Default)]
pub(crate) struct KeyframeRequests {
    /// A receiver said so (PLI, FIR), or packets are lost for good.
    reported: bool,
    last_asked: Option<Instant>,
}

impl KeyframeRequests {
    /// A receiver lost its picture.
    pub(crate) fn report(&mut self) {
        self.reported = true;
    }

    /// A keyframe has begun.
    pub(crate) fn passed(&mut self) {
        self.reported = false;
    }

    /// Whether to ask now; `somebody_waits` when a receiver that can take packets has no picture yet.
    pub(crate) fn ask(&mut self, somebody_waits: bool, now: Instant) -> bool {
        let is_early = self.last_asked.is_some_and(|at| now.saturating_duration_since(at) < REQUEST_INTERVAL);
        if is_early || !(somebody_waits || self.reported) {
            return false;
        }
        self.last_asked = Some(now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thousand_reports_in_a_second_ask_at_most_three_times() {
        let mut requests = KeyframeRequests::default();
        let start = Instant::now();
        let asked = (0..1_000).filter(|ms| {
            requests.report();
            requests.ask(false, start + Duration::from_millis(*ms))
        });
        assert_eq!(asked.count(), 3);
    }

    #[test]
    fn it_is_repeated_until_a_keyframe_has_passed() {
        let mut requests = KeyframeRequests::default();
        let start = Instant::now();
        requests.report();
        assert!(requests.ask(false, start));
        assert!(requests.ask(false, start + REQUEST_INTERVAL));
        requests.passed();
        assert!(!requests.ask(false, start + REQUEST_INTERVAL * 2));
        assert!(requests.ask(true, start + REQUEST_INTERVAL * 2), "somebody new waits");
    }
}
