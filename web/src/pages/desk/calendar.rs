//! The grid of the desk: columns of practitioners over rows of five minutes. Places are classes of the style sheet
//! (`at-12`, `for-4`), since the content security policy forbids `style` attributes.

use crate::{pages::state, words};
use domain::{AppointmentId, AppointmentState, EncounterState};
use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, Time},
    tz::TimeZone,
};
use scheduler::{AppointmentView, PractitionerView, Slot};

/// Minutes in a row.
const ROW: i64 = 5;

/// Minutes between two lines.
const HALF_HOUR: i64 = 30;

/// What an empty day shows.
const OFFICE_HOURS: (i64, i64) = (9 * 60, 17 * 60);

pub(super) struct Calendar {
    /// Every half hour: its row and its label.
    pub(super) hours: Vec<(i64, String)>,
    /// How many rows there are.
    pub(super) rows: i64,
    /// Where the line of the present is, on the day itself.
    pub(super) now: Option<Now>,
    pub(super) columns: Vec<Column>,
}

/// The present: its row, the minutes beyond, the time.
pub(super) struct Now {
    pub(super) row: i64,
    pub(super) minute: i64,
    pub(super) time: String,
}

pub(super) struct Column {
    pub(super) practitioner: PractitionerView,
    pub(super) initials: String,
    pub(super) entries: Vec<Entry>,
}

/// A piece of a column, in the order of the day.
pub(super) struct Entry {
    pub(super) row: i64,
    pub(super) span: i64,
    pub(super) time: String,
    pub(super) content: Content,
}

pub(super) enum Content {
    Appointment { id: AppointmentId, class: &'static str, patient: String, line: String },
    Free { starts_at: Timestamp },
}

impl Calendar {
    pub(super) fn new(
        date: Date,
        zone: &TimeZone,
        now: Timestamp,
        columns: Vec<(PractitionerView, Vec<Slot>)>,
        appointments: &[AppointmentView],
    ) -> Self {
        let grid = Grid::over(date, zone, &columns, appointments);
        let columns = columns.into_iter().map(|(practitioner, free)| {
            let booked = appointments.iter().filter(|a| a.practitioner.id == practitioner.id && is_shown(a));
            let booked = booked.map(|a| grid.appointment(a, now));
            let mut entries: Vec<_> = booked.chain(free.iter().map(|slot| grid.free(slot))).collect();
            entries.sort_by_key(|entry| entry.row);
            Column { initials: words::initials(&practitioner.title_and_name), practitioner, entries }
        });
        Self {
            hours: grid.hours(now),
            rows: (grid.end - grid.start) / ROW,
            now: grid.now(now),
            columns: columns.collect(),
        }
    }
}

/// What was called off gives its time back, and stands beside the grid.
fn is_shown(appointment: &AppointmentView) -> bool {
    appointment.state != AppointmentState::Cancelled
}

/// Which part of the day is shown, in minutes of the clinic's wall clock.
struct Grid<'a> {
    date: Date,
    zone: &'a TimeZone,
    start: i64,
    end: i64,
}

impl<'a> Grid<'a> {
    fn over(
        date: Date,
        zone: &'a TimeZone,
        columns: &[(PractitionerView, Vec<Slot>)],
        appointments: &[AppointmentView],
    ) -> Self {
        let free = columns.iter().flat_map(|(_, free)| free).map(|slot| (slot.starts_at, slot.ends_at));
        let booked = appointments.iter().filter(|a| is_shown(a)).map(|a| (a.starts_at, a.ends_at));
        let mut grid = Grid { date, zone, start: 24 * 60, end: 0 };
        let (mut start, mut end) = (24 * 60, 0);
        for (from, to) in booked.chain(free) {
            start = start.min(grid.minute(from));
            end = end.max(grid.minute(to));
        }
        let (start, end) = if start < end { (start, end) } else { OFFICE_HOURS };
        grid.start = start - start.rem_euclid(HALF_HOUR);
        grid.end = (end + (HALF_HOUR - end.rem_euclid(HALF_HOUR)) % HALF_HOUR).min(24 * 60);
        grid
    }

    /// The minute of the shown day, on the wall clock; what lies on another day is at its edge.
    fn minute(&self, at: Timestamp) -> i64 {
        let local = at.to_zoned(self.zone.clone()).datetime();
        match local.date() {
            date if date < self.date => 0,
            date if date > self.date => 24 * 60,
            _ => i64::from(local.hour()) * 60 + i64::from(local.minute()),
        }
    }

    fn row(&self, minute: i64) -> i64 {
        (minute - self.start).max(0) / ROW
    }

    fn hours(&self, now: Timestamp) -> Vec<(i64, String)> {
        let label = |minute: i64| {
            let midnight = Time::midnight();
            midnight.wrapping_add(SignedDuration::from_mins(minute)).strftime("%H:%M").to_string()
        };
        // The label of the present covers whichever it is close to.
        let present = (words::day_of(now, self.zone) == self.date).then(|| self.minute(now));
        let is_free = |minute: &i64| present.is_none_or(|present| (present - minute).abs() >= 8);
        (self.start..self.end)
            .step_by(usize::try_from(HALF_HOUR).expect("positive"))
            .filter(is_free)
            .map(|minute| (self.row(minute), label(minute)))
            .collect()
    }

    fn now(&self, now: Timestamp) -> Option<Now> {
        let minute = self.minute(now);
        let is_shown = self.start <= minute && minute < self.end && words::day_of(now, self.zone) == self.date;
        is_shown.then(|| Now {
            row: self.row(minute),
            minute: (minute - self.start) % ROW,
            time: words::time(now, self.zone),
        })
    }

    fn entry(&self, from: Timestamp, to: Timestamp, content: Content) -> Entry {
        let row = self.row(self.minute(from));
        let span = (self.row(self.minute(to)) - row).max(1);
        Entry { row, span, time: words::time(from, self.zone), content }
    }

    fn free(&self, slot: &Slot) -> Entry {
        self.entry(slot.starts_at, slot.ends_at, Content::Free { starts_at: slot.starts_at })
    }

    fn appointment(&self, a: &AppointmentView, now: Timestamp) -> Entry {
        let content = Content::Appointment {
            id: a.id,
            class: class(a, now),
            patient: a.patient.name.clone(),
            line: line(a, now, self.zone),
        };
        self.entry(a.starts_at, a.ends_at, content)
    }
}

fn class(a: &AppointmentView, now: Timestamp) -> &'static str {
    match a.state {
        AppointmentState::Arrived if a.left => "late",
        AppointmentState::Arrived if now.duration_since(a.arrived_at.unwrap_or(now)) >= super::LONG_WAIT => "wait long",
        AppointmentState::Arrived => "wait",
        AppointmentState::NoShow => "noshow",
        AppointmentState::Booked if state::is_late(a, now) => "late",
        AppointmentState::Booked | AppointmentState::Cancelled => "booked",
        AppointmentState::Fulfilled => match &a.encounter {
            Some(encounter) if encounter.state == EncounterState::InProgress => "now",
            _ => "done",
        },
    }
}

/// The second line of an entry. Who waits is said with the time of their arrival: it does not change every minute.
fn line(a: &AppointmentView, now: Timestamp, zone: &TimeZone) -> String {
    match (a.state, a.arrived_at) {
        (AppointmentState::Arrived, Some(at)) if !a.left => format!("Here since {}", words::time(at, zone)),
        _ => state::chip(a, now, zone).word,
    }
}
