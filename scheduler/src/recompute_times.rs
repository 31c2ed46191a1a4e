//! A time zone's rules have changed: what was agreed on stays, and the instants follow.
//!
//! What was agreed on is the clock on the wall. The instants beside it were computed by the rules as they were known then, and
//! reminders, waiting rooms and reservations go by the instants.

use crate::{
    availability::first_instant,
    events::{self, EventKind},
    messages::{self, News},
    tables,
};
use domain::{Actor, AppointmentId, ClinicId, Clock, ScheduleExceptionId, Who};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde_json::json;
use service::{
    audit::{self, AuditEvent},
    postgres::Db,
};
use std::collections::{BTreeMap, BTreeSet};
use tables::{appointments::Ahead, reservations::Kept};

/// Finds a zone by its name. An argument, so that a test can change the rules of one.
pub type Zones<'a> = &'a (dyn Fn(&str) -> Option<TimeZone> + Send + Sync);

/// What came of it in one clinic. Ids and instants only.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recomputed {
    /// Appointments with their old and their new start.
    pub moved: Vec<(AppointmentId, Timestamp, Timestamp)>,
    /// Appointments that would overlap another one at their new start: they keep the old one, and somebody must decide.
    pub overlapping: Vec<(AppointmentId, Timestamp, Timestamp)>,
    /// Leave, holidays and extra hours with their old and their new start.
    pub exceptions: Vec<(ScheduleExceptionId, Timestamp, Timestamp)>,
    /// Zones of which nothing is known any more; what was agreed on in them keeps its instants.
    pub unknown_zones: BTreeSet<String>,
}

/// Computes the future instants of every clinic again, one transaction each: what came of it by clinic.
pub async fn recompute_all(
    db: &Db,
    clock: &dyn Clock,
    zones: Zones<'_>,
) -> Result<Vec<(ClinicId, Recomputed)>, sqlx::Error> {
    let clinics = tables::clinics::all(&mut *db.door().await?).await?;
    let mut all = Vec::new();
    for clinic in clinics {
        let by = Actor { clinic, who: Who::Service("recompute-times") };
        all.push((clinic, recompute_times(db, clock, zones, &by).await?));
    }
    Ok(all)
}

/// Computes the clinic's future instants again, all in one transaction: appointments with everything they reserve, and exceptions.
///
/// What was agreed on for a time that the clock now skips moves to the jump. Running it again changes nothing.
pub async fn recompute_times(
    db: &Db,
    clock: &dyn Clock,
    zones: Zones<'_>,
    by: &Actor,
) -> Result<Recomputed, sqlx::Error> {
    let mut tx = db.begin(by).await?;
    let now = clock.now();
    let mut done = Recomputed::default();
    let ahead = tables::appointments::lock_ahead(&mut tx, by.clinic, now).await?;
    let mut shifts = shifts(&ahead, zones, now, &mut done);
    let kept = tables::reservations::kept(&mut tx, by.clinic, now).await?;
    let wanted = shifts.clone();
    drop_overlapping(&mut shifts, &kept);

    tables::reservations::shift(&mut tx, by.clinic, &shifts).await?;
    for appointment in ahead.iter().filter(|one| wanted.contains_key(&one.id)) {
        let from = appointment.starts_at.to_jiff();
        let to = from + wanted[&appointment.id];
        if shifts.contains_key(&appointment.id) {
            let ends_at = appointment.ends_at.to_jiff() + wanted[&appointment.id];
            tables::appointments::recompute(&mut tx, by.clinic, appointment.id, to, ends_at).await?;
            // The clock on the wall shows the same, but the calendar that holds the invitation does not know.
            messages::plan(&mut tx, by.clinic, now, appointment.id, News::Moved).await?;
            done.moved.push((appointment.id, from, to));
        } else {
            done.overlapping.push((appointment.id, from, to));
        }
    }
    for one in tables::schedule_exceptions::instants(&mut tx, by.clinic, now).await? {
        let Some(zone) = zones(&one.time_zone) else {
            done.unknown_zones.insert(one.time_zone);
            continue;
        };
        let [from, to] = [one.wall_from, one.wall_to].map(|wall| first_instant(wall.to_jiff(), &zone));
        // Where the clock skips all of it nothing is left to keep.
        if (from, to) != (one.starts_at.to_jiff(), one.ends_at.to_jiff()) && from < to {
            tables::schedule_exceptions::recompute(&mut tx, by.clinic, one.id, from, to).await?;
            done.exceptions.push((one.id, one.starts_at.to_jiff(), from));
        }
    }
    for (id, from, to) in &done.moved {
        let event = AuditEvent::new("appointment.recomputed").appointment(*id);
        audit::record(&mut tx, by, event.detail(json!({ "from": from, "to": to }))).await?;
        events::record(&mut tx, by, EventKind::Rescheduled, *id).await?;
    }
    tx.commit().await?;
    Ok(done)
}

/// By how much each appointment that no longer begins when its wall says so must move.
fn shifts(
    ahead: &[Ahead],
    zones: Zones<'_>,
    now: Timestamp,
    done: &mut Recomputed,
) -> BTreeMap<AppointmentId, SignedDuration> {
    let mut shifts = BTreeMap::new();
    for one in ahead {
        let Some(zone) = zones(&one.time_zone) else {
            done.unknown_zones.insert(one.time_zone.clone());
            continue;
        };
        let (starts_at, wall) = (one.starts_at.to_jiff(), one.wall_time.to_jiff());
        // Whatever shows the agreed time is right, the second time that it is shown, too.
        if zone.to_datetime(starts_at) == wall {
            continue;
        }
        let right = first_instant(wall, &zone);
        if right > now {
            shifts.insert(one.id, right.duration_since(starts_at));
        }
    }
    shifts
}

/// Takes out whatever would overlap, until nothing does: what stays where it is was there first, and of two that move to one place
/// neither is the right one. It ends, since with nothing left to move everything is as it was.
fn drop_overlapping(shifts: &mut BTreeMap<AppointmentId, SignedDuration>, kept: &[Kept]) {
    loop {
        let shift = |one: &Kept| one.appointment.and_then(|id| shifts.get(&id)).copied().unwrap_or_default();
        let mut places: Vec<_> = kept
            .iter()
            .map(|one| (&one.resource, one.from.to_jiff() + shift(one), one.to.to_jiff() + shift(one), one.appointment))
            .collect();
        places.sort_unstable();
        let mut stay = BTreeSet::new();
        let mut last: Option<(_, Timestamp, Option<AppointmentId>)> = None;
        for (resource, from, to, appointment) in places {
            if let Some((before, end, other)) = last
                && before == resource
                && from < end
            {
                stay.extend([other, appointment].into_iter().flatten());
                if to <= end {
                    continue;
                }
            }
            last = Some((resource, to, appointment));
        }
        let count = shifts.len();
        shifts.retain(|id, _| !stay.contains(id));
        if shifts.len() == count {
            return;
        }
    }
}
