//! How long is waited before something that failed is tried again.

use jiff::SignedDuration;

/// The longest pause, however often it failed.
const LONGEST: SignedDuration = SignedDuration::from_hours(1);

/// `first` after the first failure, then twice as long each time, an hour at most. `attempts` failed before this one.
pub(crate) fn pause_after(attempts: i32, first: SignedDuration) -> SignedDuration {
    let doublings = u32::try_from(attempts).unwrap_or(0).min(12);
    (first * 2_i32.pow(doublings)).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_an_hour() {
        let half_a_minute = SignedDuration::from_secs(30);
        let pauses = [0, 1, 2, 6, 7, 30, i32::MAX].map(|attempts| pause_after(attempts, half_a_minute).as_secs());
        assert_eq!(pauses, [30, 60, 120, 1920, 3600, 3600, 3600]);
    }
}
