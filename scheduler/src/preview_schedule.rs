//! What a change of the schedules would open and close, before it is made.

use crate::{
    availability::{Rule, bounds, clipped, merge, timetable::Timetable, without},
    change_schedule::ScheduleChange,
    schedules::ahead,
    tables,
    views::{AppointmentView, PractitionerView, ScheduleExceptionView},
};
use domain::{Actor, AppointmentState, Clock, PractitionerId, ScheduleExceptionId, ScheduleRuleId};
use jiff::{Timestamp, ToSpan as _, civil::Date, tz::TimeZone};
use service::postgres::Db;
use uuid::Uuid;

/// How many days are shown: two weeks hold every weekday twice, and a rule of every other week once.
const DAYS: usize = 14;

/// What would be different.
#[derive(Clone)]
pub struct SchedulePreview {
    /// Two weeks of each practitioner whom it concerns.
    pub practitioners: Vec<PractitionerPreview>,
    /// What is booked, lies in working hours now, and would lie outside of them. Nobody cancels it.
    pub outside: Vec<AppointmentView>,
}

/// Two weeks of one practitioner.
#[derive(Debug, Clone)]
pub struct PractitionerPreview {
    /// Whose.
    pub practitioner: PractitionerView,
    /// From today, or from when the change takes effect.
    pub days: Vec<DayPreview>,
}

/// One day of the clinic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayPreview {
    /// Which.
    pub date: Date,
    /// Its first instant and the first of the next.
    pub bounds: (Timestamp, Timestamp),
    /// The hours as they would be.
    pub hours: Vec<(Timestamp, Timestamp)>,
    /// What of them is new.
    pub opens: Vec<(Timestamp, Timestamp)>,
    /// What would no longer be.
    pub closes: Vec<(Timestamp, Timestamp)>,
}

/// Everything that the schedules are worked out from.
struct Loaded {
    rules: Vec<(ScheduleRuleId, PractitionerId, Rule)>,
    exceptions: Vec<ScheduleExceptionView>,
}

/// Works out what a change would open and close. Changes nothing. Without a change it shows the weeks as they are.
pub async fn preview_schedule(
    db: &Db,
    clock: &dyn Clock,
    by: &Actor,
    practitioner: Option<PractitionerId>,
    change: Option<&ScheduleChange>,
) -> Result<SchedulePreview, sqlx::Error> {
    let now = clock.now();
    let mut tx = db.begin(by).await?;
    let clinic = tables::clinics::get(&mut tx, by.clinic).await?;
    let zone = &clinic.zone;
    let mut practitioners = tables::practitioners::list(&mut tx, by.clinic).await?;
    practitioners.retain(|one| practitioner.is_none_or(|id| id == one.id));
    let ids: Vec<_> = practitioners.iter().map(|one| one.id).collect();
    let before = Loaded {
        rules: tables::schedules::of(&mut tx, by.clinic, &ids).await?,
        exceptions: tables::schedule_exceptions::between(&mut tx, by.clinic, &ids, now, ahead(now)).await?,
    };
    let after = change.map_or_else(|| before.clone(), |change| before.with(change));
    let today = now.to_zoned(zone.clone()).date();
    let first = change.and_then(|change| first_day(change, &before, zone)).unwrap_or(today).max(today);
    let two_weeks = |practitioner: PractitionerView| PractitionerPreview {
        days: days(&before.of(practitioner.id), &after.of(practitioner.id), first, zone),
        practitioner,
    };
    let outside = match change {
        Some(change) => {
            let (from, to) = concerned(change, &before, now);
            let whose: Vec<_> = practitioner.into_iter().collect();
            let booked = tables::views::between(&mut tx, &clinic, from, to, &whose).await?;
            booked.into_iter().filter(|visit| falls_outside(visit, now, &before, &after)).collect()
        }
        None => Vec::new(),
    };
    Ok(SchedulePreview { practitioners: practitioners.into_iter().map(two_weeks).collect(), outside })
}

impl Loaded {
    /// As it would be.
    fn with(&self, change: &ScheduleChange) -> Self {
        let mut after = self.clone();
        match change {
            ScheduleChange::Rules { practitioner, replaces, with } => {
                after.rules.retain(|(id, ..)| Some(*id) != *replaces);
                let new = with.iter().map(|rule| (ScheduleRuleId(Uuid::nil()), *practitioner, rule.clone()));
                after.rules.extend(new);
            }
            ScheduleChange::Exception { practitioner, replaces, with } => {
                after.exceptions.retain(|one| Some(one.id) != *replaces);
                let (practitioner, id) = (*practitioner, ScheduleExceptionId(Uuid::nil()));
                after.exceptions.extend(with.clone().map(|(exception, reason)| ScheduleExceptionView {
                    id,
                    practitioner,
                    reason,
                    exception,
                }));
            }
        }
        after
    }

    fn of(&self, practitioner: PractitionerId) -> Timetable {
        let rules = self.rules.iter().filter(|(_, whose, _)| *whose == practitioner);
        let exceptions = self.exceptions.iter().filter(|one| one.practitioner.is_none_or(|id| id == practitioner));
        Timetable {
            rules: rules.map(|(.., rule)| rule.clone()).collect(),
            exceptions: exceptions.map(|one| one.exception.clone()).collect(),
        }
    }
}

impl Clone for Loaded {
    fn clone(&self) -> Self {
        Self { rules: self.rules.clone(), exceptions: self.exceptions.clone() }
    }
}

/// The spans of time that an exception had and would have.
fn spans(change: &ScheduleChange, before: &Loaded) -> Vec<(Timestamp, Timestamp)> {
    match change {
        ScheduleChange::Rules { .. } => Vec::new(),
        ScheduleChange::Exception { replaces, with, .. } => {
            let old = before.exceptions.iter().filter(|one| Some(one.id) == *replaces).map(|one| one.exception.span());
            old.chain(with.iter().map(|(exception, _)| exception.span())).collect()
        }
    }
}

/// The day on which a change takes effect; `None` when that is today.
fn first_day(change: &ScheduleChange, before: &Loaded, zone: &TimeZone) -> Option<Date> {
    match change {
        ScheduleChange::Rules { replaces: None, with, .. } => with.iter().map(|rule| rule.valid_from).min().flatten(),
        ScheduleChange::Rules { .. } => None,
        ScheduleChange::Exception { .. } => {
            let first = spans(change, before).into_iter().map(|(from, _)| from).min()?;
            Some(first.to_zoned(zone.clone()).date())
        }
    }
}

/// From when until when appointments may come to lie outside.
fn concerned(change: &ScheduleChange, before: &Loaded, now: Timestamp) -> (Timestamp, Timestamp) {
    let spans = spans(change, before);
    let from = spans.iter().map(|(from, _)| *from).min().unwrap_or(now);
    let to = spans.iter().map(|(_, to)| *to).max().unwrap_or(ahead(now));
    // What begins shortly before may reach into it.
    (from.saturating_sub(12.hours()).unwrap_or(from), to)
}

fn days(before: &Timetable, after: &Timetable, first: Date, zone: &TimeZone) -> Vec<DayPreview> {
    let day = |date: Date| {
        let (from, to) = bounds(date, zone);
        let was = clipped(&before.hours(from, to), from, to);
        let hours = clipped(&after.hours(from, to), from, to);
        DayPreview { date, bounds: (from, to), opens: without(&hours, &was), closes: without(&was, &hours), hours }
    };
    first.series(1.day()).take(DAYS).map(day).collect()
}

fn falls_outside(visit: &AppointmentView, now: Timestamp, before: &Loaded, after: &Loaded) -> bool {
    let is_ahead = matches!(visit.state, AppointmentState::Booked | AppointmentState::Arrived) && visit.ends_at > now;
    let lies_in = |loaded: &Loaded| {
        let hours = merge(loaded.of(visit.practitioner.id).hours(visit.starts_at, visit.ends_at));
        without(&[(visit.starts_at, visit.ends_at)], &hours).is_empty()
    };
    is_ahead && lies_in(before) && !lies_in(after)
}
