//! When a practitioner works and when a visit may begin, worked out from rules: no database, no clock.

use super::wall::{after_midnight, first_instant, instant};
use jiff::{
    SignedDuration, Timestamp, ToSpan as _,
    civil::{Date, DateTime, Weekday},
    tz::TimeZone,
};

/// From one instant up to another.
pub(crate) type Span = (Timestamp, Timestamp);

/// Work on one weekday, on the clock on the wall of a zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// On which day.
    pub weekday: Weekday,
    /// Minutes after the day's midnight.
    pub from_minute: i16,
    /// The same; 1440 is the midnight that ends the day.
    pub to_minute: i16,
    /// A visit may begin at the start and every so many minutes after it.
    pub slot_minutes: i16,
    /// Where the wall is.
    pub zone: TimeZone,
    /// The first day on which it holds; none is no bound.
    pub valid_from: Option<Date>,
    /// The last day on which it holds; none is no bound.
    pub valid_to: Option<Date>,
    /// Every so many weeks, counted from the week of `valid_from`.
    pub every_weeks: i16,
}

impl Rule {
    fn holds_on(&self, date: Date) -> bool {
        date.weekday() == self.weekday
            && self.valid_from.is_none_or(|from| from <= date)
            && self.valid_to.is_none_or(|to| date <= to)
            && self.is_its_week(date)
    }

    fn is_its_week(&self, date: Date) -> bool {
        let Some(from) = self.valid_from.filter(|_| self.every_weeks > 1) else {
            return true;
        };
        let days = monday_of(from).until(monday_of(date)).map_or(0, |span| span.get_days());
        (days / 7) % i32::from(self.every_weeks) == 0
    }
}

fn monday_of(date: Date) -> Date {
    date.saturating_sub(i64::from(date.weekday().to_monday_zero_offset()).days())
}

/// What a time besides the weekly rules means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Besides {
    /// A holiday of the whole clinic.
    ClinicClosed,
    /// Leave.
    Away,
    /// Hours given on top; a visit may begin every so many minutes.
    Extra {
        /// As of a weekly rule.
        slot_minutes: i16,
    },
}

/// A time besides the weekly rules, on the clock on the wall of a zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    /// What it does.
    pub besides: Besides,
    /// When it begins.
    pub wall_from: DateTime,
    /// When it ends.
    pub wall_to: DateTime,
    /// Where the wall is.
    pub zone: TimeZone,
}

impl Exception {
    /// The instants of its beginning and its end.
    pub fn span(&self) -> (Timestamp, Timestamp) {
        (first_instant(self.wall_from, &self.zone), first_instant(self.wall_to, &self.zone))
    }
}

/// A piece of work with the times at which visits may begin in it.
struct Opening<'a> {
    span: Span,
    wall_from: DateTime,
    wall_to: DateTime,
    slot_minutes: i16,
    zone: &'a TimeZone,
}

/// Everything that says when one practitioner works.
///
/// A holiday of the clinic closes the weekly hours, but not hours that were given on top: whoever gives hours on a holiday means
/// it. Leave closes both.
#[derive(Debug, Clone, Default)]
pub(crate) struct Timetable {
    pub(crate) rules: Vec<Rule>,
    pub(crate) exceptions: Vec<Exception>,
}

impl Timetable {
    /// When the practitioner works, in order and apart from each other: everything that reaches into `[from, to)`.
    pub(crate) fn hours(&self, from: Timestamp, to: Timestamp) -> Vec<Span> {
        let (weekly, extra) = self.openings(from, to);
        self.hours_of(&weekly, &extra)
    }

    /// When a visit of so many minutes may begin in `[from, to)`, in order: it lies wholly in the hours.
    pub(crate) fn starts(&self, minutes: i16, from: Timestamp, to: Timestamp) -> Vec<Timestamp> {
        let length = SignedDuration::from_mins(minutes.into());
        // A visit may last beyond the end of the time that is asked for.
        let (weekly, extra) = self.openings(from, to.saturating_add(length).unwrap_or(Timestamp::MAX));
        let hours = self.hours_of(&weekly, &extra);
        let mut starts: Vec<Timestamp> = weekly
            .iter()
            .chain(&extra)
            .flat_map(|opening| opening.starts(from, to))
            .filter(|at| lies_in(&hours, *at, length))
            .collect();
        starts.sort_unstable();
        starts.dedup();
        starts
    }

    /// Whether the practitioner works all the time from one instant to another.
    pub(crate) fn holds(&self, from: Timestamp, to: Timestamp) -> bool {
        lies_in(&self.hours(from, to), from, to.duration_since(from))
    }

    fn hours_of(&self, weekly: &[Opening<'_>], extra: &[Opening<'_>]) -> Vec<Span> {
        let closed = |what: Besides| {
            merge(self.exceptions.iter().filter(|one| one.besides == what).map(Exception::span).collect())
        };
        let usual = merge(weekly.iter().map(|opening| opening.span).collect());
        let mut open = without(&usual, &closed(Besides::ClinicClosed));
        open.extend(extra.iter().map(|opening| opening.span));
        without(&merge(open), &closed(Besides::Away))
    }

    /// The weekly openings that may touch `[from, to)` and their neighbours, and the extra ones.
    fn openings(&self, from: Timestamp, to: Timestamp) -> (Vec<Opening<'_>>, Vec<Opening<'_>>) {
        let weekly = self.rules.iter().flat_map(|rule| weekly(rule, from, to)).collect();
        let extra = self.exceptions.iter().filter_map(extra).collect();
        (weekly, extra)
    }
}

fn weekly(rule: &Rule, from: Timestamp, to: Timestamp) -> impl Iterator<Item = Opening<'_>> {
    let first = rule.zone.to_datetime(from).date().saturating_sub(1.day());
    let last = rule.zone.to_datetime(to).date().saturating_add(1.day());
    let ahead = (i64::from(rule.weekday.since(first.weekday()))).days();
    let dates = first.saturating_add(ahead).series(7.days()).take_while(move |date| *date <= last);
    dates.filter(|date| rule.holds_on(*date)).map(|date| {
        let (wall_from, wall_to) = (after_midnight(date, rule.from_minute), after_midnight(date, rule.to_minute));
        Opening {
            span: (first_instant(wall_from, &rule.zone), first_instant(wall_to, &rule.zone)),
            wall_from,
            wall_to,
            slot_minutes: rule.slot_minutes,
            zone: &rule.zone,
        }
    })
}

fn extra(exception: &Exception) -> Option<Opening<'_>> {
    let Besides::Extra { slot_minutes } = exception.besides else {
        return None;
    };
    let (wall_from, wall_to) = (exception.wall_from, exception.wall_to);
    Some(Opening { span: exception.span(), wall_from, wall_to, slot_minutes, zone: &exception.zone })
}

impl Opening<'_> {
    /// When a visit may begin in `[from, to)`: by the clock on the wall, and never at a time that it skips.
    fn starts(&self, from: Timestamp, to: Timestamp) -> Vec<Timestamp> {
        if self.span.1 <= from || to <= self.span.0 {
            return Vec::new();
        }
        if self.is_even() { self.even_starts(from, to) } else { self.starts_by_the_wall(from, to) }
    }

    /// Whether the clock shows the times in between one after the other: it does where it shows as much time pass as passes. In more
    /// than a day it may do so twice, forward and back.
    fn is_even(&self) -> bool {
        let passes = self.span.1.duration_since(self.span.0);
        passes == self.wall_from.duration_until(self.wall_to) && passes <= SignedDuration::from_hours(24)
    }

    /// Nearly every day has no change of the clock, and looking each time up takes many times as long as adding minutes.
    fn even_starts(&self, from: Timestamp, to: Timestamp) -> Vec<Timestamp> {
        let step = SignedDuration::from_mins(self.slot_minutes.max(1).into());
        let mut at = self.span.0;
        let mut starts = Vec::new();
        while at < self.span.1.min(to) {
            if from <= at {
                starts.push(at);
            }
            at += step;
        }
        starts
    }

    fn starts_by_the_wall(&self, from: Timestamp, to: Timestamp) -> Vec<Timestamp> {
        let step = i64::from(self.slot_minutes.max(1)).minutes();
        let walls = self.wall_from.series(step).take_while(|wall| *wall < self.wall_to);
        walls.filter_map(|wall| instant(wall, self.zone)).filter(|at| from <= *at && *at < to).collect()
    }
}

/// Whether one of the `hours` holds all of a visit.
fn lies_in(hours: &[Span], at: Timestamp, length: SignedDuration) -> bool {
    let after = hours.partition_point(|(from, _)| *from <= at);
    after.checked_sub(1).is_some_and(|last| at.saturating_add(length).is_ok_and(|end| end <= hours[last].1))
}

/// The same time without overlaps, in order; empty spans are left out.
pub(crate) fn merge(mut spans: Vec<Span>) -> Vec<Span> {
    spans.retain(|(from, to)| from < to);
    spans.sort_unstable();
    let mut merged: Vec<Span> = Vec::with_capacity(spans.len());
    for (from, to) in spans {
        match merged.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            _ => merged.push((from, to)),
        }
    }
    merged
}

/// What of `spans` is left when the time of `holes` is taken out. Both are in order and without overlaps, and so is what is left.
pub(crate) fn without(spans: &[Span], holes: &[Span]) -> Vec<Span> {
    let mut left = Vec::with_capacity(spans.len());
    for &(from, to) in spans {
        let mut from = from;
        let first = holes.partition_point(|hole| hole.1 <= from);
        for &(hole_from, hole_to) in holes[first..].iter().take_while(|hole| hole.0 < to) {
            if from < hole_from {
                left.push((from, hole_from));
            }
            from = from.max(hole_to);
        }
        if from < to {
            left.push((from, to));
        }
    }
    left
}

/// Whether nothing of `[from, to)` is taken. `taken` is in order and without overlaps.
pub(crate) fn is_free(taken: &[Span], from: Timestamp, to: Timestamp) -> bool {
    let next = taken.partition_point(|one| one.1 <= from);
    taken.get(next).is_none_or(|one| one.0 >= to)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }

    fn rule(from_minute: i16, to_minute: i16, slot_minutes: i16) -> Rule {
        Rule {
            weekday: Weekday::Tuesday,
            from_minute,
            to_minute,
            slot_minutes,
            zone: TimeZone::UTC,
            valid_from: None,
            valid_to: None,
            every_weeks: 1,
        }
    }

    /// What a Tuesday in November offers.
    fn tuesday(rules: &[Rule], exceptions: &[Exception], minutes: i16) -> Vec<String> {
        let table = Timetable { rules: rules.to_vec(), exceptions: exceptions.to_vec() };
        let starts = table.starts(minutes, at("2026-11-24T00:00:00Z"), at("2026-11-25T00:00:00Z"));
        starts.iter().map(|at| at.to_zoned(TimeZone::UTC).strftime("%H:%M").to_string()).collect()
    }

    fn exception(besides: Besides, from: &str, to: &str) -> Exception {
        let wall = |time: &str| format!("2026-11-24T{time}").parse().expect("a time");
        Exception { besides, wall_from: wall(from), wall_to: wall(to), zone: TimeZone::UTC }
    }

    #[test]
    fn a_visit_that_would_end_after_hours_is_not_offered() {
        assert_eq!(tuesday(&[rule(540, 600, 15)], &[], 45), ["09:00", "09:15"]);
    }

    #[test]
    fn a_visit_may_lie_across_two_rules_that_touch() {
        assert_eq!(tuesday(&[rule(540, 570, 30), rule(570, 600, 30)], &[], 45), ["09:00"]);
    }

    #[test]
    fn leave_and_holidays_close_and_extra_hours_hold_on_a_holiday_but_not_on_leave() {
        let usual = [rule(540, 660, 30)];
        let holiday = exception(Besides::ClinicClosed, "00:00", "23:59");
        let leave = exception(Besides::Away, "10:00", "10:30");
        let extra = exception(Besides::Extra { slot_minutes: 30 }, "09:30", "11:00");
        assert_eq!(tuesday(&usual, std::slice::from_ref(&leave), 30), ["09:00", "09:30", "10:30"]);
        assert!(tuesday(&usual, std::slice::from_ref(&holiday), 30).is_empty());
        assert_eq!(tuesday(&usual, &[holiday.clone(), extra.clone()], 30), ["09:30", "10:00", "10:30"]);
        assert_eq!(tuesday(&usual, &[holiday, extra, leave], 30), ["09:30", "10:30"]);
    }

    #[test]
    fn a_rule_of_every_other_week_counts_from_the_week_it_began() {
        let since = |date: &str| Rule { every_weeks: 2, valid_from: date.parse().ok(), ..rule(540, 570, 30) };
        assert_eq!(tuesday(&[since("2026-11-13")], &[], 30).len(), 1, "a Friday, and the week is what counts");
        assert!(tuesday(&[since("2026-11-20")], &[], 30).is_empty());
        assert!(tuesday(&[since("2026-11-08")], &[], 30).is_empty(), "the Sunday that ends the week three before");
        assert_eq!(tuesday(&[since("2026-11-24")], &[], 30).len(), 1);
    }

    #[test]
    fn a_rule_holds_from_its_first_day_to_its_last() {
        let valid = |from: &str, to: &str| Rule {
            valid_from: from.parse().ok(),
            valid_to: to.parse().ok(),
            ..rule(540, 570, 30)
        };
        assert_eq!(tuesday(&[valid("2026-11-24", "2026-11-24")], &[], 30).len(), 1);
        assert!(tuesday(&[valid("2026-11-25", "2026-12-24")], &[], 30).is_empty());
        assert!(tuesday(&[valid("2026-10-25", "2026-11-23")], &[], 30).is_empty());
    }
}
