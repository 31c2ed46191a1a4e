//! Beside the calendar: who waits, longest first; who must be rung, and what to say; what was called off.

use super::{entry::LONG_WAIT, heads::runs_late};
use crate::{
    pages::state::{self, Chip},
    words,
};
use domain::{AppointmentState, PractitionerId};
use jiff::{Timestamp, tz::TimeZone};
use scheduler::{AppointmentView, DeskView, Readiness, messages::MessageKind};
use std::collections::HashMap;

/// Everybody's appointments of the day.
pub(super) type ByPractitioner<'a> = HashMap<PractitionerId, Vec<&'a AppointmentView>>;

/// How many who must be rung the list shows: more is a clinic in trouble, and no list of calls.
const MAX_TO_RING: usize = 30;

pub(super) struct Side {
    pub(super) waiting: Vec<Waiting>,
    pub(super) to_ring: Vec<ToRing>,
    /// How many more there are to ring than the list shows.
    pub(super) more_to_ring: usize,
    pub(super) cancelled: Vec<Waiting>,
}

/// Somebody in the waiting room, or whose visit was called off.
pub(super) struct Waiting {
    pub(super) appointment: AppointmentView,
    pub(super) time: String,
    pub(super) chip: Chip,
    pub(super) turn: String,
    pub(super) readiness: Option<Chip>,
    /// Has waited so long that the desk should do something.
    pub(super) is_long: bool,
}

/// Somebody who needs a call, and why.
pub(super) struct ToRing {
    pub(super) appointment: AppointmentView,
    pub(super) time: String,
    pub(super) why: &'static str,
}

impl Side {
    pub(super) fn new(view: &DeskView, by_practitioner: &ByPractitioner<'_>, now: Timestamp, zone: &TimeZone) -> Self {
        let appointments = &view.appointments[..];
        let mut to_ring = to_ring(view, now, zone);
        let more_to_ring = to_ring.len().saturating_sub(MAX_TO_RING);
        to_ring.truncate(MAX_TO_RING);
        let cancelled = appointments.iter().filter(|a| a.state == AppointmentState::Cancelled);
        Self {
            waiting: waiting(appointments, by_practitioner, now, zone),
            to_ring,
            more_to_ring,
            cancelled: cancelled.map(|a| row(by_practitioner, a, now, zone)).collect(),
        }
    }

    /// How many wait too long.
    pub(super) fn has_long(&self) -> bool {
        self.waiting.iter().any(|one| one.is_long)
    }
}

/// Who waits, longest first.
fn waiting(
    appointments: &[AppointmentView],
    by_practitioner: &ByPractitioner<'_>,
    now: Timestamp,
    zone: &TimeZone,
) -> Vec<Waiting> {
    let mut waiting: Vec<_> = appointments.iter().filter(|a| a.state == AppointmentState::Arrived && !a.left).collect();
    waiting.sort_by_key(|a| a.arrived_at);
    waiting.into_iter().map(|a| row(by_practitioner, a, now, zone)).collect()
}

fn row(
    by_practitioner: &ByPractitioner<'_>,
    appointment: &AppointmentView,
    now: Timestamp,
    zone: &TimeZone,
) -> Waiting {
    let waited = now.duration_since(appointment.arrived_at.unwrap_or(now));
    let is_long = waited >= LONG_WAIT;
    let theirs = by_practitioner.get(&appointment.practitioner.id).map_or(&[][..], Vec::as_slice);
    Waiting {
        time: words::time(appointment.starts_at, zone),
        chip: Chip { class: if is_long { "alert" } else { "wait" }, word: words::length(waited) },
        turn: match (appointment.ahead, runs_late(theirs, now)) {
            (_, Some(late)) => format!("running {} late", words::length(late)),
            (0, None) => "next".to_owned(),
            (1, None) => "one before".to_owned(),
            (ahead, None) => format!("{ahead} before"),
        },
        readiness: state::readiness(appointment.readiness),
        is_long,
        appointment: appointment.clone(),
    }
}

/// Whose visit is in trouble now, then those whom no message reached.
fn to_ring(view: &DeskView, now: Timestamp, zone: &TimeZone) -> Vec<ToRing> {
    let today = words::day_of(now, zone);
    let row = |appointment: &AppointmentView, why| ToRing {
        why,
        time: match words::day_of(appointment.starts_at, zone) {
            day if day == today => words::time(appointment.starts_at, zone),
            _ => appointment.starts_at.to_zoned(zone.clone()).strftime("%a %H:%M").to_string(),
        },
        appointment: appointment.clone(),
    };
    let in_trouble = view.appointments.iter().filter_map(|a| Some(row(a, reason_to_ring(a, now)?)));
    let mut to_ring: Vec<_> = in_trouble.collect();
    for (appointment, kind) in &view.unreached {
        if !to_ring.iter().any(|one| one.appointment.id == appointment.id) {
            to_ring.push(row(appointment, undelivered(*kind)));
        }
    }
    to_ring
}

/// What somebody does not know of, since the message about it was not delivered.
pub(crate) fn undelivered(kind: Option<MessageKind>) -> &'static str {
    match kind {
        None => "Neither an e-mail address nor a phone number for messages is known.",
        Some(MessageKind::Confirmation) => "The confirmation was not delivered.",
        Some(MessageKind::Change) => "The message about the new time was not delivered.",
        Some(MessageKind::Cancellation) => "The message that the visit is cancelled was not delivered.",
        Some(MessageKind::Reminder) => "The reminder was not delivered.",
        Some(MessageKind::Link | MessageKind::WaitlistOffer | MessageKind::SelfBooking) => {
            "The last message was not delivered."
        }
    }
}

/// The sentence that says what is wrong and what to say.
fn reason_to_ring(appointment: &AppointmentView, now: Timestamp) -> Option<&'static str> {
    if state::is_late(appointment, now) {
        return Some("The time has come and nobody is here. Ask whether the link arrived.");
    }
    if appointment.state != AppointmentState::Arrived {
        return None;
    }
    match appointment.readiness {
        _ if appointment.left => Some("Left the waiting room. Opening the link again takes the same place."),
        Readiness::NoWebrtc => Some("The browser cannot do video. “Open the link in Chrome, Firefox or Safari.”"),
        Readiness::Nothing => {
            Some("Camera and microphone were refused. “Press the lock beside the address, then allow both.”")
        }
        Readiness::CameraOnly => {
            Some("Microphone was refused. “Press the lock beside the address, then Microphone, Allow.”")
        }
        Readiness::NotChecked | Readiness::CameraAndMicrophone | Readiness::MicrophoneOnly => None,
    }
}
