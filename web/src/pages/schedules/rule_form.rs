//! The form of weekly hours.

use super::Press;
use domain::ScheduleRuleId;
use scheduler::{
    ClinicView, Rule,
    schedules::fields::{RuleErrors, RuleFields},
};
use serde::Deserialize;

/// The fields as they were typed, which rule they would replace, and what was pressed.
#[derive(Deserialize, Default, Clone)]
#[serde(default)]
pub(crate) struct RuleForm {
    #[serde(rename = "do")]
    pub(super) press: Press,
    pub(super) replaces: String,
    weekday: Vec<String>,
    from: String,
    to: String,
    slot_minutes: String,
    time_zone: String,
    valid_from: String,
    valid_to: String,
    every_weeks: String,
}

/// A weekday as a checkbox.
pub(super) struct Weekday {
    pub(super) number: i8,
    pub(super) name: &'static str,
    pub(super) is_checked: bool,
}

const NAMES: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

impl RuleForm {
    /// What a new rule most often is.
    pub(super) fn fresh(clinic: &ClinicView) -> Self {
        Self {
            weekday: (1..=5).map(|day| day.to_string()).collect(),
            from: "09:00".to_owned(),
            to: "17:00".to_owned(),
            slot_minutes: "30".to_owned(),
            time_zone: clinic.zone.iana_name().unwrap_or_default().to_owned(),
            every_weeks: "1".to_owned(),
            ..Self::default()
        }
    }

    /// A rule as it is.
    pub(super) fn of(id: ScheduleRuleId, rule: &Rule) -> Self {
        Self {
            press: Press::Preview,
            replaces: id.to_string(),
            weekday: vec![rule.weekday.to_monday_one_offset().to_string()],
            from: minute(rule.from_minute),
            to: minute(rule.to_minute),
            slot_minutes: rule.slot_minutes.to_string(),
            time_zone: rule.zone.iana_name().unwrap_or_default().to_owned(),
            valid_from: rule.valid_from.map(|date| date.to_string()).unwrap_or_default(),
            valid_to: rule.valid_to.map(|date| date.to_string()).unwrap_or_default(),
            every_weeks: rule.every_weeks.to_string(),
        }
    }

    pub(super) fn fields(&self) -> RuleFields {
        RuleFields {
            weekdays: self.weekday.clone(),
            from: self.from.clone(),
            to: self.to.clone(),
            slot_minutes: self.slot_minutes.clone(),
            time_zone: self.time_zone.clone(),
            valid_from: self.valid_from.clone(),
            valid_to: self.valid_to.clone(),
            every_weeks: self.every_weeks.clone(),
        }
    }

    pub(super) fn weekdays(&self) -> Vec<Weekday> {
        let weekday = |(index, name): (usize, &&'static str)| Weekday {
            number: i8::try_from(index + 1).unwrap_or_default(),
            name,
            is_checked: self.weekday.contains(&(index + 1).to_string()),
        };
        NAMES.iter().enumerate().map(weekday).collect()
    }

    pub(super) fn from(&self) -> &str {
        &self.from
    }

    pub(super) fn to(&self) -> &str {
        &self.to
    }

    pub(super) fn slot_minutes(&self) -> &str {
        &self.slot_minutes
    }

    pub(super) fn time_zone(&self) -> &str {
        &self.time_zone
    }

    pub(super) fn valid_from(&self) -> &str {
        &self.valid_from
    }

    pub(super) fn valid_to(&self) -> &str {
        &self.valid_to
    }

    pub(super) fn every_weeks(&self) -> &str {
        &self.every_weeks
    }

    /// The rarely used fields are shown when something stands in them or is wrong with them.
    pub(super) fn shows_more(&self, errors: &RuleErrors, clinic_zone: &str) -> bool {
        let is_used = !self.valid_from.is_empty() || !self.valid_to.is_empty();
        let is_wrong = errors.valid_from.is_some()
            || errors.valid_to.is_some()
            || errors.every_weeks.is_some()
            || errors.time_zone.is_some();
        is_used || is_wrong || self.every_weeks != "1" || self.time_zone != clinic_zone
    }
}

/// `09:00` of minutes after midnight, as a field for a time has it: the midnight that ends the day is `00:00`.
fn minute(minute: i16) -> String {
    format!("{:02}:{:02}", minute / 60 % 24, minute % 60)
}

/// `09:00–17:00`, `00:00–24:00`.
pub(super) fn hours(rule: &Rule) -> String {
    let time = |minute: i16| format!("{:02}:{:02}", minute / 60, minute % 60);
    format!("{}–{}", time(rule.from_minute), time(rule.to_minute))
}

/// A weekly rule as a line of the list.
pub(super) struct RuleRow {
    pub(super) id: ScheduleRuleId,
    pub(super) weekday: &'static str,
    pub(super) hours: String,
    pub(super) about: String,
}

impl RuleRow {
    /// `Monday 09:00–17:00, every 30 min.`, of the one with an id as a form has it.
    pub(super) fn told(rows: &[Self], id: &str) -> String {
        let one = rows.iter().find(|one| one.id.to_string() == id);
        one.map(|one| format!("{} {}, {}.", one.weekday, one.hours, one.about)).unwrap_or_default()
    }

    pub(super) fn new(id: ScheduleRuleId, rule: &Rule, clinic: &ClinicView) -> Self {
        let mut about = vec![format!("every {} min", rule.slot_minutes)];
        if rule.every_weeks > 1 {
            about.push(format!("every {} weeks", rule.every_weeks));
        }
        about.extend(rule.valid_from.map(|date| format!("from {}", crate::words::short_date(date))));
        about.extend(rule.valid_to.map(|date| format!("until {}", crate::words::short_date(date))));
        if rule.zone != clinic.zone {
            about.extend(rule.zone.iana_name().map(str::to_owned));
        }
        let index = usize::try_from(rule.weekday.to_monday_zero_offset()).unwrap_or_default();
        Self { id, weekday: NAMES[index], hours: hours(rule), about: about.join(" · ") }
    }
}
