//! The free slots of a practitioner on a day.

use crate::{tables, tables::schedules::Rule, views::VisitTypeView};
use domain::{Actor, ClinicId, Clock, PractitionerId, VisitTypeId};
use jiff::{
    SignedDuration, Timestamp, ToSpan as _,
    civil::{Date, Time},
    tz::{AmbiguousOffset, TimeZone},
};
use service::postgres::Db;
use sqlx::PgConnection;

/// How far [`next_day_with_free_slot`] looks: four weeks show every weekday often enough.
const DAYS_AHEAD: usize = 28;

/// A piece of a practitioner's time that may be booked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Slot {
    /// When it begins.
    pub starts_at: Timestamp,
    /// When it ends.
    pub ends_at: Timestamp,
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

/// Whether the practitioner's schedule and the rules of the type allow a visit from `starts_at` on. Whether the time is taken is
/// for the reservations to say.
pub(crate) async fn offers(
    connection: &mut PgConnection,
    clinic: ClinicId,
    practitioner: PractitionerId,
    visit_type: VisitTypeId,
    starts_at: Timestamp,
    now: Timestamp,
) -> Result<Offer, NotOffered> {
    let found = tables::visit_types::find(connection, clinic, visit_type).await?;
    let visit_type = found.filter(|one| one.practitioners.contains(&practitioner)).ok_or(NotOffered::NoSuchType)?;
    if starts_at < now + SignedDuration::from_mins(visit_type.min_notice_minutes.into()) {
        return Err(NotOffered::TooSoon);
    }
    if starts_at > now + SignedDuration::from_hours(24 * i64::from(visit_type.horizon_days)) {
        return Err(NotOffered::TooFarAhead);
    }
    let zone = tables::clinics::get(connection, clinic).await?.zone;
    let date = starts_at.to_zoned(zone.clone()).date();
    let slots = slots_of(connection, clinic, practitioner, Some(visit_type.minutes), date, &zone).await?;
    let slot = slots.into_iter().find(|slot| slot.starts_at == starts_at).ok_or(NotOffered::OutsideSchedule)?;
    Ok(Offer { slot: OpenSlot { practitioner, starts_at, ends_at: slot.ends_at }, visit_type })
}

/// The IANA name of a zone.
pub(crate) fn zone_name(zone: &TimeZone) -> &str {
    zone.iana_name().expect("a zone that was found by its name has one")
}

/// The slots of `date` (a day of the clinic) that are neither begun nor taken, in order: of a type of visit, or as the schedule
/// divides the time.
pub async fn free_slots(
    db: &Db,
    clock: &dyn Clock,
    by: &Actor,
    practitioner: PractitionerId,
    visit_type: Option<&VisitTypeView>,
    date: Date,
) -> Result<Vec<Slot>, sqlx::Error> {
    let mut tx = db.begin(by).await?;
    let zone = tables::clinics::get(&mut tx, by.clinic).await?.zone;
    free_on(&mut tx, by.clinic, practitioner, visit_type, date, &zone, clock.now()).await
}

/// The first day from `date` on, within four weeks, on which the practitioner has a free slot.
pub async fn next_day_with_free_slot(
    db: &Db,
    clock: &dyn Clock,
    by: &Actor,
    practitioner: PractitionerId,
    visit_type: Option<&VisitTypeView>,
    date: Date,
) -> Result<Option<Date>, sqlx::Error> {
    let mut tx = db.begin(by).await?;
    let zone = tables::clinics::get(&mut tx, by.clinic).await?.zone;
    for date in date.series(1.day()).take(DAYS_AHEAD) {
        if !free_on(&mut tx, by.clinic, practitioner, visit_type, date, &zone, clock.now()).await?.is_empty() {
            return Ok(Some(date));
        }
    }
    Ok(None)
}

/// The first instant of a day in a zone, and of the next.
pub(crate) fn bounds(date: Date, zone: &TimeZone) -> (Timestamp, Timestamp) {
    let start = |date: Date| zone.to_timestamp(date.at(0, 0, 0, 0)).unwrap_or(Timestamp::MAX);
    (start(date), start(date.tomorrow().unwrap_or(Date::MAX)))
}

/// The slots that the schedule gives on a day, taken or not.
pub(crate) async fn slots_of(
    connection: &mut PgConnection,
    clinic: ClinicId,
    practitioner: PractitionerId,
    minutes: Option<i16>,
    date: Date,
    zone: &TimeZone,
) -> Result<Vec<Slot>, sqlx::Error> {
    let rules = tables::schedules::on(connection, clinic, practitioner, date.weekday()).await?;
    Ok(slots(&rules, minutes, date, zone))
}

async fn free_on(
    connection: &mut PgConnection,
    clinic: ClinicId,
    practitioner: PractitionerId,
    visit_type: Option<&VisitTypeView>,
    date: Date,
    zone: &TimeZone,
    now: Timestamp,
) -> Result<Vec<Slot>, sqlx::Error> {
    let mut slots = slots_of(connection, clinic, practitioner, visit_type.map(|one| one.minutes), date, zone).await?;
    let occupies = |slot: &Slot| visit_type.map_or((slot.starts_at, slot.ends_at), |one| one.occupies(slot.starts_at));
    let (Some(first), Some(last)) = (slots.first().map(occupies), slots.iter().map(|slot| occupies(slot).1).max())
    else {
        return Ok(slots);
    };
    let taken = tables::reservations::of_practitioner(connection, clinic, practitioner, first.0, last).await?;
    slots.retain(|slot| {
        let (starts_at, ends_at) = occupies(slot);
        slot.starts_at > now && !taken.iter().any(|(from, to)| starts_at < *to && *from < ends_at)
    });
    Ok(slots)
}

/// The slots of a day by the clock on the wall.
///
/// Where the clock jumps forward, the times it skips do not exist. Where it is put back, a time that comes twice is
/// offered once, the first time: two slots with one name would be mistaken for each other.
fn slots(rules: &[Rule], minutes: Option<i16>, date: Date, zone: &TimeZone) -> Vec<Slot> {
    let mut slots: Vec<Slot> = rules.iter().flat_map(|rule| slots_of_rule(*rule, minutes, date, zone)).collect();
    slots.sort_unstable();
    slots.dedup();
    slots
}

fn slots_of_rule(rule: Rule, minutes: Option<i16>, date: Date, zone: &TimeZone) -> impl Iterator<Item = Slot> {
    let minutes = minutes.unwrap_or(rule.slot_minutes);
    let length = SignedDuration::from_mins(minutes.into());
    let last = rule.to_minute - minutes;
    let starts = (rule.from_minute..=last).step_by(usize::try_from(rule.slot_minutes).unwrap_or(usize::MAX).max(1));
    starts.filter_map(move |minute| {
        let wall = date.to_datetime(Time::midnight()).checked_add(i64::from(minute).minutes()).ok()?;
        let at = zone.to_ambiguous_timestamp(wall);
        if matches!(at.offset(), AmbiguousOffset::Gap { .. }) {
            return None;
        }
        let starts_at = at.earlier().ok()?;
        Some(Slot { starts_at, ends_at: starts_at.checked_add(length).ok()? })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day_and_night(date: &str) -> Vec<String> {
        let rule = Rule { from_minute: 0, to_minute: 1440, slot_minutes: 30 };
        let zone = TimeZone::get("Europe/London").expect("a known zone");
        let slots = slots(&[rule], None, date.parse().expect("a date"), &zone);
        for pair in slots.windows(2) {
            assert!(pair[0].ends_at <= pair[1].starts_at, "{pair:?} overlap");
        }
        slots.iter().map(|slot| slot.starts_at.to_zoned(zone.clone()).strftime("%H:%M").to_string()).collect()
    }

    #[test]
    fn an_ordinary_day_has_48_half_hours() {
        assert_eq!(day_and_night("2026-11-24").len(), 48);
    }

    #[test]
    fn in_spring_the_hour_that_is_skipped_has_no_slots() {
        let slots = day_and_night("2027-03-28");
        assert_eq!(slots.len(), 46);
        assert!(!slots.iter().any(|slot| slot.starts_with("01:")));
    }

    #[test]
    fn in_autumn_the_hour_that_comes_twice_is_offered_once() {
        let slots = day_and_night("2026-10-25");
        assert_eq!(slots.len(), 48);
        assert_eq!(slots.iter().filter(|slot| slot.as_str() == "01:30").count(), 1);
    }

    #[test]
    fn half_past_nine_is_half_past_nine_in_summer_and_in_winter() {
        let rule = Rule { from_minute: 570, to_minute: 600, slot_minutes: 30 };
        let zone = TimeZone::get("Europe/London").expect("a known zone");
        for (date, instant) in [("2026-10-24", "2026-10-24T08:30:00Z"), ("2026-10-26", "2026-10-26T09:30:00Z")] {
            let slots = slots(&[rule], None, date.parse().expect("a date"), &zone);
            assert_eq!(slots[0].starts_at, instant.parse().expect("an instant"));
        }
    }

    #[test]
    fn a_slot_that_would_end_after_hours_is_not_offered() {
        let rule = Rule { from_minute: 540, to_minute: 600, slot_minutes: 45 };
        assert_eq!(slots(&[rule], None, "2026-11-24".parse().expect("a date"), &TimeZone::UTC).len(), 1);
    }
}
