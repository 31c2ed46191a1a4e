//! How a series of visits repeats: a small part of RFC 5545's recurrence rules, which says days and never times.

use jiff::civil::{Date, Weekday};
use std::{fmt, str::FromStr};

/// The most visits of one series: a year of weekly ones and some. All of them are booked in one transaction.
pub const MAX_OCCURRENCES: usize = 60;

/// The most days, weeks or months from one visit to the next.
const MAX_INTERVAL: u8 = 52;

/// What a series counts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frequency {
    /// By days.
    Daily,
    /// By weeks, which begin on Monday.
    Weekly,
    /// By months: on the first visit's day of the month, or on a certain weekday of it.
    Monthly,
}

/// A weekday, or for [`Frequency::Monthly`] the so-and-so-many-th of a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day {
    /// 1 for the first of the month to 5, -1 for the last. Monthly series only.
    pub ordinal: Option<i8>,
    /// Which.
    pub weekday: Weekday,
}

/// When a series ends. It always does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ends {
    /// After so many visits, the first one among them.
    After(u8),
    /// With the last visit on or before a day.
    On(Date),
}

/// How a series repeats. Always one that can be booked, however it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recurrence {
    frequency: Frequency,
    interval: u8,
    days: Vec<Day>,
    ends: Ends,
}

/// Why a series is not booked that way.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecurrenceError {
    /// Not a rule of RFC 5545.
    #[error("this is not a recurrence rule")]
    NotReadable,
    /// By the hour or finer, or by the year.
    #[error("a series repeats by day, by week or by month")]
    Frequency,
    /// Neither a count nor a last day.
    #[error("a series needs an end: a number of visits or a last day")]
    Endless,
    /// More than [`MAX_OCCURRENCES`].
    #[error("a series has at most {MAX_OCCURRENCES} visits")]
    TooMany,
    /// None, or more than a year of weeks.
    #[error("a series repeats every 1 to {MAX_INTERVAL} days, weeks or months")]
    Interval,
    /// Weekdays where they mean nothing, or the sixth Tuesday of a month.
    #[error("these weekdays do not fit a series of this kind")]
    Days,
    /// A part of the standard that no series here needs.
    #[error("a series cannot be given {0}")]
    Unsupported(String),
    /// The first visit is on a day that the rule leaves out.
    #[error("the first visit is not on a day of the series")]
    FirstDoesNotFit,
}

impl Recurrence {
    /// A rule of these parts. `days` is empty for the first visit's own weekday or day of the month.
    pub fn new(frequency: Frequency, interval: u8, days: Vec<Day>, ends: Ends) -> Result<Self, RecurrenceError> {
        if !(1..=MAX_INTERVAL).contains(&interval) {
            return Err(RecurrenceError::Interval);
        }
        let do_days_fit = match frequency {
            Frequency::Daily => days.is_empty(),
            Frequency::Weekly => days.len() <= 7 && days.iter().all(|day| day.ordinal.is_none()),
            Frequency::Monthly => days.len() <= 1 && days.iter().all(|day| matches!(day.ordinal, Some(-1 | 1..=5))),
        };
        if !do_days_fit {
            return Err(RecurrenceError::Days);
        }
        match ends {
            Ends::After(0) => Err(RecurrenceError::Endless),
            Ends::After(count) if usize::from(count) > MAX_OCCURRENCES => Err(RecurrenceError::TooMany),
            _ => Ok(Self { frequency, interval, days, ends }),
        }
    }

    /// As people say it: `Every 2 weeks on Tuesday and Thursday, 8 times`.
    pub fn words(&self) -> String {
        let unit = match self.frequency {
            Frequency::Daily => "day",
            Frequency::Weekly => "week",
            Frequency::Monthly => "month",
        };
        let every =
            if self.interval == 1 { format!("Every {unit}") } else { format!("Every {} {unit}s", self.interval) };
        let days: Vec<String> = self.days.iter().map(Day::words).collect();
        let on = match days.as_slice() {
            [] => String::new(),
            [day] => format!(" on {day}"),
            [days @ .., last] => format!(" on {} and {last}", days.join(", ")),
        };
        let ends = match self.ends {
            Ends::After(1) => "once".to_owned(),
            Ends::After(count) => format!("{count} times"),
            Ends::On(date) => format!("until {}", date.strftime("%-d %B %Y")),
        };
        format!("{every}{on}, {ends}")
    }
}

impl Day {
    fn words(&self) -> String {
        let weekday = weekday_name(self.weekday);
        match self.ordinal {
            None => weekday.to_owned(),
            Some(-1) => format!("the last {weekday}"),
            Some(1) => format!("the first {weekday}"),
            Some(2) => format!("the second {weekday}"),
            Some(3) => format!("the third {weekday}"),
            Some(4) => format!("the fourth {weekday}"),
            Some(_) => format!("the fifth {weekday}"),
        }
    }
}

/// The rule as RFC 5545 §3.3.10 writes it. The last day counts whole, hence until its last second.
impl fmt::Display for Recurrence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let frequency = match self.frequency {
            Frequency::Daily => "DAILY",
            Frequency::Weekly => "WEEKLY",
            Frequency::Monthly => "MONTHLY",
        };
        write!(f, "FREQ={frequency};INTERVAL={}", self.interval)?;
        for (index, day) in self.days.iter().enumerate() {
            let ordinal = day.ordinal.map(|ordinal| ordinal.to_string()).unwrap_or_default();
            let weekday = &weekday_name(day.weekday)[..2].to_uppercase();
            write!(f, "{}{ordinal}{weekday}", if index == 0 { ";BYDAY=" } else { "," })?;
        }
        match self.ends {
            Ends::After(count) => write!(f, ";COUNT={count}"),
            Ends::On(date) => write!(f, ";UNTIL={}T235959Z", date.strftime("%Y%m%d")),
        }
    }
}

/// Reads a rule, with or without `RRULE:` before it. What it cannot keep it refuses: a series must not differ from what was asked for.
impl FromStr for Recurrence {
    type Err = RecurrenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim().to_ascii_uppercase();
        let (mut frequency, mut interval, mut days, mut ends) = (None, 1, Vec::new(), None);
        for part in text.strip_prefix("RRULE:").unwrap_or(&text).split(';') {
            let (name, value) = part.split_once('=').ok_or(RecurrenceError::NotReadable)?;
            match name {
                "FREQ" => frequency = Some(parse_frequency(value)?),
                "INTERVAL" => interval = value.parse().map_err(|_| RecurrenceError::Interval)?,
                "COUNT" => ends = set_once(ends, Ends::After(parse_count(value)?))?,
                "UNTIL" => ends = set_once(ends, Ends::On(parse_date(value)?))?,
                "BYDAY" => days = value.split(',').map(parse_day).collect::<Result<_, _>>()?,
                "WKST" if value == "MO" => {}
                other => return Err(RecurrenceError::Unsupported(other.chars().take(20).collect())),
            }
        }
        let frequency = frequency.ok_or(RecurrenceError::NotReadable)?;
        Self::new(frequency, interval, days, ends.ok_or(RecurrenceError::Endless)?)
    }
}

/// RFC 5545: COUNT and UNTIL must not be in one rule.
fn set_once(before: Option<Ends>, ends: Ends) -> Result<Option<Ends>, RecurrenceError> {
    if before.is_some() { Err(RecurrenceError::NotReadable) } else { Ok(Some(ends)) }
}

fn parse_frequency(text: &str) -> Result<Frequency, RecurrenceError> {
    match text {
        "DAILY" => Ok(Frequency::Daily),
        "WEEKLY" => Ok(Frequency::Weekly),
        "MONTHLY" => Ok(Frequency::Monthly),
        "YEARLY" | "HOURLY" | "MINUTELY" | "SECONDLY" => Err(RecurrenceError::Frequency),
        _ => Err(RecurrenceError::NotReadable),
    }
}

fn parse_count(text: &str) -> Result<u8, RecurrenceError> {
    let count: u64 = text.parse().map_err(|_| RecurrenceError::NotReadable)?;
    u8::try_from(count).map_err(|_| RecurrenceError::TooMany)
}

/// A date, or the date of a date and time: series are made of days.
fn parse_date(text: &str) -> Result<Date, RecurrenceError> {
    let date = text.split('T').next().unwrap_or_default();
    Date::strptime("%Y%m%d", date).map_err(|_| RecurrenceError::NotReadable)
}

fn parse_day(text: &str) -> Result<Day, RecurrenceError> {
    let (ordinal, name) = text.split_at_checked(text.len().saturating_sub(2)).ok_or(RecurrenceError::NotReadable)?;
    let ordinal = match ordinal {
        "" => None,
        number => Some(number.parse().map_err(|_| RecurrenceError::NotReadable)?),
    };
    let mut week = Weekday::Monday.cycle_forward().take(7);
    let weekday = week.find(|day| weekday_name(*day)[..2].eq_ignore_ascii_case(name));
    Ok(Day { ordinal, weekday: weekday.ok_or(RecurrenceError::NotReadable)? })
}

fn weekday_name(weekday: Weekday) -> &'static str {
    match weekday {
        Weekday::Monday => "Monday",
        Weekday::Tuesday => "Tuesday",
        Weekday::Wednesday => "Wednesday",
        Weekday::Thursday => "Thursday",
        Weekday::Friday => "Friday",
        Weekday::Saturday => "Saturday",
        Weekday::Sunday => "Sunday",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Recurrence, RecurrenceError> {
        text.parse()
    }

    #[test]
    fn a_rule_is_said_as_people_say_it() {
        for (rule, words) in [
            ("FREQ=DAILY;COUNT=5", "Every day, 5 times"),
            ("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,TH;COUNT=8", "Every 2 weeks on Tuesday and Thursday, 8 times"),
            (
                "FREQ=WEEKLY;BYDAY=MO,WE,FR;UNTIL=20270303",
                "Every week on Monday, Wednesday and Friday, until 3 March 2027",
            ),
            ("FREQ=MONTHLY;BYDAY=2TU;COUNT=6", "Every month on the second Tuesday, 6 times"),
            (
                "FREQ=MONTHLY;INTERVAL=3;BYDAY=-1FR;UNTIL=20270303T120000Z",
                "Every 3 months on the last Friday, until 3 March 2027",
            ),
        ] {
            assert_eq!(read(rule).expect(rule).words(), words);
        }
    }

    #[test]
    fn a_rule_that_is_written_and_read_again_is_the_same() {
        for rule in [
            "RRULE:FREQ=DAILY;COUNT=60",
            "freq=weekly;interval=52;byday=su;until=20271231",
            "FREQ=MONTHLY;BYDAY=5MO;COUNT=2",
        ] {
            let recurrence = read(rule).expect(rule);
            assert_eq!(read(&recurrence.to_string()), Ok(recurrence));
        }
    }

    #[test]
    fn what_is_finer_than_days_or_by_the_year_is_refused() {
        for frequency in ["HOURLY", "MINUTELY", "SECONDLY", "YEARLY"] {
            assert_eq!(read(&format!("FREQ={frequency};COUNT=3")), Err(RecurrenceError::Frequency));
        }
    }

    #[test]
    fn a_series_ends_within_sixty_visits() {
        assert_eq!(read("FREQ=DAILY"), Err(RecurrenceError::Endless));
        assert_eq!(read("FREQ=DAILY;COUNT=0"), Err(RecurrenceError::Endless));
        for count in ["61", "256", "99999999999"] {
            assert_eq!(read(&format!("FREQ=DAILY;COUNT={count}")), Err(RecurrenceError::TooMany));
        }
    }

    #[test]
    fn what_would_be_booked_otherwise_than_asked_for_is_refused() {
        for (rule, refusal) in [
            ("", RecurrenceError::NotReadable),
            ("every Tuesday", RecurrenceError::NotReadable),
            ("COUNT=3", RecurrenceError::NotReadable),
            ("FREQ=DAILY;COUNT=3;UNTIL=20270303", RecurrenceError::NotReadable),
            ("FREQ=DAILY;UNTIL=20270230", RecurrenceError::NotReadable),
            ("FREQ=WEEKLY;BYDAY=XX;COUNT=3", RecurrenceError::NotReadable),
            ("FREQ=WEEKLY;BYDAY=é;COUNT=3", RecurrenceError::NotReadable),
            ("FREQ=DAILY;INTERVAL=0;COUNT=3", RecurrenceError::Interval),
            ("FREQ=DAILY;INTERVAL=1000;COUNT=3", RecurrenceError::Interval),
            ("FREQ=DAILY;BYDAY=MO;COUNT=3", RecurrenceError::Days),
            ("FREQ=WEEKLY;BYDAY=2MO;COUNT=3", RecurrenceError::Days),
            ("FREQ=MONTHLY;BYDAY=6MO;COUNT=3", RecurrenceError::Days),
            ("FREQ=MONTHLY;BYDAY=MO;COUNT=3", RecurrenceError::Days),
            ("FREQ=DAILY;BYHOUR=9;COUNT=3", RecurrenceError::Unsupported("BYHOUR".to_owned())),
            ("FREQ=WEEKLY;WKST=SU;COUNT=3", RecurrenceError::Unsupported("WKST".to_owned())),
        ] {
            assert_eq!(read(rule), Err(refusal), "{rule}");
        }
    }
}
