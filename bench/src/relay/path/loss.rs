//! Which datagrams get lost: each by itself, or several one after the other.

/// A rule by which datagrams get lost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Loss {
    /// None.
    None,
    /// Each with this probability.
    Independent(f64),
    /// By the state of the path, which may change before each datagram (Gilbert, Elliott).
    Bursts {
        /// The probability that a good path turns bad.
        enter: f64,
        /// The probability that a bad path turns good.
        leave: f64,
        /// The probability of a loss while it is good.
        good: f64,
        /// The probability of a loss while it is bad.
        bad: f64,
    },
}

impl Loss {
    /// Loses this part of all, in bursts of `length` on average.
    pub fn in_bursts(part: f64, length: f64) -> Self {
        let leave = 1.0 / length;
        // Of all datagrams enter / (enter + leave) meet a bad path.
        Self::Bursts { enter: part * leave / (1.0 - part), leave, good: 0.0, bad: 1.0 }
    }
}

/// Applies a rule to one datagram after the other.
#[derive(Debug)]
pub struct Losses {
    is_bad: bool,
}

impl Losses {
    /// A path that is good.
    pub const fn new() -> Self {
        Self { is_bad: false }
    }

    /// Whether the next datagram gets lost.
    pub fn next(&mut self, rule: Loss, dice: &mut Dice) -> bool {
        match rule {
            Loss::None => false,
            Loss::Independent(part) => dice.chance(part),
            Loss::Bursts { enter, leave, good, bad } => {
                let turns = dice.chance(if self.is_bad { leave } else { enter });
                self.is_bad ^= turns;
                dice.chance(if self.is_bad { bad } else { good })
            }
        }
    }
}

impl Default for Losses {
    fn default() -> Self {
        Self::new()
    }
}

/// The same throws for the same seed (SplitMix64): a run can be repeated.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// Begins at `seed`.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Evenly from 0 up to 1.
    pub fn part(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        // As many bits as a double holds exactly.
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn chance(&mut self, probability: f64) -> bool {
        self.part() < probability
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost(rule: Loss, seed: u64, count: usize) -> Vec<bool> {
        let (mut losses, mut dice) = (Losses::new(), Dice::new(seed));
        (0..count).map(|_| losses.next(rule, &mut dice)).collect()
    }

    fn places(lost: &[bool]) -> Vec<usize> {
        (0..lost.len()).filter(|place| lost[*place]).collect()
    }

    #[test]
    fn the_same_seed_loses_exactly_the_same() {
        let rule = Loss::Independent(0.05);
        assert_eq!(places(&lost(rule, 7, 100)), places(&lost(rule, 7, 100)));
        assert_eq!(places(&lost(rule, 7, 60)), [1, 44], "by SplitMix64 from 7");
        assert_ne!(lost(rule, 8, 100), lost(rule, 7, 100));
        assert!(places(&lost(Loss::None, 7, 1_000)).is_empty());
    }

    #[test]
    fn as_much_is_lost_as_was_said() {
        for part in [0.02, 0.05, 0.1] {
            for rule in [Loss::Independent(part), Loss::in_bursts(part, 4.0)] {
                let all = lost(rule, 1, 200_000);
                let seen = places(&all).len() as f64 / all.len() as f64;
                assert!((seen / part - 1.0).abs() < 0.05, "{rule:?} loses {seen}");
            }
        }
    }

    #[test]
    fn bursts_are_as_long_as_was_said_and_single_losses_are_none() {
        let length = |rule| {
            let all = lost(rule, 3, 200_000);
            let begun = all.windows(2).filter(|two| !two[0] && two[1]).count();
            places(&all).len() as f64 / begun as f64
        };
        assert!((length(Loss::in_bursts(0.05, 4.0)) - 4.0).abs() < 0.2);
        assert!((length(Loss::Independent(0.05)) - 1.05).abs() < 0.02);
    }
}
