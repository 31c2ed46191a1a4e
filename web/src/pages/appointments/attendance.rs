//! Who was where and when, as a list on the appointment's page; and, where nobody met, by whom it was missed and the way to take that back.

use crate::words;
use askama::Template;
use domain::{AppointmentId, AppointmentState};
use jiff::tz::TimeZone;
use scheduler::{Absent, AppointmentView, Place, Presence, Present};

/// The list. Rendered into the page by its own template.
#[derive(Template)]
#[template(path = "appointments/attendance.html")]
pub(crate) struct Attendance {
    appointment: AppointmentId,
    intervals: Vec<Interval>,
    /// By whom the visit was missed, when it was.
    missed: Option<String>,
    /// Why a person took that back.
    taken_back: Option<String>,
    /// The reason for taking it back, as typed.
    reason: String,
}

struct Interval {
    who: &'static str,
    place: &'static str,
    when: String,
}

impl Attendance {
    /// The attendance of an appointment. `reason` is what was typed for taking a miss back.
    pub(crate) fn new(appointment: &AppointmentView, presences: &[Presence], reason: String, zone: &TimeZone) -> Self {
        let is_missed = appointment.state == AppointmentState::NoShow;
        Self {
            appointment: appointment.id,
            intervals: presences.iter().map(|presence| interval(presence, zone)).collect(),
            missed: is_missed.then(|| missed(appointment, presences, zone)),
            taken_back: appointment.outcome_reason.clone(),
            reason,
        }
    }

    /// Nothing to tell: the visit lies ahead.
    fn is_empty(&self) -> bool {
        self.intervals.is_empty() && self.missed.is_none() && self.taken_back.is_none()
    }
}

fn interval(presence: &Presence, zone: &TimeZone) -> Interval {
    Interval {
        who: match presence.who {
            Present::Patient => "Patient",
            Present::Practitioner => "Practitioner",
        },
        place: match presence.place {
            Place::WaitingRoom => "in the waiting room",
            Place::Consultation => "in the consultation",
        },
        when: between(presence, presence, zone),
    }
}

/// `10:02–10:29`.
fn between(first: &Presence, last: &Presence, zone: &TimeZone) -> String {
    format!("{}–{}", words::time(first.began_at, zone), words::time(last.last_seen_at, zone))
}

/// `Waited 10:02–10:29, was not seen.`
fn missed(appointment: &AppointmentView, presences: &[Presence], zone: &TimeZone) -> String {
    let waited = |presence: &&Presence| presence.place == Place::WaitingRoom && presence.who == Present::Patient;
    let (first, last) = (presences.iter().find(waited), presences.iter().rfind(waited));
    match (appointment.absent, first.zip(last)) {
        (Some(Absent::Practitioner), Some((first, last))) => {
            format!("Waited {}, was not seen.", between(first, last, zone))
        }
        (Some(Absent::Practitioner), None) => "The patient waited and was not seen.".to_owned(),
        (Some(Absent::Both), Some((first, last))) => {
            format!("Was there {}, left early, and was not seen.", between(first, last, zone))
        }
        (Some(Absent::Both), None) => "Neither waited long enough to meet.".to_owned(),
        (Some(Absent::Patient) | None, _) => "The patient did not come.".to_owned(),
    }
}
