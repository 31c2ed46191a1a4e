//! Beside the calendar: who waits, longest first; who must be rung, and what to say; what was called off.

use super::{entry::LONG_WAIT, heads::runs_late};
use crate::{
    pages::state::{self, Chip},
    words,
};
use domain::{AppointmentId, AppointmentState, PractitionerId};
use jiff::{Timestamp, tz::TimeZone};
use scheduler::{AppointmentView, DeskView, DeskVisit, Readiness, messages::MessageKind};
use std::collections::HashMap;

/// Everybody's visits of the day.
pub(super) type ByPractitioner<'a> = HashMap<PractitionerId, Vec<&'a DeskVisit>>;

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
    pub(super) visit: DeskVisit,
    pub(super) time: String,
    pub(super) chip: Chip,
    pub(super) turn: String,
    pub(super) readiness: Option<Chip>,
    /// Has waited so long that the desk should do something.
    pub(super) is_long: bool,
}

/// Somebody who needs a call, and why.
pub(super) struct ToRing {
    pub(super) appointment: AppointmentId,
    pub(super) patient: String,
    pub(super) phone: Option<String>,
    pub(super) time: String,
    pub(super) why: &'static str,
}

impl Side {
    pub(super) fn new(view: &DeskView, by_practitioner: &ByPractitioner<'_>, now: Timestamp, zone: &TimeZone) -> Self {
        let visits = &view.visits[..];
        let mut to_ring = to_ring(view, now, zone);
        let more_to_ring = to_ring.len().saturating_sub(MAX_TO_RING);
        to_ring.truncate(MAX_TO_RING);
        let cancelled = visits.iter().filter(|one| one.standing.state == AppointmentState::Cancelled);
        Self {
            waiting: waiting(visits, by_practitioner, now, zone),
            to_ring,
            more_to_ring,
            cancelled: cancelled.map(|one| row(by_practitioner, one, now, zone)).collect(),
        }
    }

    /// How many wait too long.
    pub(super) fn has_long(&self) -> bool {
        self.waiting.iter().any(|one| one.is_long)
    }
}

/// Who waits, longest first.
fn waiting(
    visits: &[DeskVisit],
    by_practitioner: &ByPractitioner<'_>,
    now: Timestamp,
    zone: &TimeZone,
) -> Vec<Waiting> {
    let waits = |one: &&DeskVisit| one.standing.state == AppointmentState::Arrived && !one.standing.left;
    let mut waiting: Vec<_> = visits.iter().filter(waits).collect();
    waiting.sort_by_key(|one| one.standing.arrived_at);
    waiting.into_iter().map(|one| row(by_practitioner, one, now, zone)).collect()
}

fn row(by_practitioner: &ByPractitioner<'_>, visit: &DeskVisit, now: Timestamp, zone: &TimeZone) -> Waiting {
    let waited = now.duration_since(visit.standing.arrived_at.unwrap_or(now));
    let is_long = waited >= LONG_WAIT;
    let theirs = by_practitioner.get(&visit.practitioner.id).map_or(&[][..], Vec::as_slice);
    Waiting {
        time: words::time(visit.standing.starts_at, zone),
        chip: Chip { class: if is_long { "alert" } else { "wait" }, word: words::length(waited) },
        turn: match (visit.ahead, runs_late(theirs, now)) {
            (_, Some(late)) => format!("running {} late", words::length(late)),
            (0, None) => "next".to_owned(),
            (1, None) => "one before".to_owned(),
            (ahead, None) => format!("{ahead} before"),
        },
        readiness: state::readiness(visit.readiness),
        is_long,
        visit: visit.clone(),
    }
}

/// Whose visit is in trouble now, then those whom no message reached.
fn to_ring(view: &DeskView, now: Timestamp, zone: &TimeZone) -> Vec<ToRing> {
    let in_trouble = view.visits.iter().filter_map(|one| Some(in_trouble(one, reason_to_ring(one, now)?, zone)));
    let mut to_ring: Vec<_> = in_trouble.collect();
    for (appointment, kind) in &view.unreached {
        if !to_ring.iter().any(|one| one.appointment == appointment.id) {
            to_ring.push(unreached(appointment, undelivered(*kind), now, zone));
        }
    }
    to_ring
}

fn in_trouble(visit: &DeskVisit, why: &'static str, zone: &TimeZone) -> ToRing {
    ToRing {
        appointment: visit.id,
        patient: visit.patient.clone(),
        phone: visit.phone.clone(),
        time: words::time(visit.standing.starts_at, zone),
        why,
    }
}

fn unreached(appointment: &AppointmentView, why: &'static str, now: Timestamp, zone: &TimeZone) -> ToRing {
    let starts_at = appointment.starts_at;
    ToRing {
        appointment: appointment.id,
        patient: appointment.patient.name.clone(),
        phone: appointment.patient.phone.clone(),
        time: match words::day_of(starts_at, zone) == words::day_of(now, zone) {
            true => words::time(starts_at, zone),
            false => starts_at.to_zoned(zone.clone()).strftime("%a %H:%M").to_string(),
        },
        why,
    }
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
fn reason_to_ring(visit: &DeskVisit, now: Timestamp) -> Option<&'static str> {
    if state::is_late(visit.standing, now) {
        return Some("The time has come and nobody is here. Ask whether the link arrived.");
    }
    if visit.standing.state != AppointmentState::Arrived {
        return None;
    }
    match visit.readiness {
        _ if visit.standing.left => Some("Left the waiting room. Opening the link again takes the same place."),
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
