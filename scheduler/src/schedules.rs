//! The practitioners' schedules and the clinic's holidays, read for the page that changes them.

pub mod fields;

use crate::{
    availability::Rule,
    tables,
    views::{PractitionerView, ScheduleExceptionView},
};
use domain::{Actor, Clock, ScheduleRuleId};
use jiff::{SignedDuration, Timestamp};
use service::postgres::Db;

/// How far ahead exceptions are shown: as far as one may be entered.
pub(crate) const YEARS_AHEAD: SignedDuration = SignedDuration::from_hours(3 * 366 * 24);

/// The schedule of one practitioner.
#[derive(Debug, Clone)]
pub struct ScheduleView {
    /// Whose.
    pub practitioner: PractitionerView,
    /// The weekly rules, by weekday and time.
    pub rules: Vec<(ScheduleRuleId, Rule)>,
    /// Leave and extra hours that are not over, in order.
    pub exceptions: Vec<ScheduleExceptionView>,
}

/// Everybody's schedules.
#[derive(Debug, Clone)]
pub struct Schedules {
    /// By family name.
    pub practitioners: Vec<ScheduleView>,
    /// The clinic's holidays that are not over, in order.
    pub holidays: Vec<ScheduleExceptionView>,
}

/// The schedules of the clinic as they are.
pub async fn schedules(db: &Db, clock: &dyn Clock, by: &Actor) -> Result<Schedules, sqlx::Error> {
    let mut tx = db.begin(by).await?;
    let now = clock.now();
    let practitioners = tables::practitioners::list(&mut tx, by.clinic).await?;
    let ids: Vec<_> = practitioners.iter().map(|one| one.id).collect();
    let rules = tables::schedules::of(&mut tx, by.clinic, &ids).await?;
    let mut exceptions = tables::schedule_exceptions::between(&mut tx, by.clinic, &ids, now, ahead(now)).await?;
    exceptions.retain(|one| one.exception.span().1 > now);
    let (of_one, holidays): (Vec<_>, Vec<_>) = exceptions.into_iter().partition(|one| one.practitioner.is_some());
    let schedule = |practitioner: PractitionerView| ScheduleView {
        rules: rules
            .iter()
            .filter(|(_, whose, _)| *whose == practitioner.id)
            .map(|(id, _, rule)| (*id, rule.clone()))
            .collect(),
        exceptions: of_one.iter().filter(|one| one.practitioner == Some(practitioner.id)).cloned().collect(),
        practitioner,
    };
    Ok(Schedules { practitioners: practitioners.into_iter().map(schedule).collect(), holidays })
}

pub(crate) fn ahead(now: Timestamp) -> Timestamp {
    now.saturating_add(YEARS_AHEAD).unwrap_or(now)
}
