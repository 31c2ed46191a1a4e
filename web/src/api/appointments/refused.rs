//! Why a time could not be had, for programs.

use crate::api::problem::{Code, Conflict, Problem};
use scheduler::{BookError, SeriesConflict};

/// The refusal of a booking, a hold or a move.
pub(crate) fn refused(error: BookError) -> Problem {
    let code = Code::from(&error);
    let (field, detail) = match error {
        BookError::SlotTaken => {
            return Problem::new(code, "Somebody else has that time of the practitioner.");
        }
        BookError::PatientBusy => {
            return Problem::new(code, "The patient has another appointment at that time.");
        }
        BookError::NoInterpreterFree => {
            return Problem::new(code, "Nobody who speaks both languages is free at that time.");
        }
        BookError::RoomTaken => return Problem::new(code, "The room is reserved at that time."),
        BookError::DeviceTaken => return Problem::new(code, "The device is reserved at that time."),
        BookError::HoldGone => {
            return Problem::new(code, "The hold has expired, was used, or was for something else.");
        }
        BookError::TooManyHolds => return Problem::new(code, "As many times are held as may be."),
        BookError::KeyReused => {
            let detail = "This key was sent with another request. Use a new key for a new request.";
            return Problem::field(code, "Idempotency-Key", detail);
        }
        BookError::Database(error) => return error.into(),
        BookError::OutsideSchedule => {
            ("start", "No slot of the practitioner begins then. The list of slots says when.")
        }
        BookError::TooSoon => ("start", "This type of visit must be booked longer before."),
        BookError::TooFarAhead => ("start", "This type of visit may not be booked so long before."),
        BookError::InThePast => ("start", "The time has passed."),
        BookError::NotOffered => ("visit_type_id", "The practitioner does not offer this type of visit."),
        BookError::NoSuchPatient => ("patient_id", "The clinic has no such patient."),
        BookError::NoSuchPractitioner => ("practitioner_id", "The clinic has no such practitioner."),
        BookError::NoSuchResource => ("room_id", "The clinic has no such room or device."),
        BookError::ReasonMissing => ("overbook_reason", "Give a reason of 1 to 500 characters."),
    };
    Problem::field(code, field, detail)
}

/// The refusal of a series: which of its visits cannot be had, and why.
pub(crate) fn conflicts(conflicts: Vec<SeriesConflict>) -> Problem {
    let conflicts = conflicts
        .into_iter()
        .map(|conflict| {
            let why = refused(conflict.why);
            Conflict::new(conflict.starts_at, conflict.wall_time, &why)
        })
        .collect();
    Problem::new(Code::SeriesConflicts, "None was booked or moved: some visits of the series cannot be had.")
        .with_conflicts(conflicts)
}
