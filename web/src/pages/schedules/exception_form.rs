//! The form of leave, extra hours and holidays.

use super::Press;
use domain::ScheduleExceptionId;
use jiff::civil::Time;
use scheduler::{Besides, ClinicView, ScheduleExceptionView, schedules::fields::ExceptionFields};
use serde::Deserialize;

/// The fields as they were typed, what they would replace, and what was pressed.
#[derive(Deserialize, Default, Clone)]
#[serde(default)]
pub(crate) struct ExceptionForm {
    #[serde(rename = "do")]
    pub(super) press: Press,
    pub(super) replaces: String,
    pub(super) kind: String,
    pub(super) from_date: String,
    pub(super) from_time: String,
    pub(super) to_date: String,
    pub(super) to_time: String,
    pub(super) time_zone: String,
    pub(super) slot_minutes: String,
    pub(super) reason: String,
}

impl ExceptionForm {
    pub(super) fn fresh(clinic: &ClinicView) -> Self {
        Self {
            kind: "closed".to_owned(),
            slot_minutes: "30".to_owned(),
            time_zone: clinic.zone.iana_name().unwrap_or_default().to_owned(),
            ..Self::default()
        }
    }

    /// An exception as it is.
    pub(super) fn of(view: &ScheduleExceptionView) -> Self {
        let (from, to) = (view.exception.wall_from, view.exception.wall_to);
        // The midnight that ends a day belongs to that day.
        let is_whole = to.time() == Time::midnight();
        let last = if is_whole { to.date().yesterday().unwrap_or(to.date()) } else { to.date() };
        let time =
            |time: Time| if time == Time::midnight() { String::new() } else { time.strftime("%H:%M").to_string() };
        Self {
            press: Press::Preview,
            replaces: view.id.to_string(),
            kind: if matches!(view.exception.besides, Besides::Extra { .. }) { "open" } else { "closed" }.to_owned(),
            from_date: from.date().to_string(),
            from_time: time(from.time()),
            to_date: last.to_string(),
            to_time: time(to.time()),
            time_zone: view.exception.zone.iana_name().unwrap_or_default().to_owned(),
            slot_minutes: match view.exception.besides {
                Besides::Extra { slot_minutes } => slot_minutes.to_string(),
                Besides::ClinicClosed | Besides::Away => "30".to_owned(),
            },
            reason: view.reason.clone(),
        }
    }

    pub(super) fn fields(&self) -> ExceptionFields {
        ExceptionFields {
            kind: self.kind.clone(),
            from_date: self.from_date.clone(),
            from_time: self.from_time.clone(),
            to_date: self.to_date.clone(),
            to_time: self.to_time.clone(),
            time_zone: self.time_zone.clone(),
            slot_minutes: self.slot_minutes.clone(),
            reason: self.reason.clone(),
        }
    }

    /// Which one is replaced.
    pub(super) fn replaced(&self) -> Option<ScheduleExceptionId> {
        self.replaces.parse().ok()
    }
}
