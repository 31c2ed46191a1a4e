//! What stands on the grid: an appointment with its state in words, a free piece of time, a closed one.

use super::{
    calendar::Entry,
    grid::{Grid, ROW, clock_face},
};
use crate::{pages::state, words};
use domain::{AppointmentId, AppointmentState, PractitionerId};
use jiff::{SignedDuration, Timestamp, civil::Date};
use scheduler::{DeskVisit, HeldTime, ResourceKind, Standing};

/// From here on somebody who waits needs a word from the desk.
pub(super) const LONG_WAIT: SignedDuration = SignedDuration::from_mins(20);

/// The span, in rows, below which an entry has one line.
const ONE_LINE: i64 = 3;

pub(super) enum Content {
    Appointment(Shown),
    /// May be booked.
    Free {
        starts_at: Timestamp,
    },
    /// Somebody is about to book it: who.
    Held {
        words: String,
    },
    /// Nobody works; until when.
    Closed {
        until: String,
    },
}

/// An appointment as its entry says it.
pub(super) struct Shown {
    pub(super) id: AppointmentId,
    pub(super) class: String,
    pub(super) patient: String,
    /// How it stands.
    pub(super) state: String,
    /// The state needs attention.
    pub(super) is_urgent: bool,
    /// What kind of visit, and who comes along.
    pub(super) about: String,
    pub(super) is_movable: bool,
}

/// An appointment in the column of `practitioner`; in another column, what matters is with whom it is, and it is not moved there.
pub(super) fn appointment(
    grid: &Grid<'_>,
    date: Date,
    practitioner: Option<PractitionerId>,
    a: &DeskVisit,
    now: Timestamp,
) -> Entry {
    let standing = a.standing;
    let (row, span) = place(grid, date, (standing.starts_at, a.ends_at));
    let mut class = class(standing, now).to_owned();
    if a.lane > 0 {
        class.push_str(" over");
    }
    if span < ONE_LINE {
        class.push_str(" slim");
    }
    let shown = Shown {
        id: a.id,
        class,
        patient: a.patient.clone(),
        state: state_line(grid, a, now),
        is_urgent: state::is_late(standing, now) || standing.left || waits_long(standing, now),
        about: if practitioner.is_some() { about(a) } else { format!("with {}", a.practitioner.short) },
        is_movable: practitioner.is_some() && standing.state.reschedule().is_ok(),
    };
    let time = words::time(standing.starts_at, grid.zone);
    Entry { row, span, beside: (1, 1), time, content: Content::Appointment(shown) }
}

pub(super) fn free(grid: &Grid<'_>, date: Date, slot: (Timestamp, Timestamp)) -> Entry {
    let (row, span) = place(grid, date, slot);
    let content = Content::Free { starts_at: slot.0 };
    Entry { row, span, beside: (1, 1), time: words::time(slot.0, grid.zone), content }
}

/// A time that cannot be booked now, and may be free again in a moment.
pub(super) fn held(grid: &Grid<'_>, date: Date, one: &HeldTime) -> Entry {
    let (row, span) = place(grid, date, (one.starts_at, one.ends_at));
    let words = match &one.held_by {
        Some(name) => format!("being booked by {name}"),
        None if one.is_offered => "offered to the waitlist".to_owned(),
        None => "being booked online".to_owned(),
    };
    Entry { row, span, beside: (1, 1), time: words::time(one.starts_at, grid.zone), content: Content::Held { words } }
}

/// What lies between the hours.
pub(super) fn closed(grid: &Grid<'_>, date: Date, hours: Vec<(Timestamp, Timestamp)>) -> Vec<Entry> {
    let mut open: Vec<_> =
        hours.into_iter().map(|(from, to)| (grid.minute(date, from), grid.minute(date, to))).collect();
    open.sort_unstable();
    let (mut closed, mut from) = (Vec::new(), grid.start);
    for (opens, closes) in open.into_iter().chain([(grid.end, grid.end)]) {
        if opens - from >= ROW {
            closed.push(Entry {
                row: grid.row(from),
                span: grid.row(opens) - grid.row(from),
                beside: (1, 1),
                time: clock_face(from),
                content: Content::Closed { until: clock_face(opens) },
            });
        }
        from = from.max(closes);
    }
    closed
}

fn place(grid: &Grid<'_>, date: Date, (from, to): (Timestamp, Timestamp)) -> (i64, i64) {
    let row = grid.row(grid.minute(date, from));
    (row, (grid.row(grid.minute(date, to)) - row).max(1))
}

fn waits_long(a: Standing, now: Timestamp) -> bool {
    let waited = now.duration_since(a.arrived_at.unwrap_or(now));
    a.state == AppointmentState::Arrived && !a.left && waited >= LONG_WAIT
}

fn class(a: Standing, now: Timestamp) -> &'static str {
    match a.state {
        AppointmentState::Arrived if a.left => "late",
        AppointmentState::Arrived if waits_long(a, now) => "wait long",
        AppointmentState::Arrived => "wait",
        AppointmentState::NoShow => "noshow",
        AppointmentState::Booked if state::is_late(a, now) => "late",
        AppointmentState::Booked | AppointmentState::Cancelled => "booked",
        AppointmentState::Fulfilled if a.admitted_at.is_some() && a.finished_at.is_none() => "now",
        AppointmentState::Fulfilled => "done",
    }
}

/// What kind of visit it is, who comes along, and that it is beside another on purpose.
fn about(a: &DeskVisit) -> String {
    let over = a.overbook_reason.as_ref().filter(|_| a.lane > 0).map(|reason| format!("Overbooked: {reason}"));
    let with = a.resources.iter().map(|one| match one.kind {
        ResourceKind::Interpreter => format!("with {}", one.name),
        ResourceKind::Room | ResourceKind::Device => one.name.clone(),
    });
    over.into_iter().chain([a.visit_type.to_string()]).chain(with).collect::<Vec<_>>().join(" · ")
}

/// How it stands, in the fewest words. Who waits is said with the time of their arrival, which does not change every minute.
fn state_line(grid: &Grid<'_>, visit: &DeskVisit, now: Timestamp) -> String {
    let a = visit.standing;
    match (a.state, a.arrived_at) {
        (AppointmentState::Arrived, Some(at)) if !a.left && waits_long(a, now) => {
            format!("Here since {} · waits {}", words::time(at, grid.zone), words::length(now.duration_since(at)))
        }
        (AppointmentState::Arrived, Some(at)) if !a.left => format!("Here since {}", words::time(at, grid.zone)),
        // What is as it should be needs no word: the kind of visit stands in its place.
        (AppointmentState::Booked, _) if visit.is_confirmed && !state::is_late(a, now) => "Confirmed".to_owned(),
        (AppointmentState::Booked, _) if !state::is_late(a, now) => String::new(),
        _ => state::chip(a, now, grid.zone).word,
    }
}
