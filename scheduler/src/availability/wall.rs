//! From the clock on the wall to instants, and what is decided where the clock jumps.
//!
//! * Where the clock jumps forward, the times it skips do not exist: no visit begins then. Hours that begin or end within the gap
//!   begin or end when the clock jumps.
//! * Where the clock is put back, a time that comes twice means the first: two slots of one name would be mistaken for each
//!   other. Hours last until the clock first shows their end.

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, DateTime},
    tz::{AmbiguousOffset, TimeZone},
};

/// The only instant at which the clock shows `wall`, or the first of two; `None` where the clock skips it.
pub(crate) fn instant(wall: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    let at = zone.to_ambiguous_timestamp(wall);
    if matches!(at.offset(), AmbiguousOffset::Gap { .. }) { None } else { at.earlier().ok() }
}

/// The first instant at which the clock shows `wall` or later.
pub(crate) fn first_instant(wall: DateTime, zone: &TimeZone) -> Timestamp {
    if let Some(at) = instant(wall, zone) {
        return at;
    }
    // Read with the offset after the gap, a skipped time lies before the jump.
    let before = zone.to_ambiguous_timestamp(wall).earlier();
    let jump = before.ok().and_then(|before| zone.following(before).next());
    jump.map_or(Timestamp::MAX, |jump| jump.timestamp())
}

/// The time that lies so many minutes after a day's midnight on the clock on the wall; 1440 is the midnight that ends the day.
pub(crate) fn after_midnight(date: Date, minutes: i16) -> DateTime {
    let midnight = date.at(0, 0, 0, 0);
    midnight.checked_add(SignedDuration::from_mins(minutes.into())).unwrap_or(DateTime::MAX)
}

/// The first instant of a day in a zone, and of the next.
pub(crate) fn bounds(date: Date, zone: &TimeZone) -> (Timestamp, Timestamp) {
    let start = |date: Date| first_instant(date.at(0, 0, 0, 0), zone);
    (start(date), start(date.tomorrow().unwrap_or(Date::MAX)))
}

/// The IANA name of a zone.
pub(crate) fn zone_name(zone: &TimeZone) -> &str {
    zone.iana_name().expect("a zone that was found by its name has one")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).expect("a known zone")
    }

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }

    #[test]
    fn what_the_clock_skips_does_not_exist_and_later_hours_begin_at_the_jump() {
        let wall = "2027-03-28T01:30".parse().expect("a time");
        assert_eq!(instant(wall, &zone("Europe/London")), None);
        assert_eq!(first_instant(wall, &zone("Europe/London")), at("2027-03-28T01:00:00Z"));
    }

    #[test]
    fn what_comes_twice_means_the_first() {
        let wall = "2026-10-25T01:30".parse().expect("a time");
        assert_eq!(instant(wall, &zone("Europe/London")), Some(at("2026-10-25T00:30:00Z")));
        let half = "2027-04-04T01:45".parse().expect("a time");
        assert_eq!(instant(half, &zone("Australia/Lord_Howe")), Some(at("2027-04-03T14:45:00Z")));
    }

    #[test]
    fn a_day_begins_when_the_clock_first_shows_it() {
        // Midnight is skipped in Beirut when summer begins.
        let (start, end) = bounds("2027-03-28".parse().expect("a date"), &zone("Asia/Beirut"));
        assert_eq!(end.duration_since(start), SignedDuration::from_hours(23));
    }
}
