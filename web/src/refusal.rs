//! What stands in the way, by one name for people and programs: `data-code` on a page, `code` and the end of `type` in a problem of
//! the API. A name never changes; the sentence beside it may.

use axum::http::StatusCode;
use scheduler::{
    AddToWaitlistError, BookError, CancelError, ChangeScheduleError, RescheduleError, SendLinkError, UndoMissedError,
    WalkInError, schedules::fields::Fault,
};
use std::fmt;

/// A refusal on a page: its name, and the sentence for the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: Code,
    pub(crate) sentence: String,
}

impl Refusal {
    pub(crate) fn new(code: impl Into<Code>, sentence: impl Into<String>) -> Self {
        Self { code: code.into(), sentence: sentence.into() }
    }

    /// What was typed cannot be read, or says too little.
    pub(crate) fn invalid(sentence: impl Into<String>) -> Self {
        Self::new(Code::Invalid, sentence)
    }

    /// What is wrong is said below each field.
    pub(crate) fn fields(code: Code) -> Self {
        Self::new(code, "Something needs correcting. It is said below the field.")
    }
}

macro_rules! codes {
    ($($name:ident $status:ident $code:literal $title:literal,)*) => {
        /// Which refusal.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Code { $($name,)* }

        impl Code {
            /// Every refusal there is, for the description.
            pub(crate) const ALL: &[Self] = &[$(Self::$name,)*];

            pub(crate) const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)* }
            }

            pub(crate) const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            pub(crate) const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }
        }
    };
}

codes! {
    Malformed BAD_REQUEST "malformed" "The request cannot be read",
    TokenMissing UNAUTHORIZED "token-missing" "A token is needed",
    TokenUnknown UNAUTHORIZED "token-unknown" "The token is not good",
    Forbidden FORBIDDEN "forbidden" "The token's role may not do this",
    NotFound NOT_FOUND "not-found" "There is no such thing",
    MethodNotAllowed METHOD_NOT_ALLOWED "method-not-allowed" "This cannot be done here",
    SlotTaken CONFLICT "slot-taken" "The time is taken",
    PatientBusy CONFLICT "patient-busy" "The patient has another appointment",
    NoInterpreterFree CONFLICT "no-interpreter-free" "No interpreter is free",
    RoomTaken CONFLICT "room-taken" "The room is taken",
    DeviceTaken CONFLICT "device-taken" "The device is taken",
    HoldGone CONFLICT "hold-gone" "The time is not held any more",
    SeriesConflicts CONFLICT "series-conflicts" "Some visits of the series cannot be booked",
    WrongState CONFLICT "wrong-state" "The appointment does not allow this any more",
    TooEarly CONFLICT "too-early" "The waiting room is not open yet",
    TooLate CONFLICT "too-late" "It is too late for this",
    AddressTaken CONFLICT "address-taken" "Another clinic has this address",
    TooManyOfThem CONFLICT "too-many" "There are as many as there may be",
    VersionMismatch PRECONDITION_FAILED "version-mismatch" "The appointment has been changed in the meantime",
    TooLarge PAYLOAD_TOO_LARGE "too-large" "The request is too large",
    UnsupportedMediaType UNSUPPORTED_MEDIA_TYPE "unsupported-media-type" "The body is not JSON",
    Invalid UNPROCESSABLE_ENTITY "invalid" "Some fields need correcting",
    NoSuchTime UNPROCESSABLE_ENTITY "no-such-time" "There is no such day or time",
    NoSuchZone UNPROCESSABLE_ENTITY "no-such-zone" "There is no such time zone",
    EndsBeforeItBegins UNPROCESSABLE_ENTITY "ends-before-it-begins" "The end is not after the beginning",
    InThePast UNPROCESSABLE_ENTITY "in-the-past" "The time has passed",
    OutsideSchedule UNPROCESSABLE_ENTITY "outside-schedule" "The practitioner does not see patients then",
    TooSoon UNPROCESSABLE_ENTITY "too-soon" "The visit would begin too soon",
    TooFarAhead UNPROCESSABLE_ENTITY "too-far-ahead" "The visit is too far ahead",
    NotOffered UNPROCESSABLE_ENTITY "not-offered" "The practitioner does not offer this type of visit",
    NoSuchPatient UNPROCESSABLE_ENTITY "no-such-patient" "There is no such patient",
    NoSuchPractitioner UNPROCESSABLE_ENTITY "no-such-practitioner" "There is no such practitioner",
    NoSuchVisitType UNPROCESSABLE_ENTITY "no-such-visit-type" "There is no such type of visit",
    NoSuchResource UNPROCESSABLE_ENTITY "no-such-resource" "There is no such room or device",
    NoAddress UNPROCESSABLE_ENTITY "no-address" "No address of the patient is known",
    IdempotencyKeyReused UNPROCESSABLE_ENTITY "idempotency-key-reused" "The idempotency key was used for another request",
    TargetRefused UNPROCESSABLE_ENTITY "target-refused" "The address cannot be told",
    TooManyRequests TOO_MANY_REQUESTS "too-many-requests" "Too many requests",
    Failed INTERNAL_SERVER_ERROR "failed" "Something went wrong on our side",
    Busy SERVICE_UNAVAILABLE "busy" "Busier than we can serve",
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl From<&BookError> for Code {
    fn from(refusal: &BookError) -> Self {
        match refusal {
            BookError::SlotTaken => Self::SlotTaken,
            BookError::PatientBusy => Self::PatientBusy,
            BookError::NoInterpreterFree => Self::NoInterpreterFree,
            BookError::RoomTaken => Self::RoomTaken,
            BookError::DeviceTaken => Self::DeviceTaken,
            BookError::OutsideSchedule => Self::OutsideSchedule,
            BookError::TooSoon => Self::TooSoon,
            BookError::TooFarAhead => Self::TooFarAhead,
            BookError::NotOffered => Self::NotOffered,
            BookError::InThePast => Self::InThePast,
            BookError::NoSuchPatient => Self::NoSuchPatient,
            BookError::NoSuchPractitioner => Self::NoSuchPractitioner,
            BookError::NoSuchResource => Self::NoSuchResource,
            BookError::HoldGone => Self::HoldGone,
            BookError::TooManyHolds => Self::TooManyOfThem,
            BookError::KeyReused => Self::IdempotencyKeyReused,
            BookError::ReasonMissing => Self::Invalid,
            BookError::Database(error) if service::postgres::gave_up(error) => Self::Busy,
            BookError::Database(_) => Self::Failed,
        }
    }
}

impl From<&RescheduleError> for Code {
    fn from(refusal: &RescheduleError) -> Self {
        match refusal {
            RescheduleError::NotFound => Self::NotFound,
            RescheduleError::NotPossible(_) | RescheduleError::Waits => Self::WrongState,
            RescheduleError::ReasonMissing => Self::Invalid,
            RescheduleError::Changed => Self::VersionMismatch,
            RescheduleError::Refused(refusal) => refusal.into(),
            RescheduleError::Conflicts(_) => Self::SeriesConflicts,
            RescheduleError::Database(_) => Self::Failed,
        }
    }
}

impl From<&CancelError> for Code {
    fn from(refusal: &CancelError) -> Self {
        match refusal {
            CancelError::NotFound => Self::NotFound,
            CancelError::NotPossible(_) => Self::WrongState,
            CancelError::ReasonMissing => Self::Invalid,
            CancelError::TooLate => Self::TooLate,
            CancelError::Changed => Self::VersionMismatch,
            CancelError::Database(_) => Self::Failed,
        }
    }
}

impl From<&WalkInError> for Code {
    fn from(refusal: &WalkInError) -> Self {
        match refusal {
            WalkInError::PatientBusy => Self::PatientBusy,
            WalkInError::QueueFull => Self::TooManyOfThem,
            WalkInError::NotOffered => Self::NotOffered,
            WalkInError::NoSuchPatient => Self::NoSuchPatient,
            WalkInError::NoSuchPractitioner => Self::NoSuchPractitioner,
            WalkInError::Database(_) => Self::Failed,
        }
    }
}

impl From<&AddToWaitlistError> for Code {
    fn from(refusal: &AddToWaitlistError) -> Self {
        match refusal {
            AddToWaitlistError::NoSuchPatient => Self::NoSuchPatient,
            AddToWaitlistError::NotOffered => Self::NotOffered,
            AddToWaitlistError::NoTime => Self::EndsBeforeItBegins,
            AddToWaitlistError::NoteTooLong => Self::Invalid,
            AddToWaitlistError::Full => Self::TooManyOfThem,
            AddToWaitlistError::Database(_) => Self::Failed,
        }
    }
}

impl From<&UndoMissedError> for Code {
    fn from(refusal: &UndoMissedError) -> Self {
        match refusal {
            UndoMissedError::NotFound => Self::NotFound,
            UndoMissedError::NotPossible(_) => Self::WrongState,
            UndoMissedError::ReasonMissing => Self::Invalid,
            UndoMissedError::TimeTaken => Self::SlotTaken,
            UndoMissedError::Database(_) => Self::Failed,
        }
    }
}

impl From<&SendLinkError> for Code {
    fn from(refusal: &SendLinkError) -> Self {
        match refusal {
            SendLinkError::NotFound => Self::NotFound,
            SendLinkError::NoAddress => Self::NoAddress,
            SendLinkError::Over => Self::WrongState,
            SendLinkError::Database(_) => Self::Failed,
        }
    }
}

impl From<&ChangeScheduleError> for Code {
    fn from(refusal: &ChangeScheduleError) -> Self {
        match refusal {
            ChangeScheduleError::NotAllowed => Self::Forbidden,
            ChangeScheduleError::NoSuchPractitioner => Self::NoSuchPractitioner,
            ChangeScheduleError::Gone => Self::VersionMismatch,
            ChangeScheduleError::Database(_) => Self::Failed,
        }
    }
}

impl From<Fault> for Code {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::NoSuchTime => Self::NoSuchTime,
            Fault::NoSuchZone => Self::NoSuchZone,
            Fault::EndsBeforeItBegins => Self::EndsBeforeItBegins,
            Fault::InThePast => Self::InThePast,
            Fault::TooFarAhead => Self::TooFarAhead,
            Fault::Other => Self::Invalid,
        }
    }
}
