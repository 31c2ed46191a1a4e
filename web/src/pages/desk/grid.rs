//! Which part of the day the calendar shows, in minutes of the clinic's wall clock, and the row of each of them.

use super::calendar::{ColumnOf, Now, is_shown};
use crate::words;
use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, Time},
    tz::TimeZone,
};

/// Minutes in a row.
pub(super) const ROW: i64 = 5;

/// Minutes between two lines.
const HALF_HOUR: i64 = 30;

/// What an empty day shows.
const OFFICE_HOURS: (i64, i64) = (9 * 60, 17 * 60);

pub(super) struct Grid<'a> {
    pub(super) zone: &'a TimeZone,
    pub(super) start: i64,
    pub(super) end: i64,
}

impl<'a> Grid<'a> {
    /// From the first to the last thing that any column has, in whole half hours.
    pub(super) fn over(zone: &'a TimeZone, columns: &[ColumnOf<'_>]) -> Self {
        let grid = Grid { zone, start: 0, end: 24 * 60 };
        let (mut start, mut end) = (24 * 60, 0);
        for column in columns {
            let booked = column.appointments.iter().filter(|a| is_shown(a)).map(|a| (a.standing.starts_at, a.ends_at));
            let open = column.hours.iter().flatten().chain(&column.free).copied();
            for (from, to) in booked.chain(open) {
                start = start.min(grid.minute(column.date, from));
                end = end.max(grid.minute(column.date, to));
            }
        }
        let (start, end) = if start < end { (start, end) } else { OFFICE_HOURS };
        let end = (end + (HALF_HOUR - end.rem_euclid(HALF_HOUR)) % HALF_HOUR).min(24 * 60);
        Grid { zone, start: start - start.rem_euclid(HALF_HOUR), end }
    }

    pub(super) fn rows(&self) -> i64 {
        (self.end - self.start) / ROW
    }

    /// The minute of `date` on the wall clock; what lies on another day is at its edge.
    pub(super) fn minute(&self, date: Date, at: Timestamp) -> i64 {
        let local = self.zone.to_datetime(at);
        match local.date() {
            day if day < date => 0,
            day if day > date => 24 * 60,
            _ => i64::from(local.hour()) * 60 + i64::from(local.minute()),
        }
    }

    pub(super) fn row(&self, minute: i64) -> i64 {
        (minute - self.start).max(0) / ROW
    }

    /// Each half hour with its label; the label of the present covers whichever it is close to.
    pub(super) fn hours(&self, now: Option<Timestamp>) -> Vec<(i64, String)> {
        let present = now.map(|now| self.minute(words::day_of(now, self.zone), now));
        let is_free = |minute: &i64| present.is_none_or(|present| (present - minute).abs() >= 8);
        (self.start..self.end)
            .step_by(usize::try_from(HALF_HOUR).expect("positive"))
            .filter(is_free)
            .map(|minute| (self.row(minute), clock_face(minute)))
            .collect()
    }

    pub(super) fn now(&self, now: Timestamp) -> Option<Now> {
        let minute = self.minute(words::day_of(now, self.zone), now);
        let is_shown = self.start <= minute && minute < self.end;
        is_shown.then(|| Now {
            row: self.row(minute),
            minute: (minute - self.start) % ROW,
            time: words::time(now, self.zone),
        })
    }
}

/// `09:30` for the minute 570 of a day.
pub(super) fn clock_face(minute: i64) -> String {
    Time::midnight().wrapping_add(SignedDuration::from_mins(minute)).strftime("%H:%M").to_string()
}
