//! What a patient sees, from the link to the goodbye. One thing a page, and no account.

pub(crate) mod answer;
pub(crate) mod arrive;
pub(crate) mod booked;
pub(crate) mod goodbye;
pub(crate) mod not_you;
pub(crate) mod waiting;

use crate::{state::WebState, words};
use domain::{Actor, AppointmentId};
use jiff::{Timestamp, tz::TimeZone};
use scheduler::{AppointmentView, ClinicView};

/// With whom, when and for whom: what every page of a visit may show.
pub(crate) struct Visit {
    pub(crate) appointment: AppointmentView,
    pub(crate) clinic: ClinicView,
    /// `Today, 10:30`.
    pub(crate) when: String,
    /// `in 12 minutes`.
    pub(crate) from_now: String,
    /// `30 min`.
    pub(crate) length: String,
    pub(crate) initials: String,
}

impl Visit {
    /// The visit of the patient `by`, or nothing when it is not theirs.
    pub(crate) async fn find(state: &WebState, by: &Actor, id: AppointmentId) -> Result<Option<Self>, sqlx::Error> {
        let Some(appointment) = scheduler::glance(&state.db, by, id).await? else {
            return Ok(None);
        };
        let clinic = scheduler::clinic(&state.db, by).await?;
        Ok(Some(Self::new(appointment, clinic, state.clock.now())))
    }

    fn new(appointment: AppointmentView, clinic: ClinicView, now: Timestamp) -> Self {
        Self {
            when: when(appointment.starts_at, now, &clinic.zone),
            from_now: from_now(appointment.starts_at, now),
            length: words::length(appointment.ends_at.duration_since(appointment.starts_at)),
            initials: words::initials(&appointment.patient.name),
            appointment,
            clinic,
        }
    }

    /// The clinic's number as a link for telephones.
    pub(crate) fn phone_link(&self) -> String {
        let digits = self.clinic.phone.chars().filter(|c| c.is_ascii_digit() || *c == '+');
        format!("tel:{}", digits.collect::<String>())
    }
}

/// `Today, 10:30`, `Tomorrow, 10:30`, or the whole date.
fn when(at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let (day, today) = (words::day_of(at, zone), words::day_of(now, zone));
    let time = words::time(at, zone);
    if day == today {
        format!("Today, {time}")
    } else if today.tomorrow().is_ok_and(|tomorrow| tomorrow == day) {
        format!("Tomorrow, {time}")
    } else {
        words::date_and_time(at, zone)
    }
}

/// `in 12 minutes`, `now`, `5 minutes ago`.
fn from_now(at: Timestamp, now: Timestamp) -> String {
    let minutes = at.duration_since(now).as_secs().div_euclid(60);
    match minutes {
        0 | -1 => "now".to_owned(),
        ahead if ahead > 0 => format!("in {}", spelled(ahead)),
        past => format!("{} ago", spelled(-past)),
    }
}

fn spelled(minutes: i64) -> String {
    let counted = |count: i64, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
    match minutes {
        ..60 => counted(minutes, "minute"),
        60..2_880 => counted((minutes + 30) / 60, "hour"),
        _ => counted((minutes + 720) / 1_440, "day"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;

    #[test]
    fn a_patient_reads_how_long_it_still_is() {
        let now: Timestamp = "2026-11-24T10:00:00Z".parse().expect("a timestamp");
        let after = |minutes| from_now(now + SignedDuration::from_mins(minutes), now);
        assert_eq!(after(12), "in 12 minutes");
        assert_eq!(after(1), "in 1 minute");
        assert_eq!(after(0), "now");
        assert_eq!(after(-5), "5 minutes ago");
        assert_eq!(after(60), "in 1 hour");
        assert_eq!(after(3 * 24 * 60), "in 3 days");
    }

    #[test]
    fn the_day_is_the_clinics() {
        let zone = TimeZone::get("America/New_York").expect("a zone");
        let now: Timestamp = "2026-11-25T02:00:00Z".parse().expect("a timestamp");
        assert_eq!(when("2026-11-25T04:30:00Z".parse().expect("a timestamp"), now, &zone), "Today, 23:30");
        assert_eq!(when("2026-11-25T15:00:00Z".parse().expect("a timestamp"), now, &zone), "Tomorrow, 10:00");
    }
}
