//! How often one token may call: a bucket that fills with time, on each node by itself. It stops a loop that went wild, not a busy day.

use domain::ApiTokenId;
use jiff::Timestamp;
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

/// Requests that a token may make at once. A year of appointments can be read in one go.
pub(crate) const BURST: f64 = 10_000.0;

/// Requests a second that a token may make for good, on each node.
pub(crate) const PER_SECOND: f64 = 200.0;

/// The tokens remembered. When more call, whoever has a full bucket is forgotten; that changes nothing for them.
const MAX_TOKENS: usize = 10_000;

/// The buckets of one node.
#[derive(Default)]
pub struct Limits {
    buckets: Mutex<HashMap<ApiTokenId, Bucket>>,
}

struct Bucket {
    left: f64,
    at: Timestamp,
}

impl Bucket {
    fn fill(&mut self, now: Timestamp) {
        let seconds = now.duration_since(self.at).as_secs_f64().max(0.0);
        self.left = (self.left + seconds * PER_SECOND).min(BURST);
        self.at = now;
    }
}

impl Limits {
    /// Whether the token may make one more request now.
    pub(crate) fn admit(&self, token: ApiTokenId, now: Timestamp) -> bool {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MAX_TOKENS && !buckets.contains_key(&token) {
            buckets.retain(|_, bucket| {
                bucket.fill(now);
                bucket.left < BURST
            });
            if buckets.len() >= MAX_TOKENS {
                return false;
            }
        }
        let bucket = buckets.entry(token).or_insert(Bucket { left: BURST, at: now });
        bucket.fill(now);
        let may = bucket.left >= 1.0;
        if may {
            bucket.left -= 1.0;
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;
    use uuid::Uuid;

    #[test]
    fn a_loop_that_went_wild_is_stopped_and_may_go_on_later() {
        let limits = Limits::default();
        let [wild, calm] = [1, 2].map(|id| ApiTokenId(Uuid::from_u128(id)));
        let now: Timestamp = "2026-11-24T09:00:00Z".parse().expect("a timestamp");
        let admitted = (0..20_000).filter(|_| limits.admit(wild, now)).count();
        assert_eq!(admitted, 10_000);
        assert!(limits.admit(calm, now), "another token has a bucket of its own");
        let later = now + SignedDuration::from_secs(1);
        let admitted = (0..1_000).filter(|_| limits.admit(wild, later)).count();
        assert_eq!(admitted, 200);
    }
}
