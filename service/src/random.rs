//! Where unpredictable bytes come from: the system's generator for processes, a seeded one for tests.

use aws_lc_rs::rand::SecureRandom as _;
use domain::Random;
use std::sync::atomic::{AtomicU64, Ordering};

/// The cryptographic generator of the system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) {
        aws_lc_rs::rand::SystemRandom::new().fill(bytes).expect("the system has randomness");
    }
}

/// The same bytes for the same seed (SplitMix64). For tests only: who knows one value knows them all.
#[derive(Debug)]
pub struct SeededRandom(AtomicU64);

impl SeededRandom {
    /// A generator that begins at `seed`.
    pub const fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    fn next(&self) -> u64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut z = self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

impl Random for SeededRandom {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_le_bytes()[..chunk.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_ids() {
        assert_eq!(SeededRandom::new(7).uuid(), SeededRandom::new(7).uuid());
        assert_ne!(SeededRandom::new(7).uuid(), SeededRandom::new(8).uuid());
    }

    #[test]
    fn the_system_gives_a_different_id_each_time() {
        assert_ne!(SystemRandom.uuid(), SystemRandom.uuid());
    }
}
