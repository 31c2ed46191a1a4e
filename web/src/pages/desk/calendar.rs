//! The grid of the desk: columns over rows of five minutes. Places are classes of the style sheet (`at-12`, `for-4`,
//! `nr-1 of-2`), since the content security policy forbids `style` attributes.

use super::{entry, entry::Content, grid::Grid, side_by_side::side_by_side};
use crate::words;
use domain::{AppointmentState, PractitionerId};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use scheduler::{DeskVisit, HeldTime};

/// From here on a column is not worth dividing: whoever comes as the fifth at one time lies on the fourth.
pub(super) const MAX_BESIDE: usize = 4;

/// A calendar of a day, a column a practitioner; or of a practitioner, a column a day.
pub(super) struct Calendar {
    /// What it is, for those who do not see it.
    pub(super) label: &'static str,
    /// Every half hour: its row and its label.
    pub(super) hours: Vec<(i64, String)>,
    /// How many rows there are.
    pub(super) rows: i64,
    /// The minute of the day with which the first row begins.
    pub(super) first_minute: i64,
    /// Where the line of the present is.
    pub(super) now: Option<Now>,
    pub(super) columns: Vec<Column>,
}

/// The present: its row, the minutes beyond, the time.
pub(super) struct Now {
    pub(super) row: i64,
    pub(super) minute: i64,
    pub(super) time: String,
}

/// What stands above a column.
pub(super) struct Head {
    /// Letters in a circle: a practitioner. Without: a day.
    pub(super) initials: String,
    pub(super) title: String,
    pub(super) line: String,
    /// The line says something that needs attention.
    pub(super) is_late: bool,
    /// Where a press on the title leads.
    pub(super) href: Option<String>,
}

/// What a column is made of.
pub(super) struct ColumnOf<'a> {
    pub(super) key: String,
    pub(super) head: Head,
    pub(super) date: Date,
    /// Whom what is dropped here is moved to; a room is nobody.
    pub(super) practitioner: Option<PractitionerId>,
    /// When it is open; what lies between is hatched. `None`: open whenever it likes.
    pub(super) hours: Option<Vec<(Timestamp, Timestamp)>>,
    pub(super) free: Vec<(Timestamp, Timestamp)>,
    pub(super) appointments: Vec<&'a DeskVisit>,
    /// What somebody is about to book.
    pub(super) held: Vec<&'a HeldTime>,
}

pub(super) struct Column {
    pub(super) key: String,
    pub(super) head: Head,
    pub(super) date: Date,
    pub(super) practitioner: Option<PractitionerId>,
    /// The present lies in it.
    pub(super) is_now: bool,
    /// In the order of the day.
    pub(super) entries: Vec<Entry>,
}

/// A piece of a column.
pub(super) struct Entry {
    pub(super) row: i64,
    pub(super) span: i64,
    /// Which of how many that share the width.
    pub(super) beside: (usize, usize),
    pub(super) time: String,
    pub(super) content: Content,
}

impl Calendar {
    pub(super) fn new(label: &'static str, zone: &TimeZone, now: Timestamp, columns: Vec<ColumnOf<'_>>) -> Self {
        let grid = Grid::over(zone, &columns);
        let today = words::day_of(now, zone);
        let is_now = columns.iter().any(|column| column.date == today);
        let now_line = if is_now { grid.now(now) } else { None };
        Self {
            label,
            hours: grid.hours(now_line.is_some().then_some(now)),
            rows: grid.rows(),
            first_minute: grid.start,
            columns: columns
                .into_iter()
                .map(|column| {
                    let is_now = now_line.is_some() && column.date == today;
                    self::column(&grid, column, now, is_now)
                })
                .collect(),
            now: now_line,
        }
    }

    /// Nothing is on the page that an arrow could reach.
    pub(super) fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }
}

fn column(grid: &Grid<'_>, of: ColumnOf<'_>, now: Timestamp, is_now: bool) -> Column {
    let shown = of.appointments.into_iter().filter(|a| is_shown(a));
    let mut booked: Vec<_> = shown.map(|a| entry::appointment(grid, of.date, of.practitioner, a, now)).collect();
    side_by_side(&mut booked);
    let free = of.free.into_iter().map(|slot| entry::free(grid, of.date, slot));
    let held = of.held.into_iter().map(|one| entry::held(grid, of.date, one));
    let closed = of.hours.map(|hours| entry::closed(grid, of.date, hours)).unwrap_or_default();
    let mut entries: Vec<_> = booked.into_iter().chain(held).chain(free).chain(closed).collect();
    entries.sort_by_key(|entry| (entry.row, entry.beside.0));
    Column { key: of.key, head: of.head, date: of.date, practitioner: of.practitioner, is_now, entries }
}

/// What was called off gives its time back, and stands beside the grid.
pub(super) fn is_shown(visit: &DeskVisit) -> bool {
    visit.standing.state != AppointmentState::Cancelled
}
