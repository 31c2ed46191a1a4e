//! Several visits that repeat are booked together.

use crate::{
    availability::wall::instant,
    book::{BookError, BookRequest, Plan, booked, grounds, place, plan},
    events::{self, EventKind},
    idempotency::{self, Claim},
    messages::{self, News},
    reserve,
    tables::{self, grounds::Grounds, series::New},
};
use domain::{
    Actor, AppointmentId, AppointmentState, Clock, Random, Recurrence, RecurrenceError, SeriesId, Source, Who,
    recurrence::MAX_OCCURRENCES,
};
use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, DateTime},
    tz::TimeZone,
};
use rrule::RRuleSet;
use service::{
    audit,
    postgres::{Db, commit_together},
};
use sqlx::PgConnection;

/// What to book, and how it repeats.
#[derive(Debug, Clone)]
pub struct SeriesRequest {
    /// The first visit; the others are as it is, at the same time of day by the clock on the wall.
    pub first: BookRequest,
    /// On which days.
    pub recurrence: Recurrence,
    /// Book what can be had, without those visits that cannot. Otherwise all are booked or none.
    pub leave_out_conflicts: bool,
}

/// What was booked.
#[derive(Debug)]
pub struct SeriesBooked {
    /// The series.
    pub series: SeriesId,
    /// Its visits, in order.
    pub appointments: Vec<AppointmentId>,
    /// What was left out, if that was asked for. When the request is sent again, [`keep_answer`](crate::keep_answer) has it.
    pub left_out: Vec<SeriesConflict>,
}

/// A visit of a series that cannot be had.
#[derive(Debug)]
pub struct SeriesConflict {
    /// When it would be, by the clock on the wall.
    pub wall_time: DateTime,
    /// When that is; `None` when the clock on the wall skips that time.
    pub starts_at: Option<Timestamp>,
    /// What stands in the way.
    pub why: BookError,
}

/// Why a series could not be booked.
#[derive(Debug, thiserror::Error)]
pub enum BookSeriesError {
    /// It cannot repeat like that.
    #[error(transparent)]
    Recurrence(#[from] RecurrenceError),
    /// These visits cannot be had. None was booked.
    #[error("some visits of the series cannot be had")]
    Conflicts(Vec<SeriesConflict>),
    /// None of its visits could be booked, whenever it was.
    #[error(transparent)]
    Refused(BookError),
    /// Postgres failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// A series as its visits stand.
#[derive(Debug, Clone)]
pub struct SeriesView {
    /// `Every week on Tuesday, 8 times`.
    pub recurrence: String,
    /// Its visits, in order.
    pub visits: Vec<SeriesVisit>,
}

/// A visit of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeriesVisit {
    /// Which.
    pub id: AppointmentId,
    /// When it begins.
    pub starts_at: Timestamp,
    /// Where it stands.
    pub state: AppointmentState,
}

/// Books every visit of a series in one transaction, or lists those that cannot be had.
pub async fn book_series(
    db: &Db,
    clock: &dyn Clock,
    random: &dyn Random,
    by: &Actor,
    request: SeriesRequest,
) -> Result<SeriesBooked, BookSeriesError> {
    if matches!(by.who, Who::Patient { .. }) {
        return Err(BookSeriesError::Refused(BookError::NoSuchPatient));
    }
    let series = SeriesId(random.uuid());
    let mut tx = db.begin(by).await?;
    let key = request.first.idempotency_key.as_ref();
    match idempotency::claim(&mut tx, by, key, &request.words(), series.0).await? {
        Claim::New => {}
        Claim::Done(earlier) => return again(&mut tx, by, SeriesId(earlier)).await,
        Claim::Reused => return Err(BookSeriesError::Refused(BookError::KeyReused)),
    }
    let now = clock.now();
    let grounds = grounds(&mut tx, by.clinic, &request.first, last(&request)).await?;
    let (visits, mut left_out) = plan_all(&grounds, &request, now)?;
    if visits.is_empty() {
        return Err(BookSeriesError::Conflicts(left_out));
    }
    reserve::lock(&mut tx, visits.iter().map(|(_, plan)| &plan.wish)).await?;
    add(&mut tx, by, series, &request, &grounds.zone, now).await?;
    let mut told = Vec::new();
    for (visit, plan) in visits {
        let id = AppointmentId(random.uuid());
        let plan = Plan { series: Some(series), ..plan };
        match place(&mut tx, by, id, &visit, &plan, now).await {
            Ok(lane) => told.push((id, booked(id, &visit, lane))),
            Err(why) => left_out.push(conflict(plan.wall_time, Some(visit.starts_at), why)?),
        }
    }
    left_out.sort_by_key(|one| one.wall_time);
    if told.is_empty() || !(left_out.is_empty() || request.leave_out_conflicts) {
        return Err(BookSeriesError::Conflicts(left_out));
    }
    let appointments: Vec<_> = told.iter().map(|(id, _)| *id).collect();
    messages::plan_together(&mut tx, by.clinic, now, Some(series), &appointments, News::Booked).await?;
    for (id, event) in told {
        audit::record(&mut tx, by, event).await?;
        events::record(&mut tx, by, EventKind::Booked, id).await?;
    }
    commit_together(tx).await?;
    Ok(SeriesBooked { series, appointments, left_out })
}

/// A series and how its visits stand. `None` when it is not there, and for a patient.
pub async fn series(db: &Db, by: &Actor, id: SeriesId) -> Result<Option<SeriesView>, sqlx::Error> {
    if matches!(by.who, Who::Patient { .. }) {
        return Ok(None);
    }
    let mut tx = db.begin(by).await?;
    let Some(rule) = tables::series::recurrence(&mut tx, by.clinic, id).await? else {
        return Ok(None);
    };
    let recurrence = rule.parse::<Recurrence>().map_or(rule, |recurrence| recurrence.words());
    let visits = tables::appointments::of_series(&mut tx, by.clinic, id).await?;
    Ok(Some(SeriesView { recurrence, visits }))
}

impl SeriesRequest {
    fn words(&self) -> String {
        format!("series of {} {} {}", self.first.words(), self.recurrence, self.leave_out_conflicts)
    }
}

/// What was booked under the key before.
async fn again(connection: &mut PgConnection, by: &Actor, series: SeriesId) -> Result<SeriesBooked, BookSeriesError> {
    let visits = tables::appointments::of_series(connection, by.clinic, series).await?;
    let appointments = visits.into_iter().map(|visit| visit.id).collect();
    Ok(SeriesBooked { series, appointments, left_out: Vec::new() })
}

/// None of its visits begins later: the longest series has a visit a month.
fn last(request: &SeriesRequest) -> Timestamp {
    let months = i64::try_from(MAX_OCCURRENCES).unwrap_or(i64::MAX);
    request.first.starts_at.saturating_add(SignedDuration::from_hours(months * 31 * 24)).unwrap_or(Timestamp::MAX)
}

/// The visits that the schedule has, and what stands in the way of the others.
type Planned = (Vec<(BookRequest, Plan)>, Vec<SeriesConflict>);

/// Every visit as it would be booked alone, and those that the schedule does not have.
fn plan_all(grounds: &Grounds, request: &SeriesRequest, now: Timestamp) -> Result<Planned, BookSeriesError> {
    let (mut visits, mut conflicts) = (Vec::new(), Vec::new());
    for (wall_time, starts_at) in times(request, &grounds.zone)? {
        let Some(starts_at) = starts_at else {
            conflicts.push(SeriesConflict { wall_time, starts_at, why: BookError::OutsideSchedule });
            continue;
        };
        let is_first = starts_at == request.first.starts_at;
        let hold = request.first.hold.filter(|_| is_first);
        let visit = BookRequest { starts_at, hold, source: Source::Series, ..request.first.clone() };
        match plan(grounds, &visit, now) {
            Ok(plan) => visits.push((visit, plan)),
            Err(why) => conflicts.push(conflict(wall_time, Some(starts_at), why)?),
        }
    }
    Ok((visits, conflicts))
}

/// A refusal that concerns one visit. One that would concern them all is told once.
fn conflict(
    wall_time: DateTime,
    starts_at: Option<Timestamp>,
    why: BookError,
) -> Result<SeriesConflict, BookSeriesError> {
    match why {
        BookError::Database(error) => Err(error.into()),
        BookError::NotOffered
        | BookError::NoSuchPatient
        | BookError::NoSuchPractitioner
        | BookError::NoSuchResource
        | BookError::ReasonMissing => Err(BookSeriesError::Refused(why)),
        why => Ok(SeriesConflict { wall_time, starts_at, why }),
    }
}

async fn add(
    connection: &mut PgConnection,
    by: &Actor,
    id: SeriesId,
    request: &SeriesRequest,
    zone: &TimeZone,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let first = &request.first;
    let new = New {
        id,
        patient: first.patient,
        practitioner: first.practitioner,
        visit_type: first.visit_type,
        recurrence: &request.recurrence.to_string(),
        wall_time: first.starts_at.to_zoned(zone.clone()).datetime(),
        time_zone: crate::availability::zone_name(zone),
        booked_at: now,
    };
    tables::series::add(connection, by.clinic, &new).await
}

/// The times of a series: its days by the rule, its time of day by the clock on the wall.
fn times(request: &SeriesRequest, zone: &TimeZone) -> Result<Vec<(DateTime, Option<Timestamp>)>, RecurrenceError> {
    let first = request.first.starts_at.to_zoned(zone.clone()).datetime();
    let mut times = Vec::new();
    for date in dates(first.date(), &request.recurrence)? {
        let wall_time = date.to_datetime(first.time());
        // The first is the instant that was asked for, also where its time of day comes twice.
        let starts_at = if wall_time == first { Some(request.first.starts_at) } else { instant(wall_time, zone) };
        times.push((wall_time, starts_at));
    }
    Ok(times)
}

/// The days of a series, the first one among them. Computed in UTC, where each day has one midnight.
fn dates(first: Date, recurrence: &Recurrence) -> Result<Vec<Date>, RecurrenceError> {
    let rule = format!("DTSTART:{}T000000Z\nRRULE:{recurrence}", first.strftime("%Y%m%d"));
    // A `Recurrence` is always readable; only one that ends before the first visit is refused.
    let rule: RRuleSet = rule.parse().map_err(|_| RecurrenceError::FirstDoesNotFit)?;
    let limit = u16::try_from(MAX_OCCURRENCES).unwrap_or(u16::MAX);
    let found = rule.all(limit + 1).dates;
    if found.len() > MAX_OCCURRENCES {
        return Err(RecurrenceError::TooMany);
    }
    let dates: Option<Vec<Date>> =
        found.iter().map(|day| Date::strptime("%Y-%m-%d", day.format("%Y-%m-%d").to_string()).ok()).collect();
    let dates = dates.ok_or(RecurrenceError::NotReadable)?;
    if dates.first() == Some(&first) { Ok(dates) } else { Err(RecurrenceError::FirstDoesNotFit) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(first: &str, rule: &str) -> Result<Vec<String>, RecurrenceError> {
        let dates = dates(first.parse().expect("a date"), &rule.parse().expect(rule))?;
        Ok(dates.iter().map(Date::to_string).collect())
    }

    #[test]
    fn a_series_begins_with_its_first_visit() {
        let tuesdays = ["2026-11-24", "2026-12-01", "2026-12-08"].map(str::to_owned).to_vec();
        assert_eq!(of("2026-11-24", "FREQ=WEEKLY;COUNT=3"), Ok(tuesdays.clone()));
        assert_eq!(of("2026-11-24", "FREQ=WEEKLY;BYDAY=TU;UNTIL=20261208"), Ok(tuesdays));
        assert_eq!(of("2026-11-24", "FREQ=WEEKLY;BYDAY=WE;COUNT=3"), Err(RecurrenceError::FirstDoesNotFit));
        assert_eq!(of("2026-11-24", "FREQ=WEEKLY;UNTIL=20261101"), Err(RecurrenceError::FirstDoesNotFit));
    }

    #[test]
    fn every_other_week_on_two_days_counts_weeks_from_monday() {
        let dates = of("2026-11-24", "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;COUNT=4").expect("four");
        assert_eq!(dates, ["2026-11-24", "2026-11-29", "2026-12-08", "2026-12-13"]);
    }

    #[test]
    fn a_month_without_such_a_day_has_no_visit() {
        assert_eq!(
            of("2026-12-31", "FREQ=MONTHLY;COUNT=3").expect("three"),
            ["2026-12-31", "2027-01-31", "2027-03-31"]
        );
        let last_tuesdays = of("2026-11-24", "FREQ=MONTHLY;BYDAY=-1TU;COUNT=3").expect("three");
        assert_eq!(last_tuesdays, ["2026-11-24", "2026-12-29", "2027-01-26"]);
    }

    #[test]
    fn a_series_until_a_distant_day_is_too_long() {
        assert_eq!(of("2026-11-24", "FREQ=DAILY;UNTIL=20270122").map(|dates| dates.len()), Ok(60));
        assert_eq!(of("2026-11-24", "FREQ=DAILY;UNTIL=20270123"), Err(RecurrenceError::TooMany));
        assert_eq!(of("2026-11-24", "FREQ=DAILY;UNTIL=99991231"), Err(RecurrenceError::TooMany));
    }
}
