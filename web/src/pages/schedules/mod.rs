//! Schedules: when practitioners work, and when the clinic is closed. Each change shows what it opens and closes before it is saved.

pub(crate) mod exception_form;
pub(crate) mod list;
pub(crate) mod practitioner;
pub(crate) mod preview;
pub(crate) mod rule_form;

use crate::refusal::{Code, Refusal};
use scheduler::{Besides, ChangeScheduleError, Exception, schedules::fields::Fault};
use serde::Deserialize;

/// What somebody pressed.
#[derive(Deserialize, Debug, Clone, Copy, PartialEq, Eq, Default)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Press {
    /// Show what it would change. Enter in a field does this, too: nothing is changed by a slip.
    #[default]
    Preview,
    /// Change it.
    Save,
    /// Show what would be without it.
    Ask,
    /// Take it away.
    Remove,
}

/// The refusal as a sentence; what failed passes through.
pub(super) fn refused(error: ChangeScheduleError) -> Result<Refusal, sqlx::Error> {
    let code = Code::from(&error);
    let sentence = match error {
        ChangeScheduleError::NotAllowed => "Only the front desk changes schedules.",
        ChangeScheduleError::NoSuchPractitioner => "This practitioner is not known here.",
        ChangeScheduleError::Gone => "Somebody else has changed this meanwhile. Look at the list and try again.",
        ChangeScheduleError::Database(error) => return Err(error),
    };
    Ok(Refusal::new(code, sentence))
}

/// What is wrong with fields is said below each; in one word for programs.
pub(super) fn misread(fault: Option<Fault>) -> Option<Refusal> {
    fault.map(|fault| Refusal::fields(fault.into()))
}

/// Leave, a holiday or extra hours as a line of a list.
pub(super) struct ExceptionRow {
    pub(super) id: domain::ScheduleExceptionId,
    pub(super) when: String,
    pub(super) what: &'static str,
    pub(super) class: &'static str,
    pub(super) reason: String,
    /// `Europe/London`, when it is not the clinic's own.
    pub(super) zone: Option<String>,
}

impl ExceptionRow {
    /// `Away, 24 Dec 2026: A conference.`, of the one with an id as a form has it.
    pub(super) fn told(rows: &[Self], id: &str) -> String {
        let one = rows.iter().find(|one| one.id.to_string() == id);
        one.map(|one| format!("{}, {}: {}.", one.what, one.when, one.reason)).unwrap_or_default()
    }

    pub(super) fn new(view: &scheduler::ScheduleExceptionView, clinic: &scheduler::ClinicView) -> Self {
        let (what, class) = match view.exception.besides {
            Besides::ClinicClosed => ("Closed", "wait"),
            Besides::Away => ("Away", "wait"),
            Besides::Extra { .. } => ("Extra hours", "done"),
        };
        let zone = view.exception.zone.iana_name().filter(|_| view.exception.zone != clinic.zone);
        Self {
            id: view.id,
            when: when(&view.exception),
            what,
            class,
            reason: view.reason.clone(),
            zone: zone.map(str::to_owned),
        }
    }
}

/// `24 Dec 2026`, `24 Dec 2026 to 2 Jan 2027`, `24 Dec 2026, 13:00 to 17:00`.
fn when(exception: &Exception) -> String {
    let (from, to) = (exception.wall_from, exception.wall_to);
    let midnight = jiff::civil::Time::midnight();
    let day = |date: jiff::civil::Date| crate::words::short_date(date);
    if from.time() == midnight && to.time() == midnight {
        let last = to.date().yesterday().unwrap_or(to.date());
        return if last == from.date() { day(last) } else { format!("{} to {}", day(from.date()), day(last)) };
    }
    let time = |time: jiff::civil::Time| time.strftime("%H:%M").to_string();
    let is_to_midnight = to.time() == midnight && to.date().yesterday().is_ok_and(|last| last == from.date());
    if from.date() == to.date() || is_to_midnight {
        return format!("{}, {} to {}", day(from.date()), time(from.time()), time(to.time()));
    }
    format!("{}, {} to {}, {}", day(from.date()), time(from.time()), day(to.date()), time(to.time()))
}
