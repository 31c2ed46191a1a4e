//! What stands above a column of the desk.

use super::calendar::Head;
use crate::words;
use domain::AppointmentState;
use jiff::{SignedDuration, Timestamp, civil::Date};
use scheduler::{DeskVisit, PractitionerView, ResourceKind, ResourceView, Standing};

/// Below this nobody calls it late.
const WORTH_SAYING: SignedDuration = SignedDuration::from_mins(5);

/// A practitioner: how late they run, or else what they do.
pub(super) fn practitioner(one: &PractitionerView, appointments: &[&DeskVisit], now: Timestamp) -> Head {
    let late = runs_late(appointments, now);
    Head {
        initials: words::initials(&one.title_and_name),
        title: one.short.clone(),
        line: late.map_or_else(|| one.speciality.to_lowercase(), |late| format!("{} late", words::length(late))),
        is_late: late.is_some(),
        href: None,
    }
}

/// An interpreter, a room or a device.
pub(super) fn resource(one: &ResourceView) -> Head {
    let languages: Vec<_> = one.languages.iter().map(|tag| words::language(tag)).collect();
    Head {
        initials: words::initials(&one.name),
        title: one.name.clone(),
        line: match one.kind {
            ResourceKind::Interpreter => languages.join(", "),
            ResourceKind::Room => "room".to_owned(),
            ResourceKind::Device => "device".to_owned(),
        },
        is_late: false,
        href: None,
    }
}

/// A day of a practitioner's week.
pub(super) fn day(date: Date, appointments: &[&DeskVisit], query: &str) -> Head {
    let visits = appointments.iter().filter(|a| super::calendar::is_shown(a)).count();
    Head {
        initials: String::new(),
        title: date.strftime("%a %-d %b").to_string(),
        line: match visits {
            0 => "no visits".to_owned(),
            1 => "1 visit".to_owned(),
            more => format!("{more} visits"),
        },
        is_late: false,
        href: Some(format!("/desk?date={date}{query}")),
    }
}

/// By how much a practitioner is behind: the visit that should have ended, or the patient who should have been admitted.
pub(super) fn runs_late(appointments: &[&DeskVisit], now: Timestamp) -> Option<SignedDuration> {
    let behind = |visit: &&DeskVisit| match (visit.standing.state, visit.standing) {
        (AppointmentState::Fulfilled, Standing { admitted_at: Some(_), finished_at: None, .. }) => Some(visit.ends_at),
        (AppointmentState::Arrived, Standing { left: false, starts_at, .. }) => Some(starts_at),
        _ => None,
    };
    let since = appointments.iter().filter_map(behind).min()?;
    Some(now.duration_since(since)).filter(|late| *late >= WORTH_SAYING)
}
