//! What stands in the way of a booking, in sentences.

use super::times;
use crate::{
    errors::PageError,
    refusal::{Code, Refusal},
    state::WebState,
    words,
};
use domain::Actor;
use jiff::tz::TimeZone;
use scheduler::{BookError, BookRequest, SeriesConflict};

/// The box above the form.
pub(super) struct Notice {
    pub(super) code: Code,
    pub(super) what: String,
    pub(super) then: String,
    /// Of a series: which visits cannot be had, and why.
    pub(super) conflicts: Vec<String>,
    /// The time may be had beside the other visit, for a reason.
    pub(super) may_overbook: bool,
}

const KEPT: &str = "Everything else you entered is still here.";

/// What to do about a patient who has another appointment then.
pub(crate) const PATIENT_BUSY: &str = "Choose another time, or cancel the other appointment first.";

impl Notice {
    /// A field says too little, or what cannot be.
    pub(super) fn missing(refusal: Refusal) -> Self {
        let Refusal { code, sentence: what } = refusal;
        Self { code, what, then: KEPT.to_owned(), conflicts: Vec::new(), may_overbook: false }
    }

    /// Some visits of a series cannot be had.
    pub(super) fn conflicts(conflicts: &[SeriesConflict]) -> Self {
        Self {
            code: Code::SeriesConflicts,
            what: match conflicts.len() {
                1 => "One visit of the series cannot be booked.".to_owned(),
                more => format!("{more} visits of the series cannot be booked."),
            },
            then: match conflicts.len() {
                1 => "None is booked yet. Leave it out and book the others, or choose another time.".to_owned(),
                _ => "None is booked yet. Leave these out and book the others, or choose another time.".to_owned(),
            },
            conflicts: lines(conflicts),
            may_overbook: false,
        }
    }

    /// The refusal as a sentence with the time and the name in it.
    pub(super) async fn refused(
        state: &WebState,
        by: &Actor,
        zone: &TimeZone,
        request: &BookRequest,
        refusal: &BookError,
    ) -> Result<Self, PageError> {
        let practitioners = scheduler::practitioners(&state.db, by).await?;
        let with = practitioners.into_iter().find(|one| one.id == request.practitioner);
        let with = with.map_or_else(|| "this practitioner".to_owned(), |one| one.short);
        let what = sentence(refusal, &words::time(request.starts_at, zone), &with);
        let then = match refusal {
            BookError::PatientBusy => PATIENT_BUSY.to_owned(),
            BookError::NoSuchPatient => "Find the patient again.".to_owned(),
            BookError::Database(_) => format!("{KEPT} Press “Book” again."),
            refusal if another_time_helps(refusal) => {
                let what = (request.practitioner, request.visit_type);
                format!("{KEPT} {}", times::instead(state, by, what, request.starts_at, zone).await?)
            }
            _ => KEPT.to_owned(),
        };
        let may_overbook = matches!(refusal, BookError::SlotTaken);
        Ok(Self { code: refusal.into(), what, then, conflicts: Vec::new(), may_overbook })
    }
}

/// Whether the practitioner's other free times of that day are worth naming.
pub(crate) const fn another_time_helps(refusal: &BookError) -> bool {
    match refusal {
        BookError::SlotTaken
        | BookError::NoInterpreterFree
        | BookError::RoomTaken
        | BookError::DeviceTaken
        | BookError::OutsideSchedule
        | BookError::TooSoon
        | BookError::InThePast
        | BookError::HoldGone => true,
        // The patient is free at none of them for certain, and the others are no matter of the time of day.
        BookError::PatientBusy
        | BookError::TooFarAhead
        | BookError::NotOffered
        | BookError::NoSuchPatient
        | BookError::NoSuchPractitioner
        | BookError::NoSuchResource
        | BookError::TooManyHolds
        | BookError::KeyReused
        | BookError::ReasonMissing
        | BookError::Database(_) => false,
    }
}

/// The days on which visits of a series cannot be had, and why.
pub(crate) fn lines(conflicts: &[SeriesConflict]) -> Vec<String> {
    let line = |one: &SeriesConflict| format!("{}: {}", one.wall_time.strftime("%A %-d %B, %H:%M"), why(&one.why));
    conflicts.iter().map(line).collect()
}

/// What was refused, at `time` with `with`.
pub(crate) fn sentence(refusal: &BookError, time: &str, with: &str) -> String {
    match refusal {
        BookError::SlotTaken => format!("{time} with {with} has just been taken."),
        BookError::PatientBusy => format!("The patient has another appointment at {time}."),
        BookError::NoInterpreterFree => format!("No interpreter between these languages is free at {time}."),
        BookError::RoomTaken => format!("The room is taken at {time}."),
        BookError::DeviceTaken => format!("The device is taken at {time}."),
        BookError::OutsideSchedule => format!("{with} does not work at {time}, or not for as long as the visit takes."),
        BookError::TooSoon => format!("{time} is too soon for this type of visit."),
        BookError::TooFarAhead => "That day is too far ahead for this type of visit.".to_owned(),
        BookError::NotOffered => format!("{with} does not offer this type of visit."),
        BookError::InThePast => format!("{time} has passed."),
        BookError::NoSuchPatient => "This patient is not known here.".to_owned(),
        BookError::NoSuchPractitioner => "This practitioner is not known here.".to_owned(),
        BookError::NoSuchResource => "This room or device is not known here.".to_owned(),
        BookError::HoldGone => format!("{time} was not held any longer."),
        BookError::TooManyHolds => "Too many times are being held at once.".to_owned(),
        BookError::KeyReused => "This form was sent before with other details.".to_owned(),
        BookError::ReasonMissing => "Say why, in at most 500 characters. It stays in the history.".to_owned(),
        BookError::Database(_) => "So many are booking at this moment that it took too long.".to_owned(),
    }
}

/// In a list of days the time is said already.
fn why(refusal: &BookError) -> &'static str {
    match refusal {
        BookError::SlotTaken => "taken",
        BookError::PatientBusy => "the patient has another appointment",
        BookError::NoInterpreterFree => "no interpreter is free",
        BookError::RoomTaken => "the room is taken",
        BookError::DeviceTaken => "the device is taken",
        BookError::OutsideSchedule => "outside working hours",
        BookError::TooFarAhead => "too far ahead",
        BookError::TooSoon | BookError::InThePast => "too soon",
        _ => "cannot be booked",
    }
}
