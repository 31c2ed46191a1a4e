//! When visits can be had: the free slots of one or many practitioners, and the hours they work.
//!
//! What is loaded from the database is little and the same for everybody (rules, exceptions, what is taken); the working out is
//! in [`timetable`] and [`wall`], which know neither database nor clock.

#[cfg(test)]
mod properties;
pub(crate) mod timetable;
pub(crate) mod wall;

use crate::{
    tables,
    views::{ScheduleExceptionView, VisitTypeView},
};
use domain::{Actor, ClinicId, Clock, PractitionerId, VisitTypeId};
use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, Time},
    tz::TimeZone,
};
use service::postgres::Db;
use sqlx::PgConnection;
use std::collections::BTreeMap;
pub use timetable::{Besides, Exception, Rule};
use timetable::{Span, Timetable, is_free};
pub(crate) use timetable::{merge, without};
pub(crate) use wall::{after_midnight, bounds, first_instant, instant, zone_name};

/// The most slots that one search finds.
pub const MAX_SLOTS: usize = 1_000;

/// How many days of how many practitioners are looked at first: a day of fifty, fifty days of one. Fewer read less where there is
/// room, more save a second look where calendars are full. Further looks are as long as what was found lets expect.
const FIRST_LOOK: usize = 50;

/// The shortest further look: less is not worth a question to the database.
const SHORTEST_LOOK: SignedDuration = SignedDuration::from_hours(12);

/// The longest look: no more of the calendars is held in memory at once.
const LONGEST_LOOK: SignedDuration = SignedDuration::from_hours(64 * 24);

/// Which slots are wanted.
#[derive(Debug, Clone)]
pub struct SlotSearch {
    /// With whom; empty means everybody who offers the type. Whoever does not offer it has no slots.
    pub practitioners: Vec<PractitionerId>,
    /// For what.
    pub visit_type: VisitTypeId,
    /// Visits begin then at the earliest.
    pub from: Timestamp,
    /// Visits begin before.
    pub to: Timestamp,
    /// A language the practitioner speaks, as a BCP 47 tag: `pt` finds `pt-br` and the other way round.
    pub language: Option<String>,
    /// Visits begin between these times of the day, the second excluded. It may be the smaller one: from evening to morning.
    pub time_of_day: Option<(Time, Time)>,
    /// Whose clock `time_of_day` is read from; without it the clinic's.
    pub zone: Option<TimeZone>,
    /// Only what comes after this slot: the last one of the page before.
    pub after: Option<(Timestamp, PractitionerId)>,
    /// How many at most; never more than [`MAX_SLOTS`].
    pub limit: usize,
}

/// When a visit with a practitioner may begin, and when it would end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenSlot {
    /// With whom.
    pub practitioner: PractitionerId,
    /// When it begins.
    pub starts_at: Timestamp,
    /// When it ends, buffers apart.
    pub ends_at: Timestamp,
}

/// Why no search was made.
#[derive(Debug, thiserror::Error)]
pub enum FindSlotsError {
    /// The clinic does not offer this type, or no longer.
    #[error("there is no such type of visit")]
    NoSuchVisitType,
    /// The end of the time to search is before its start.
    #[error("the time to search in ends before it begins")]
    EndsBeforeItBegins,
    /// Postgres failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// The first free slots, in order of start and practitioner. A pure look: nothing is kept for anybody.
///
/// A slot is free when the visit lies wholly in the practitioner's hours and nothing of it or of its buffers is taken. Buffers may
/// lie outside of the hours. The type's notice and horizon bound the search.
pub async fn find_slots(
    db: &Db,
    clock: &dyn Clock,
    by: &Actor,
    search: &SlotSearch,
) -> Result<Vec<OpenSlot>, FindSlotsError> {
    if search.to < search.from {
        return Err(FindSlotsError::EndsBeforeItBegins);
    }
    let mut tx = db.begin(by).await?;
    let found = tables::visit_types::find(&mut tx, by.clinic, search.visit_type).await?;
    let visit_type = found.ok_or(FindSlotsError::NoSuchVisitType)?;
    let practitioners = who(&mut tx, by.clinic, &visit_type, search).await?;
    let (earliest, latest) = bookable(&visit_type, clock.now());
    let (mut from, to) = (search.from.max(earliest), search.to.min(latest));
    if let Some((after, _)) = search.after {
        from = from.max(after);
    }
    if practitioners.is_empty() || from >= to {
        return Ok(Vec::new());
    }
    let mut timetables = weekly(&mut tx, by.clinic, &practitioners).await?;
    let times = match (search.time_of_day, &search.zone) {
        (Some(times), Some(zone)) => Some((times, zone.clone())),
        (Some(times), None) => Some((times, tables::clinics::get(&mut tx, by.clinic).await?.zone)),
        (None, _) => None,
    };
    let wanted = |at: Timestamp, practitioner: PractitionerId| {
        search.after.is_none_or(|after| (at, practitioner) > after)
            && times.as_ref().is_none_or(|(times, zone)| is_between(*times, at.to_zoned(zone.clone()).time()))
    };
    let limit = search.limit.min(MAX_SLOTS);
    let (begins, mut slots) = (from, Vec::new());
    let days = i64::try_from(FIRST_LOOK.div_ceil(practitioners.len())).unwrap_or(1);
    let mut look = SignedDuration::from_hours(24 * days);
    while from < to && slots.len() < limit {
        let until = from.saturating_add(look).unwrap_or(to).min(to);
        slots.extend(look_at(&mut tx, by.clinic, &visit_type, &mut timetables, (from, until), &wanted).await?);
        from = until;
        look = next_look(look, from.duration_since(begins), slots.len(), limit);
    }
    slots.truncate(limit);
    Ok(slots)
}

/// How far to look after `found` of `limit` slots were found in `looked`: the rest is expected to lie as close, and what is empty
/// may end anywhere. At most so much further than before that a stretch that is unlike the last reads little in vain.
fn next_look(last: SignedDuration, looked: SignedDuration, found: usize, limit: usize) -> SignedDuration {
    let most = (last * 4).min(LONGEST_LOOK);
    let (Ok(found), Ok(missing)) = (i32::try_from(found), i32::try_from(limit.saturating_sub(found))) else {
        return most;
    };
    if found == 0 { most } else { (looked / found * missing).clamp(SHORTEST_LOOK, most) }
}

/// The practitioners who are asked for, offer the type and speak the language.
async fn who(
    connection: &mut PgConnection,
    clinic: ClinicId,
    visit_type: &VisitTypeView,
    search: &SlotSearch,
) -> Result<Vec<PractitionerId>, sqlx::Error> {
    let asked = |id: &PractitionerId| search.practitioners.is_empty() || search.practitioners.contains(id);
    let offering: Vec<_> = visit_type.practitioners.iter().copied().filter(asked).collect();
    match &search.language {
        Some(language) => tables::practitioners::who_speak(connection, clinic, &offering, language).await,
        None => Ok(offering),
    }
}

/// From when until when visits of a type may begin if they are booked now.
fn bookable(visit_type: &VisitTypeView, now: Timestamp) -> (Timestamp, Timestamp) {
    let notice = SignedDuration::from_mins(visit_type.min_notice_minutes.into());
    let horizon = SignedDuration::from_hours(24 * i64::from(visit_type.horizon_days));
    // What begins now has begun: a visit lies ahead by at least a nanosecond, as the horizon includes its last.
    let tick = SignedDuration::from_nanos(1);
    (now + notice.max(tick), now + horizon + tick)
}

fn is_between((from, to): (Time, Time), time: Time) -> bool {
    if from < to { from <= time && time < to } else { from <= time || time < to }
}

/// The free slots of everybody that begin in a stretch of time, in order.
async fn look_at(
    connection: &mut PgConnection,
    clinic: ClinicId,
    visit_type: &VisitTypeView,
    timetables: &mut BTreeMap<PractitionerId, Timetable>,
    (from, to): Span,
    wanted: &(impl Fn(Timestamp, PractitionerId) -> bool + Sync),
) -> Result<Vec<OpenSlot>, sqlx::Error> {
    except(connection, clinic, timetables, (from, visit_type.occupies(to).1)).await?;
    let mut starts = Vec::new();
    for (&practitioner, timetable) in &*timetables {
        let theirs = timetable.starts(visit_type.minutes, from, to).into_iter();
        starts.extend(theirs.filter(|at| wanted(*at, practitioner)).map(|at| (at, practitioner)));
    }
    starts.sort_unstable();
    // Nights, weekends and other times of the day need no reading.
    let (Some((first, _)), Some((last, _))) = (starts.first(), starts.last()) else { return Ok(Vec::new()) };
    let practitioners: Vec<_> = timetables.keys().copied().collect();
    let (first, last) = (visit_type.occupies(*first).0, visit_type.occupies(*last).1);
    let taken = tables::reservations::of_practitioners(connection, clinic, &practitioners, first, last).await?;
    let length = SignedDuration::from_mins(visit_type.minutes.into());
    let is_open = |at: Timestamp, practitioner: PractitionerId| {
        let (first, last) = visit_type.occupies(at);
        is_free(taken.get(&practitioner).map_or(&[][..], Vec::as_slice), first, last)
    };
    let open = starts.into_iter().filter(|(at, practitioner)| is_open(*at, *practitioner));
    Ok(open.map(|(at, practitioner)| OpenSlot { practitioner, starts_at: at, ends_at: at + length }).collect())
}

/// When each practitioner works from one day of the clinic to another, both included: weekly rules, extra hours, leave and
/// holidays applied, whatever is booked.
pub async fn hours(
    db: &Db,
    by: &Actor,
    from: Date,
    to: Date,
) -> Result<Vec<(PractitionerId, Vec<(Timestamp, Timestamp)>)>, sqlx::Error> {
    let mut tx = db.begin(by).await?;
    let zone = tables::clinics::get(&mut tx, by.clinic).await?.zone;
    let practitioners: Vec<_> =
        tables::practitioners::list(&mut tx, by.clinic).await?.into_iter().map(|one| one.id).collect();
    let (from, to) = (bounds(from, &zone).0, bounds(to, &zone).1);
    let timetables = timetables(&mut tx, by.clinic, &practitioners, from, to).await?;
    let hours = |id| timetables.get(&id).map_or_else(Vec::new, |one| clipped(&one.hours(from, to), from, to));
    Ok(practitioners.into_iter().map(|id| (id, hours(id))).collect())
}

/// What of `spans` lies in `[from, to)`.
pub(crate) fn clipped(spans: &[Span], from: Timestamp, to: Timestamp) -> Vec<Span> {
    spans.iter().map(|span| (span.0.max(from), span.1.min(to))).filter(|(from, to)| from < to).collect()
}

/// What says when some practitioners work between two instants, in two queries for all of them.
pub(crate) async fn timetables(
    connection: &mut PgConnection,
    clinic: ClinicId,
    practitioners: &[PractitionerId],
    from: Timestamp,
    to: Timestamp,
) -> Result<BTreeMap<PractitionerId, Timetable>, sqlx::Error> {
    let mut timetables = weekly(connection, clinic, practitioners).await?;
    except(connection, clinic, &mut timetables, (from, to)).await?;
    Ok(timetables)
}

/// The weekly rules of some practitioners.
async fn weekly(
    connection: &mut PgConnection,
    clinic: ClinicId,
    practitioners: &[PractitionerId],
) -> Result<BTreeMap<PractitionerId, Timetable>, sqlx::Error> {
    let mut timetables: BTreeMap<_, _> = practitioners.iter().map(|id| (*id, Timetable::default())).collect();
    for (_, practitioner, rule) in tables::schedules::of(connection, clinic, practitioners).await? {
        timetables.entry(practitioner).or_default().rules.push(rule);
    }
    Ok(timetables)
}

/// Gives each timetable its exceptions of a stretch of time, instead of those that it has.
async fn except(
    connection: &mut PgConnection,
    clinic: ClinicId,
    timetables: &mut BTreeMap<PractitionerId, Timetable>,
    (from, to): Span,
) -> Result<(), sqlx::Error> {
    let practitioners: Vec<_> = timetables.keys().copied().collect();
    let exceptions = tables::schedule_exceptions::between(connection, clinic, &practitioners, from, to).await?;
    for timetable in timetables.values_mut() {
        timetable.exceptions.clear();
    }
    for ScheduleExceptionView { practitioner, exception, .. } in exceptions {
        for (_, timetable) in timetables.iter_mut().filter(|(id, _)| practitioner.is_none_or(|one| one == **id)) {
            timetable.exceptions.push(exception.clone());
        }
    }
    Ok(())
}

/// A slot together with the type of visit that fits into it.
pub(crate) struct Offer {
    pub(crate) slot: OpenSlot,
    pub(crate) visit_type: VisitTypeView,
}

/// Why a visit cannot be had then, whoever else wants it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotOffered {
    #[error("the practitioner does not work at that time")]
    OutsideSchedule,
    #[error("the visit begins too soon to be booked")]
    TooSoon,
    #[error("the visit is too far ahead to be booked")]
    TooFarAhead,
    #[error("the practitioner does not offer this type of visit")]
    NoSuchType,
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// At which times a visit may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Starts {
    /// Where the practitioner's schedule has a slot begin: what is offered to whoever chooses from a list.
    #[default]
    OfSchedule,
    /// At any minute from which the visit lies in the hours: the desk knows what it does.
    AnyMinute,
}

/// Whether the practitioner's schedule and the rules of the type allow a visit from `starts_at` on. Whether the time is taken is
/// for the reservations to say.
pub(crate) async fn offers(
    connection: &mut PgConnection,
    clinic: ClinicId,
    practitioner: PractitionerId,
    visit_type: VisitTypeId,
    (starts_at, starts): (Timestamp, Starts),
    now: Timestamp,
) -> Result<Offer, NotOffered> {
    let found = tables::visit_types::find(connection, clinic, visit_type).await?;
    let visit_type = found.filter(|one| one.practitioners.contains(&practitioner)).ok_or(NotOffered::NoSuchType)?;
    let ends_at = starts_at + SignedDuration::from_mins(visit_type.minutes.into());
    let mut timetables = timetables(connection, clinic, &[practitioner], starts_at, ends_at).await?;
    let timetable = timetables.remove(&practitioner).unwrap_or_default();
    offer(visit_type, &timetable, practitioner, (starts_at, starts), now)
}

/// The same of a type that the practitioner offers, by their timetable.
pub(crate) fn offer(
    visit_type: VisitTypeView,
    timetable: &Timetable,
    practitioner: PractitionerId,
    (starts_at, starts): (Timestamp, Starts),
    now: Timestamp,
) -> Result<Offer, NotOffered> {
    let (earliest, latest) = bookable(&visit_type, now);
    if starts_at < earliest {
        return Err(NotOffered::TooSoon);
    }
    if starts_at >= latest {
        return Err(NotOffered::TooFarAhead);
    }
    let ends_at = starts_at + SignedDuration::from_mins(visit_type.minutes.into());
    let may_begin = match starts {
        Starts::OfSchedule => timetable.starts(visit_type.minutes, starts_at, ends_at).first() == Some(&starts_at),
        Starts::AnyMinute => starts_at.as_second() % 60 == 0 && timetable.holds(starts_at, ends_at),
    };
    if !may_begin {
        return Err(NotOffered::OutsideSchedule);
    }
    Ok(Offer { slot: OpenSlot { practitioner, starts_at, ends_at }, visit_type })
}
