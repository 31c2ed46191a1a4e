//! How an appointment stands, in a word and a shape, the same on every page of those who work here.

use crate::words;
use domain::AppointmentState;
use jiff::{Timestamp, tz::TimeZone};
use scheduler::{Absent, Readiness, Standing};

/// A state as a chip: its class in the style sheet, and its word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chip {
    /// `wait`, `now`, `done`, `alert` or nothing.
    pub(crate) class: &'static str,
    /// What it says.
    pub(crate) word: String,
}

impl Chip {
    fn new(class: &'static str, word: impl Into<String>) -> Self {
        Self { class, word: word.into() }
    }
}

/// The chip of an appointment at `now`.
pub(crate) fn chip(appointment: Standing, now: Timestamp, zone: &TimeZone) -> Chip {
    match appointment.state {
        AppointmentState::Booked if is_late(appointment, now) => Chip::new("alert", "Not here yet"),
        AppointmentState::Booked => Chip::new("", "Booked"),
        AppointmentState::Arrived if appointment.left => Chip::new("alert", "Left the waiting room"),
        AppointmentState::Arrived => Chip::new("wait", waiting(appointment, now)),
        AppointmentState::Cancelled => Chip::new("", "Cancelled"),
        AppointmentState::NoShow => Chip::new("alert", missed(appointment.absent)),
        AppointmentState::Fulfilled => match (appointment.admitted_at, appointment.finished_at) {
            (Some(from), Some(to)) => Chip::new("done", format!("Seen, {}", words::length(to.duration_since(from)))),
            (Some(from), None) => Chip::new("now", format!("In the visit since {}", words::time(from, zone))),
            (None, _) => Chip::new("done", "Seen"),
        },
    }
}

/// Who missed whom. A patient who waited did come.
const fn missed(absent: Option<Absent>) -> &'static str {
    match absent {
        Some(Absent::Practitioner) => "Waited, was not seen",
        Some(Absent::Both) => "Did not meet",
        Some(Absent::Patient) | None => "Did not come",
    }
}

/// How long the patient waits: `Waiting 6 min`, at first `Has just come`.
fn waiting(appointment: Standing, now: Timestamp) -> String {
    let waited = now.duration_since(appointment.arrived_at.unwrap_or(now));
    if words::minutes(waited) == 0 { "Has just come".to_owned() } else { format!("Waiting {}", words::length(waited)) }
}

/// The time has come and the patient has not.
pub(crate) fn is_late(appointment: Standing, now: Timestamp) -> bool {
    appointment.state == AppointmentState::Booked && now >= appointment.starts_at
}

/// What the patient's device check found, if it was done.
pub(crate) fn readiness(readiness: Readiness) -> Option<Chip> {
    Some(match readiness {
        Readiness::NotChecked => return None,
        Readiness::CameraAndMicrophone => Chip::new("done", "Camera and microphone ok"),
        Readiness::MicrophoneOnly => Chip::new("done", "Microphone ok, no camera"),
        Readiness::CameraOnly => Chip::new("alert", "Camera ok, no microphone"),
        Readiness::Nothing => Chip::new("alert", "No camera, no microphone"),
        Readiness::NoWebrtc => Chip::new("alert", "Browser cannot do video"),
    })
}
