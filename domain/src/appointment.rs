//! The appointment: the plan for a consultation, and when its patient may come.

use crate::InvalidTransition;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Where an appointment stands (FHIR R4 AppointmentStatus, the part of it that is in use).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "sqlx", derive(sqlx::Type), sqlx(type_name = "text", rename_all = "lowercase"))]
#[serde(rename_all = "lowercase")]
pub enum AppointmentState {
    /// The time is reserved.
    Booked,
    /// The patient is here and waits.
    Arrived,
    /// The patient was admitted.
    Fulfilled,
    /// It will not take place.
    Cancelled,
    /// Patient and practitioner did not meet: one of them, or neither, was there.
    NoShow,
}

impl AppointmentState {
    /// The patient is here and waits to be seen. Arriving again changes nothing: a page is loaded twice, a phone is swapped.
    pub const fn arrive(self) -> Result<Self, InvalidTransition> {
        match self {
            Self::Booked | Self::Arrived => Ok(Self::Arrived),
            _ => Err(self.refuse("arriving")),
        }
    }

    /// The waiting patient is let into the consultation.
    pub const fn admit(self) -> Result<Self, InvalidTransition> {
        match self {
            Self::Arrived => Ok(Self::Fulfilled),
            _ => Err(self.refuse("admitting")),
        }
    }

    /// The appointment is called off.
    pub const fn cancel(self) -> Result<Self, InvalidTransition> {
        match self {
            Self::Booked | Self::Arrived => Ok(Self::Cancelled),
            _ => Err(self.refuse("cancelling")),
        }
    }

    /// The appointment gets another time. Who has arrived goes on waiting: for a time on the same day, which whoever moves it sees to.
    pub const fn reschedule(self) -> Result<Self, InvalidTransition> {
        match self {
            Self::Booked | Self::Arrived => Ok(self),
            _ => Err(self.refuse("rescheduling")),
        }
    }

    /// The time has passed, and nobody came or nobody admitted who waited.
    pub const fn miss(self) -> Result<Self, InvalidTransition> {
        match self {
            Self::Booked | Self::Arrived => Ok(Self::NoShow),
            _ => Err(self.refuse("marking as missed")),
        }
    }

    /// It was not missed after all, and stands as it did before.
    pub const fn undo_miss(self, has_arrived: bool) -> Result<Self, InvalidTransition> {
        match self {
            Self::NoShow if has_arrived => Ok(Self::Arrived),
            Self::NoShow => Ok(Self::Booked),
            _ => Err(self.refuse("taking back that it was missed")),
        }
    }

    /// The word used in the database and in the audit trail.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Booked => "booked",
            Self::Arrived => "arrived",
            Self::Fulfilled => "fulfilled",
            Self::Cancelled => "cancelled",
            Self::NoShow => "noshow",
        }
    }

    const fn refuse(self, action: &'static str) -> InvalidTransition {
        InvalidTransition { action, state: self.as_str() }
    }
}

/// Where an appointment came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "sqlx", derive(sqlx::Type), sqlx(type_name = "text", rename_all = "snake_case"))]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The front desk booked it.
    Desk,
    /// The patient booked it on the clinic's public page.
    #[cfg_attr(feature = "sqlx", sqlx(rename = "self"))]
    #[serde(rename = "self")]
    Patient,
    /// A program of the clinic.
    Api,
    /// The patient came without one.
    WalkIn,
    /// One of several that were booked together.
    Series,
    /// The patient accepted a freed time.
    Waitlist,
}

impl Source {
    /// The word used in the database and in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Desk => "desk",
            Self::Patient => "self",
            Self::Api => "api",
            Self::WalkIn => "walk_in",
            Self::Series => "series",
            Self::Waitlist => "waitlist",
        }
    }
}

/// How much of a series a change concerns. Of an appointment that is alone, each is the appointment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// This appointment.
    #[default]
    This,
    /// This one and those after it.
    ThisAndFollowing,
    /// All that still lie ahead.
    Series,
}

/// When a patient may say *I'm here*.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArrivalWindow {
    /// The first instant at which it is not too early.
    pub opens_at: Timestamp,
    /// The first instant at which it is too late.
    pub closes_at: Timestamp,
}

/// Where an instant lies with respect to an [`ArrivalWindow`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// Before the window.
    TooEarly,
    /// Within the window.
    Welcome,
    /// After the window.
    TooLate,
}

impl ArrivalWindow {
    /// The window of an appointment from `starts_at` to `ends_at`: open `early` before the start and `late` beyond the end.
    ///
    /// Late is counted from the end since a practitioner who runs late still sees those who came.
    pub fn new(starts_at: Timestamp, ends_at: Timestamp, early: SignedDuration, late: SignedDuration) -> Self {
        Self {
            opens_at: starts_at.saturating_sub(early).unwrap_or(Timestamp::MIN),
            closes_at: ends_at.saturating_add(late).unwrap_or(Timestamp::MAX),
        }
    }

    /// Whether `now` is too early, welcome or too late.
    pub fn at(&self, now: Timestamp) -> Arrival {
        if now < self.opens_at {
            Arrival::TooEarly
        } else if now < self.closes_at {
            Arrival::Welcome
        } else {
            Arrival::TooLate
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_patient_who_waits_is_admitted() {
        assert_eq!(AppointmentState::Arrived.admit(), Ok(AppointmentState::Fulfilled));
        for state in [
            AppointmentState::Booked,
            AppointmentState::Fulfilled,
            AppointmentState::Cancelled,
            AppointmentState::NoShow,
        ] {
            assert!(state.admit().is_err(), "{state:?}");
        }
    }

    #[test]
    fn arriving_twice_is_arriving_once() {
        let arrived = AppointmentState::Booked.arrive().expect("a booked patient may arrive");
        assert_eq!(arrived.arrive(), Ok(AppointmentState::Arrived));
    }

    #[test]
    fn what_is_over_cannot_be_cancelled() {
        for state in [AppointmentState::Fulfilled, AppointmentState::Cancelled, AppointmentState::NoShow] {
            assert!(state.cancel().is_err(), "{state:?}");
        }
    }

    #[test]
    fn only_what_still_lies_ahead_is_given_another_time() {
        for state in [AppointmentState::Booked, AppointmentState::Arrived] {
            assert_eq!(state.reschedule(), Ok(state));
        }
        for state in [AppointmentState::Fulfilled, AppointmentState::Cancelled, AppointmentState::NoShow] {
            assert!(state.reschedule().is_err(), "{state:?}");
        }
    }

    #[test]
    fn what_was_missed_can_be_taken_back_and_what_took_place_is_not_missed() {
        for (state, has_arrived) in [(AppointmentState::Booked, false), (AppointmentState::Arrived, true)] {
            let missed = state.miss().expect("nobody met");
            assert_eq!(missed.undo_miss(has_arrived), Ok(state));
        }
        for state in [AppointmentState::Fulfilled, AppointmentState::Cancelled, AppointmentState::NoShow] {
            assert!(state.miss().is_err(), "{state:?}");
        }
        assert!(AppointmentState::Booked.undo_miss(false).is_err());
    }

    #[test]
    fn the_window_opens_before_the_start_and_closes_after_the_end() {
        let start: Timestamp = "2026-11-24T10:30:00Z".parse().expect("a timestamp");
        let minutes = SignedDuration::from_mins;
        let window = ArrivalWindow::new(start, start + minutes(20), minutes(30), minutes(15));
        assert_eq!(window.at(start - minutes(31)), Arrival::TooEarly);
        assert_eq!(window.at(start - minutes(30)), Arrival::Welcome);
        assert_eq!(window.at(start + minutes(34)), Arrival::Welcome);
        assert_eq!(window.at(start + minutes(35)), Arrival::TooLate);
    }
}
