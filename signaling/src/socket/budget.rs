//! How fast one page may speak: a token bucket.

use tokio::time::Instant;

/// Messages per second in the long run, and at once. A page in use says a few per minute, in a bad moment ten at once.
const RATE: f64 = 30.0;
const BURST: f64 = 60.0;

/// What a page may still say.
pub(super) struct Budget {
    left: f64,
    at: Instant,
}

impl Budget {
    pub(super) fn full(now: Instant) -> Self {
        Self { left: BURST, at: now }
    }

    /// Takes one message out of the budget, if there is one.
    pub(super) fn spend(&mut self, now: Instant) -> bool {
        self.left = (self.left + now.duration_since(self.at).as_secs_f64() * RATE).min(BURST);
        self.at = now;
        let is_enough = self.left >= 1.0;
        if is_enough {
            self.left -= 1.0;
        }
        is_enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn sixty_messages_at_once_are_heard_and_then_thirty_a_second() {
        let start = Instant::now();
        let mut budget = Budget::full(start);
        assert!((0..60).all(|_| budget.spend(start)));
        assert!(!budget.spend(start));
        let later = start + Duration::from_millis(1_001);
        assert!((0..30).all(|_| budget.spend(later)));
        assert!(!budget.spend(later));
    }
}
