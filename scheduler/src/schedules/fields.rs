//! What was typed about a schedule, read into rules and exceptions, or a sentence for each field that cannot be read.

use super::YEARS_AHEAD;
use crate::{
    availability::{Besides, Exception, Rule, after_midnight, instant},
    patients::{NOT_TEXT, is_text},
};
use jiff::{
    Timestamp,
    civil::{Date, DateTime, Weekday},
    tz::TimeZone,
};

/// The longest reason kept, in characters.
pub const MAX_REASON_CHARS: usize = 200;

/// The longest leave or holiday, in days: somebody who is away longer has no weekly hours.
const MAX_CLOSED_DAYS: i64 = 366;

/// Weekly hours as they were typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RuleFields {
    /// Numbers from 1, Monday, to 7, Sunday.
    pub weekdays: Vec<String>,
    /// `09:00`.
    pub from: String,
    /// `17:00`; `00:00` and `24:00` are the midnight that ends the day.
    pub to: String,
    /// Every how many minutes a visit may begin.
    pub slot_minutes: String,
    /// IANA name.
    pub time_zone: String,
    /// `2026-12-01`, or nothing.
    pub valid_from: String,
    /// `2026-12-31`, or nothing.
    pub valid_to: String,
    /// Every how many weeks.
    pub every_weeks: String,
}

/// What is wrong with each field; `None` where nothing is. Sentences for the person who typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RuleErrors {
    /// About the weekdays.
    pub weekdays: Option<&'static str>,
    /// About the start.
    pub from: Option<&'static str>,
    /// About the end.
    pub to: Option<&'static str>,
    /// About the minutes between starts.
    pub slot_minutes: Option<&'static str>,
    /// About the zone.
    pub time_zone: Option<&'static str>,
    /// About the first day.
    pub valid_from: Option<&'static str>,
    /// About the last day.
    pub valid_to: Option<&'static str>,
    /// About the weeks.
    pub every_weeks: Option<&'static str>,
}

/// What kind of thing is wrong with what was typed, for programs: people read the sentences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A day or a time that is on no calendar and no clock.
    NoSuchTime,
    /// A zone of a name that nobody knows.
    NoSuchZone,
    /// The end is not after the beginning.
    EndsBeforeItBegins,
    /// It is over.
    InThePast,
    /// Further ahead than anybody plans.
    TooFarAhead,
    /// Anything else.
    Other,
}

impl Fault {
    /// The first of these sentences that names one; nothing when nothing is wrong.
    fn of(sentences: &[Option<&'static str>]) -> Option<Self> {
        let fault = |sentence: &&'static str| match *sentence {
            NO_TIME | NO_DATE | SKIPPED => Some(Self::NoSuchTime),
            NO_ZONE => Some(Self::NoSuchZone),
            ENDS_FIRST | LAST_FIRST => Some(Self::EndsBeforeItBegins),
            PASSED => Some(Self::InThePast),
            TOO_FAR => Some(Self::TooFarAhead),
            _ => None,
        };
        let mut said = sentences.iter().flatten();
        said.clone().find_map(fault).or_else(|| said.next().map(|_| Self::Other))
    }
}

impl RuleErrors {
    /// What kind of thing is wrong; nothing when nothing is.
    pub fn fault(&self) -> Option<Fault> {
        let Self { weekdays, from, to, slot_minutes, time_zone, valid_from, valid_to, every_weeks } = *self;
        Fault::of(&[weekdays, from, to, slot_minutes, time_zone, valid_from, valid_to, every_weeks])
    }
}

impl ExceptionErrors {
    /// What kind of thing is wrong; nothing when nothing is.
    pub fn fault(&self) -> Option<Fault> {
        let Self { kind, from_date, from_time, to_date, to_time, time_zone, slot_minutes, reason } = *self;
        Fault::of(&[kind, from_date, from_time, to_date, to_time, time_zone, slot_minutes, reason])
    }
}

/// Leave, a holiday or extra hours as they were typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExceptionFields {
    /// `closed` or `open`.
    pub kind: String,
    /// `2026-12-24`.
    pub from_date: String,
    /// `13:00`; nothing is the beginning of the day.
    pub from_time: String,
    /// The last day; nothing is the same day.
    pub to_date: String,
    /// Nothing is the end of the day.
    pub to_time: String,
    /// IANA name.
    pub time_zone: String,
    /// Of extra hours: every how many minutes a visit may begin.
    pub slot_minutes: String,
    /// Why.
    pub reason: String,
}

/// What is wrong with each field; `None` where nothing is. Sentences for the person who typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExceptionErrors {
    /// About what it does.
    pub kind: Option<&'static str>,
    /// About the first day.
    pub from_date: Option<&'static str>,
    /// About the time on the first day.
    pub from_time: Option<&'static str>,
    /// About the last day.
    pub to_date: Option<&'static str>,
    /// About the time on the last day.
    pub to_time: Option<&'static str>,
    /// About the zone.
    pub time_zone: Option<&'static str>,
    /// About the minutes between starts.
    pub slot_minutes: Option<&'static str>,
    /// About the reason.
    pub reason: Option<&'static str>,
}

const NO_TIME: &str = "Enter a time of the day, like 09:30.";
const NO_DATE: &str = "This day does not exist. Enter it like 2026-12-31.";
const NO_ZONE: &str = "No time zone of this name is known. Names are like Europe/London.";
const SKIPPED: &str = "The clocks jump over this time on that day. Enter the time after the jump.";
const NO_STEP: &str = "Enter a number of minutes from 5 to 480.";
const ENDS_FIRST: &str = "The end must be after the start.";
const LAST_FIRST: &str = "The last day must not be before the first.";
const PASSED: &str = "This has passed already.";
const TOO_FAR: &str = "This is more than three years ahead.";

/// Reads weekly hours: one rule for each weekday.
pub fn read_rules(fields: &RuleFields) -> Result<Vec<Rule>, Box<RuleErrors>> {
    let mut errors = Box::<RuleErrors>::default();
    let weekdays: Vec<_> = fields.weekdays.iter().filter_map(|day| weekday(day)).collect();
    if weekdays.is_empty() || weekdays.len() != fields.weekdays.len() {
        errors.weekdays = Some("Choose at least one day of the week.");
    }
    let from_minute = noted(&mut errors.from, minutes(&fields.from).filter(|minute| *minute < 1440).ok_or(NO_TIME));
    let to_minute = noted(&mut errors.to, minutes(&fields.to).ok_or(NO_TIME));
    let to_minute = to_minute.map(|minute| if minute == 0 { 1440 } else { minute });
    if let (Some(from), Some(to)) = (from_minute, to_minute)
        && to <= from
    {
        errors.to = Some(ENDS_FIRST);
    }
    let slot_minutes = noted(&mut errors.slot_minutes, step(&fields.slot_minutes).ok_or(NO_STEP));
    let zone = noted(&mut errors.time_zone, zone(&fields.time_zone).ok_or(NO_ZONE));
    let valid_from = noted(&mut errors.valid_from, optional_date(&fields.valid_from));
    let valid_to = noted(&mut errors.valid_to, optional_date(&fields.valid_to));
    if let (Some(Some(from)), Some(Some(to))) = (valid_from, valid_to)
        && to < from
    {
        errors.valid_to = Some(LAST_FIRST);
    }
    let weeks = fields.every_weeks.trim().parse().ok().filter(|weeks| (1..=12).contains(weeks));
    let every_weeks = noted(&mut errors.every_weeks, weeks.ok_or("Enter a number of weeks from 1 to 12."));
    if every_weeks.is_some_and(|weeks: i16| weeks > 1) && fields.valid_from.trim().is_empty() {
        errors.valid_from = Some("Say from which day on, so that the weeks can be counted from there.");
    }
    let read = (from_minute, to_minute, slot_minutes, zone, valid_from, valid_to, every_weeks);
    if *errors == RuleErrors::default()
        && let (Some(from), Some(to), Some(slot), Some(zone), Some(valid_from), Some(valid_to), Some(weeks)) = read
    {
        let rule = |weekday| Rule {
            weekday,
            from_minute: from,
            to_minute: to,
            slot_minutes: slot,
            zone: zone.clone(),
            valid_from,
            valid_to,
            every_weeks: weeks,
        };
        return Ok(weekdays.into_iter().map(rule).collect());
    }
    Err(errors)
}

/// Reads leave or extra hours, or a holiday of the whole `clinic`, and why.
pub fn read_exception(
    fields: &ExceptionFields,
    is_clinics: bool,
    now: Timestamp,
) -> Result<(Exception, String), Box<ExceptionErrors>> {
    let mut errors = Box::<ExceptionErrors>::default();
    let besides = noted(&mut errors.kind, kind(fields, is_clinics));
    if let Some(Besides::Extra { slot_minutes: 0 }) = besides {
        errors.slot_minutes = Some(NO_STEP);
    }
    let zone = noted(&mut errors.time_zone, zone(&fields.time_zone).ok_or(NO_ZONE));
    let from_date = noted(&mut errors.from_date, date(&fields.from_date).ok_or(NO_DATE));
    let to_date = match fields.to_date.trim() {
        "" => from_date,
        text => noted(&mut errors.to_date, date(text).ok_or(NO_DATE)),
    };
    let from_minute = noted(&mut errors.from_time, minute_or(&fields.from_time, 0));
    let to_minute = noted(&mut errors.to_time, minute_or(&fields.to_time, 1440));
    let reason = fields.reason.trim();
    if reason.is_empty() {
        errors.reason = Some("Say why, in a few words.");
    } else if reason.chars().count() > MAX_REASON_CHARS {
        errors.reason = Some("This is too long: at most 200 characters are kept.");
    } else if !is_text(reason) {
        errors.reason = Some(NOT_TEXT);
    }
    let (Some(besides), Some(zone), Some(from_date), Some(to_date), Some(from_minute), Some(to_minute)) =
        (besides, zone, from_date, to_date, from_minute, to_minute)
    else {
        return Err(errors);
    };
    let exception = Exception {
        besides,
        wall_from: after_midnight(from_date, from_minute),
        wall_to: after_midnight(to_date, to_minute),
        zone,
    };
    check_times(fields, &exception, now, &mut errors);
    if *errors == ExceptionErrors::default() { Ok((exception, reason.to_owned())) } else { Err(errors) }
}

fn kind(fields: &ExceptionFields, is_clinics: bool) -> Result<Besides, &'static str> {
    match (&*fields.kind, is_clinics) {
        (_, true) => Ok(Besides::ClinicClosed),
        ("closed", false) => Ok(Besides::Away),
        ("open", false) => Ok(Besides::Extra { slot_minutes: step(&fields.slot_minutes).unwrap_or_default() }),
        _ => Err("Choose whether this is leave or extra hours."),
    }
}

/// The order of the times, their existence and their distance.
fn check_times(fields: &ExceptionFields, exception: &Exception, now: Timestamp, errors: &mut ExceptionErrors) {
    let Exception { wall_from, wall_to, zone, .. } = exception;
    let is_skipped = |typed: &str, wall: &DateTime| !typed.trim().is_empty() && instant(*wall, zone).is_none();
    if is_skipped(&fields.from_time, wall_from) {
        errors.from_time = Some(SKIPPED);
    }
    if is_skipped(&fields.to_time, wall_to) {
        errors.to_time = Some(SKIPPED);
    }
    let days = wall_from.duration_until(*wall_to).as_hours() / 24;
    let (starts_at, ends_at) = exception.span();
    let about_the_end = if fields.to_date.trim().is_empty() { &mut errors.to_time } else { &mut errors.to_date };
    if wall_to <= wall_from || ends_at <= starts_at {
        about_the_end.get_or_insert(ENDS_FIRST);
    } else if ends_at <= now {
        about_the_end.get_or_insert(PASSED);
    } else if matches!(exception.besides, Besides::Extra { .. }) && days > 1 {
        about_the_end.get_or_insert("Extra hours last for a day at most. Add them for each day.");
    } else if days > MAX_CLOSED_DAYS {
        about_the_end.get_or_insert("This is longer than a year. Give the weekly hours a last day instead.");
    }
    if ends_at.duration_since(now) > YEARS_AHEAD {
        errors.from_date.get_or_insert(TOO_FAR);
    }
}

/// Keeps what was read, or notes what is wrong with it.
fn noted<T>(error: &mut Option<&'static str>, read: Result<T, &'static str>) -> Option<T> {
    read.map_err(|sentence| *error = Some(sentence)).ok()
}

fn weekday(text: &str) -> Option<Weekday> {
    text.parse().ok().and_then(|number| Weekday::from_monday_one_offset(number).ok())
}

/// Minutes after midnight of `9:05`, `09:05` or `24:00`.
fn minutes(text: &str) -> Option<i16> {
    let (hours, minutes) = text.trim().split_once(':')?;
    let number =
        |text: &str| (text.len() <= 2 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse::<i16>());
    let (hours, minutes) = (number(hours)?.ok()?, number(minutes)?.ok()?);
    let all = hours * 60 + minutes;
    (minutes < 60 && all <= 1440).then_some(all)
}

fn minute_or(text: &str, nothing: i16) -> Result<i16, &'static str> {
    if text.trim().is_empty() { Ok(nothing) } else { minutes(text).ok_or(NO_TIME) }
}

fn step(text: &str) -> Option<i16> {
    text.trim().parse().ok().filter(|minutes| (5..=480).contains(minutes))
}

/// A day of this century: what lies outside was mistyped.
fn date(text: &str) -> Option<Date> {
    let text = text.trim();
    let is_plain = text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    is_plain.then(|| text.parse::<Date>().ok()).flatten().filter(|date| (2000..2100).contains(&date.year()))
}

fn optional_date(text: &str) -> Result<Option<Date>, &'static str> {
    if text.trim().is_empty() { Ok(None) } else { date(text).map(Some).ok_or(NO_DATE) }
}

/// A zone that has a name: what cannot be kept by its name cannot be computed again.
fn zone(text: &str) -> Option<TimeZone> {
    let text = text.trim();
    let zone = (text.len() <= 64).then(|| TimeZone::get(text).ok()).flatten()?;
    zone.iana_name().is_some().then_some(zone)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-24T09:00:00Z".parse().expect("an instant")
    }

    fn weekly() -> RuleFields {
        RuleFields {
            weekdays: vec!["1".to_owned(), "3".to_owned()],
            from: "09:00".to_owned(),
            to: "17:00".to_owned(),
            slot_minutes: "30".to_owned(),
            time_zone: "Europe/London".to_owned(),
            every_weeks: "1".to_owned(),
            ..RuleFields::default()
        }
    }

    fn leave() -> ExceptionFields {
        ExceptionFields {
            kind: "closed".to_owned(),
            from_date: "2027-03-28".to_owned(),
            time_zone: "Europe/London".to_owned(),
            reason: "Away".to_owned(),
            ..ExceptionFields::default()
        }
    }

    #[test]
    fn weekly_hours_are_a_rule_for_each_day() {
        let rules = read_rules(&weekly()).expect("rules");
        assert_eq!(rules.iter().map(|rule| rule.weekday).collect::<Vec<_>>(), [Weekday::Monday, Weekday::Wednesday]);
        assert_eq!((rules[0].from_minute, rules[0].to_minute), (540, 1020));
        let until_midnight = read_rules(&RuleFields { to: "00:00".to_owned(), ..weekly() }).expect("rules");
        assert_eq!(until_midnight[0].to_minute, 1440);
    }

    #[test]
    fn each_field_of_weekly_hours_says_what_is_wrong() {
        let typed = RuleFields {
            weekdays: Vec::new(),
            from: "25:00".to_owned(),
            to: "nine".to_owned(),
            slot_minutes: "1".to_owned(),
            time_zone: "Atlantis/Capital".to_owned(),
            valid_from: "2027-02-30".to_owned(),
            valid_to: "tomorrow".to_owned(),
            every_weeks: "13".to_owned(),
        };
        let errors = read_rules(&typed).expect_err("nothing can be read");
        assert_eq!((errors.from, errors.to, errors.time_zone), (Some(NO_TIME), Some(NO_TIME), Some(NO_ZONE)));
        assert_eq!((errors.valid_from, errors.valid_to), (Some(NO_DATE), Some(NO_DATE)));
        assert!(errors.weekdays.is_some() && errors.slot_minutes.is_some() && errors.every_weeks.is_some());
    }

    #[test]
    fn what_ends_before_it_begins_is_refused() {
        let errors = read_rules(&RuleFields { to: "08:00".to_owned(), ..weekly() }).expect_err("a refusal");
        assert_eq!(*errors, RuleErrors { to: Some(ENDS_FIRST), ..RuleErrors::default() });
        let typed = ExceptionFields { to_date: "2027-03-27".to_owned(), ..leave() };
        let errors = read_exception(&typed, false, now()).expect_err("a refusal");
        assert_eq!(*errors, ExceptionErrors { to_date: Some(ENDS_FIRST), ..ExceptionErrors::default() });
    }

    #[test]
    fn every_other_week_needs_a_first_day() {
        let errors = read_rules(&RuleFields { every_weeks: "2".to_owned(), ..weekly() }).expect_err("a refusal");
        assert!(errors.valid_from.is_some());
    }

    #[test]
    fn a_time_that_the_clocks_jump_over_does_not_exist() {
        let typed = ExceptionFields { from_time: "01:30".to_owned(), ..leave() };
        let errors = read_exception(&typed, false, now()).expect_err("a refusal");
        assert_eq!(*errors, ExceptionErrors { from_time: Some(SKIPPED), ..ExceptionErrors::default() });
    }

    #[test]
    fn a_day_alone_is_closed_from_midnight_to_midnight() {
        let (exception, _) = read_exception(&leave(), false, now()).expect("leave");
        assert_eq!(
            (exception.wall_from.to_string(), exception.wall_to.to_string()),
            ("2027-03-28T00:00:00".to_owned(), "2027-03-29T00:00:00".to_owned())
        );
    }

    #[test]
    fn a_reason_is_needed_and_short() {
        for reason in [" ".to_owned(), "x".repeat(10_000)] {
            let errors = read_exception(&ExceptionFields { reason, ..leave() }, false, now()).expect_err("a refusal");
            assert!(errors.reason.is_some());
        }
    }
}
