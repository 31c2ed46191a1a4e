//! One direction of a path: what is lost, what waits at the narrowest place, and when the rest comes out.
//!
//! No sockets and no clock in it: time and randomness are arguments, so that the same seed and times give the same fate.

use super::{
    Profile,
    loss::{Dice, Losses},
};
use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
    time::{Duration, Instant},
};

/// The narrowest place of a path: a token bucket before which datagrams wait in a bounded queue.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// How much passes on and on.
    pub bits_per_second: f64,
    /// How much passes at once after a pause; at least the longest datagram.
    pub burst_bytes: usize,
    /// How much may wait; what comes beyond that is dropped.
    pub queue_bytes: usize,
}

/// What became of a datagram that was given to a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It will come out.
    Goes,
    /// The path lost it.
    Lost,
    /// The queue before the narrowest place was full.
    Dropped,
}

/// A datagram that comes out.
#[derive(Debug, PartialEq, Eq)]
pub struct Out {
    /// When it should come out.
    pub due: Instant,
    /// How long it waited at the narrowest place.
    pub waited: Duration,
    /// The datagram.
    pub bytes: Vec<u8>,
}

struct Waiting {
    came: Instant,
    bytes: Vec<u8>,
}

/// When it is due, which it was to leave the narrowest place, how long it waited there, and the datagram; the first due is the greatest.
type Flying = Reverse<(Instant, u64, Duration, Vec<u8>)>;

/// One direction.
pub struct Link {
    profile: Profile,
    losses: Losses,
    dice: Dice,
    waiting: VecDeque<Waiting>,
    waiting_bytes: usize,
    /// Bits that may pass, as they were at a time.
    credit: (f64, Instant),
    flying: BinaryHeap<Flying>,
    left: u64,
    /// The latest that is due so far.
    last_due: Option<Instant>,
}

impl Link {
    /// Nothing is on its way yet.
    pub fn new(profile: Profile, seed: u64, now: Instant) -> Self {
        let burst = profile.rate.map_or(0.0, |rate| bits(rate.burst_bytes));
        Self {
            profile,
            losses: Losses::new(),
            dice: Dice::new(seed),
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            credit: (burst, now),
            flying: BinaryHeap::new(),
            left: 0,
            last_due: None,
        }
    }

    /// From now on the path is otherwise. What flies already is not touched by it; what waits passes at the new rate.
    pub fn set(&mut self, profile: Profile, now: Instant) {
        self.advance(now);
        let burst = profile.rate.map_or(0.0, |rate| bits(rate.burst_bytes));
        let credit = self.profile.rate.map_or(burst, |rate| self.credit_at(now, rate));
        self.credit = (credit.min(burst), now);
        self.profile = profile;
        self.advance(now);
    }

    /// Takes a datagram.
    pub fn take(&mut self, datagram: &[u8], now: Instant) -> Fate {
        self.advance(now);
        if self.losses.next(self.profile.loss, &mut self.dice) {
            return Fate::Lost;
        }
        if self.profile.rate.is_some_and(|rate| self.waiting_bytes + datagram.len() > rate.queue_bytes) {
            return Fate::Dropped;
        }
        self.waiting_bytes += datagram.len();
        self.waiting.push_back(Waiting { came: now, bytes: datagram.to_vec() });
        self.advance(now);
        Fate::Goes
    }

    /// The next datagram that is due by now.
    pub fn out(&mut self, now: Instant) -> Option<Out> {
        self.advance(now);
        self.flying.peek().filter(|Reverse((due, ..))| *due <= now)?;
        let Reverse((due, _, waited, bytes)) = self.flying.pop()?;
        Some(Out { due, waited, bytes })
    }

    /// Nothing comes out before.
    pub fn next(&self) -> Option<Instant> {
        let flying = self.flying.peek().map(|Reverse((due, ..))| *due);
        let waiting = self.leaves().map(|leaves| leaves + self.profile.delay);
        [flying, waiting].into_iter().flatten().min()
    }

    /// Lets through what has left the narrowest place by `now`, each at the moment at which it did.
    fn advance(&mut self, now: Instant) {
        while let Some(at) = self.leaves().filter(|at| *at <= now) {
            let Some(first) = self.waiting.pop_front() else { return };
            self.waiting_bytes -= first.bytes.len();
            if let Some(rate) = self.profile.rate {
                self.credit = (self.credit_at(at, rate) - bits(first.bytes.len()), at);
            }
            self.fly(first, at);
        }
    }

    /// When the first that waits may pass.
    fn leaves(&self) -> Option<Instant> {
        let first = self.waiting.front()?;
        let Some(rate) = self.profile.rate else { return Some(first.came.max(self.credit.1)) };
        let missing = (bits(first.bytes.len()) - self.credit.0).max(0.0);
        let earned = self.credit.1 + Duration::from_secs_f64(missing / rate.bits_per_second);
        Some(earned.max(first.came))
    }

    fn credit_at(&self, at: Instant, rate: Rate) -> f64 {
        let earned = at.saturating_duration_since(self.credit.1).as_secs_f64() * rate.bits_per_second;
        (self.credit.0 + earned).min(bits(rate.burst_bytes))
    }

    fn fly(&mut self, datagram: Waiting, at: Instant) {
        let jitter = self.profile.jitter;
        // Without jitter no throw, so that a path without it has the losses of the same seed with it.
        let more = if jitter.is_zero() { Duration::ZERO } else { jitter.mul_f64(self.dice.part()) };
        let mut due = at + self.profile.delay + more;
        if !self.profile.reorders {
            due = self.last_due.map_or(due, |last| due.max(last));
        }
        self.last_due = self.last_due.max(Some(due));
        let waited = at.saturating_duration_since(datagram.came);
        self.flying.push(Reverse((due, self.left, waited, datagram.bytes)));
        self.left += 1;
    }
}

fn bits(bytes: usize) -> f64 {
    bytes as f64 * 8.0
}

#[cfg(test)]
mod tests {
    use super::{super::loss::Loss, *};

    const MS: Duration = Duration::from_millis(1);
    const RATE: Rate = Rate { bits_per_second: 800_000.0, burst_bytes: 1_000, queue_bytes: 5_000 };

    /// Gives a numbered datagram of `bytes` every millisecond, and takes out what is due at each; when each came out, in milliseconds.
    fn run(link: &mut Link, start: Instant, count: u16, bytes: usize) -> (Vec<Fate>, Vec<(u16, u128)>) {
        let (mut fates, mut out) = (Vec::new(), Vec::new());
        for number in 0..count + 1_000 {
            let now = start + MS * u32::from(number);
            if number < count {
                let mut datagram = vec![0; bytes];
                datagram[..2].copy_from_slice(&number.to_be_bytes());
                fates.push(link.take(&datagram, now));
            }
            while let Some(one) = link.out(now) {
                out.push((u16::from_be_bytes([one.bytes[0], one.bytes[1]]), (one.due - start).as_millis()));
            }
        }
        (fates, out)
    }

    #[test]
    fn the_same_seed_and_times_have_the_same_fate_and_nothing_is_invented() {
        let profile = Profile { loss: Loss::Independent(0.1), jitter: 9 * MS, ..Profile::long(20 * MS) };
        let start = Instant::now();
        let runs = [0, 1].map(|_| run(&mut Link::new(profile, 5, start), start, 300, 100));
        assert_eq!(runs[0], runs[1]);
        let (fates, out) = &runs[0];
        let goes = (0..300_u16).filter(|n| fates[usize::from(*n)] == Fate::Goes).collect::<Vec<_>>();
        assert_eq!(out.iter().map(|(number, _)| *number).collect::<Vec<_>>(), goes, "all but the lost come, in order");
        assert!(goes.len() > 250 && goes.len() < 290);
    }

    #[test]
    fn a_long_way_takes_its_time_to_the_millisecond() {
        let start = Instant::now();
        let (_, out) = run(&mut Link::new(Profile::long(75 * MS), 1, start), start, 50, 100);
        assert_eq!(out, (0..50).map(|n| (n, u128::from(n) + 75)).collect::<Vec<_>>());
    }

    #[test]
    fn jitter_keeps_the_order_unless_it_may_reorder() {
        let start = Instant::now();
        for reorders in [false, true] {
            let profile = Profile { jitter: 20 * MS, reorders, ..Profile::long(10 * MS) };
            let (_, out) = run(&mut Link::new(profile, 2, start), start, 500, 100);
            assert_eq!(out.is_sorted_by_key(|(number, _)| *number), !reorders);
            let mut late = out.iter().map(|(number, at)| at - u128::from(*number));
            assert!(late.all(|late| (10..=30).contains(&late)), "between the delay and that with all jitter");
        }
    }

    #[test]
    fn a_narrow_place_lets_through_its_rate_and_drops_what_its_queue_does_not_hold() {
        // 1,000 bytes a millisecond are given, ten times as much as passes.
        let start = Instant::now();
        let profile = Profile { rate: Some(RATE), ..Profile::long(Duration::ZERO) };
        let (fates, out) = run(&mut Link::new(profile, 1, start), start, 400, 1_000);
        assert_eq!(out[..4].iter().map(|(_, at)| *at).collect::<Vec<_>>(), [0, 10, 20, 30], "the burst, then the rate");
        let dropped = fates.iter().filter(|fate| **fate == Fate::Dropped).count();
        // The burst, 39 that passed, five that waited at the end.
        assert_eq!((out.len(), dropped), (45, 355));
        assert!(
            out.iter().all(|(number, at)| at - u128::from(*number) <= 50),
            "five wait at most, ten milliseconds each"
        );
    }

    #[test]
    fn a_change_of_rate_meets_what_waits() {
        let start = Instant::now();
        let profile = Profile { rate: Some(RATE), ..Profile::long(Duration::ZERO) };
        let mut link = Link::new(profile, 1, start);
        (0..5).for_each(|_| assert_eq!(link.take(&[0; 1_000], start), Fate::Goes));
        assert!(link.out(start).is_some(), "the burst");
        let faster = Rate { bits_per_second: 8_000_000.0, ..RATE };
        link.set(Profile { rate: Some(faster), ..profile }, start + 10 * MS);
        let out = std::iter::from_fn(|| link.out(start + 100 * MS));
        assert_eq!(out.map(|out| (out.due - start).as_millis()).collect::<Vec<_>>(), [10, 11, 12, 13]);
        assert_eq!(link.next(), None);
    }

    #[test]
    fn it_says_when_something_comes_next() {
        let start = Instant::now();
        let profile = Profile { rate: Some(RATE), ..Profile::long(5 * MS) };
        let mut link = Link::new(profile, 1, start);
        assert_eq!(link.next(), None);
        link.take(&[0; 1_000], start);
        link.take(&[0; 1_000], start);
        assert_eq!(link.next(), Some(start + 5 * MS));
        assert!(link.out(start + 4 * MS).is_none() && link.out(start + 5 * MS).is_some());
        assert_eq!(link.next(), Some(start + 15 * MS));
        assert_eq!(link.out(start + 15 * MS).map(|out| out.waited), Some(10 * MS));
    }
}
