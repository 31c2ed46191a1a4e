//! Everything that the desk shows of one day or several, read in one transaction with a handful of queries, however many
//! practitioners the clinic has.

mod visit;

pub use crate::tables::holds::HeldTime;

use crate::{
    attention::{self, DeskCounts, UnreachedVisit},
    availability::{self, timetable::Timetable},
    tables,
    views::{PractitionerView, Visits},
};
use domain::{Actor, Clock, PractitionerId, Who};
use jiff::{SignedDuration, Timestamp, ToSpan as _, civil::Date};
use service::postgres::Db;
use std::{collections::HashMap, sync::Arc};
pub use visit::DeskVisit;

/// How many practitioners one page of the desk shows. Beyond, a page takes too long to draw and nobody finds anything on it.
pub const MAX_DESK_COLUMNS: usize = 50;

/// How many of those whom no message reached are shown: more than anybody rings in an hour.
const MAX_UNREACHED: usize = 20;

/// A piece of free time, from where a visit may begin to where the next may, or to what comes before that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FreeTime {
    /// When it begins.
    pub starts_at: Timestamp,
    /// When it ends.
    pub ends_at: Timestamp,
}

/// The shortest free time that is shown, in minutes: nothing shorter can be booked.
const SHORTEST_MINUTES: i16 = 5;

/// Whose time the desk shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeskOf {
    /// One practitioner's.
    One(PractitionerId),
    /// That of this page of [`MAX_DESK_COLUMNS`] practitioners, counted from 0.
    Page(usize),
}

/// What is made of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeskFor {
    /// A whole page, whose frame says how much waits.
    Page,
    /// The part of it that changes.
    Board,
}

/// What the desk shows.
#[derive(Default)]
pub struct DeskView {
    /// Everybody who could be shown, by family name.
    pub practitioners: Vec<Arc<PractitionerView>>,
    /// Who is shown.
    pub shown: Vec<Arc<PractitionerView>>,
    /// Of one day the visits of the whole clinic in order, or of those who are shown if the clinic has more than one page of
    /// them; of several days those of the one who is shown.
    pub visits: Vec<DeskVisit>,
    /// Of several days of everybody: each practitioner's visits on each, in numbers.
    pub counted: HashMap<(PractitionerId, Date), Visits>,
    /// Of one day: the first appointments of the coming days whose patients no message reached, in order, and what did not reach them; see
    /// [`unreached_visits`](crate::unreached_visits()).
    pub unreached: Vec<UnreachedVisit>,
    /// Of a whole page: how much waits for the desk in all.
    pub counts: DeskCounts,
    /// When each of those who are shown works.
    pub hours: HashMap<PractitionerId, Vec<(Timestamp, Timestamp)>>,
    /// What of it is held while somebody fills in a form, or for somebody of the waitlist.
    pub held: Vec<HeldTime>,
    /// What of it is neither taken nor past, as their schedules divide it.
    pub free: HashMap<PractitionerId, Vec<FreeTime>>,
}

/// The days from `from` to `to`, both included. Nothing for a patient.
pub async fn desk(
    db: &Db,
    clock: &dyn Clock,
    by: &Actor,
    (from, to): (Date, Date),
    of: DeskOf,
    what: DeskFor,
) -> Result<DeskView, sqlx::Error> {
    if matches!(by.who, Who::Patient { .. }) {
        return Ok(DeskView::default());
    }
    let mut tx = db.begin(by).await?;
    let clinic = tables::clinics::get(&mut tx, by.clinic).await?;
    let is_one_day = from == to;
    let days = from.series(1.day()).take_while(|date| *date <= to);
    let days: Vec<_> = days.map(|date| (date, availability::bounds(date, &clinic.zone).0)).collect();
    let (from, to) = (availability::bounds(from, &clinic.zone).0, availability::bounds(to, &clinic.zone).1);
    let practitioners = tables::practitioners::list(&mut tx, by.clinic).await?;
    let practitioners: Vec<_> = practitioners.into_iter().map(Arc::new).collect();
    let shown = shown(&practitioners, of);
    let ids: Vec<_> = shown.iter().map(|one| one.id).collect();
    let timetables = availability::timetables(&mut tx, by.clinic, &ids, from, to).await?;
    // What is past is not free, whatever became of it.
    let ahead = clock.now().clamp(from, to);
    let taken = tables::reservations::of_practitioners(&mut tx, by.clinic, &ids, ahead, to).await?;
    let (mut unreached, mut counts) = (Vec::new(), DeskCounts::default());
    if is_one_day || what == DeskFor::Page {
        let most = if is_one_day { MAX_UNREACHED } else { 0 };
        (unreached, counts.unreached) = attention::unreached(&mut tx, by.clinic, clock.now(), most).await?;
    }
    if what == DeskFor::Page {
        counts.waitlist = attention::waitlist(&mut tx, by.clinic).await?;
    }
    let held = tables::holds::between(&mut tx, by.clinic, &ids, from, to).await?;
    let (mut visits, mut counted) = (Vec::new(), HashMap::new());
    if is_one_day || matches!(of, DeskOf::One(_)) {
        // Who waits concerns the desk whoever is shown; in a clinic of more than a page there would be too many to read.
        let is_everybody = is_one_day && practitioners.len() <= MAX_DESK_COLUMNS;
        let whose = (!is_everybody).then_some(&ids[..]);
        visits = tables::desk_visits::between(&mut tx, by.clinic, (from, to), whose, &practitioners).await?;
    } else {
        counted = tables::views::by_day(&mut tx, by.clinic, &days, to, &ids).await?;
    }
    let mut view = DeskView { practitioners, shown, visits, counted, unreached, counts, held, ..DeskView::default() };
    for (id, timetable) in timetables {
        let hours = availability::clipped(&timetable.hours(from, to), from, to);
        let taken = taken.get(&id).map_or(&[][..], Vec::as_slice);
        view.free.insert(id, free(&timetable, &hours, taken, clock.now(), (ahead, to)));
        view.hours.insert(id, hours);
    }
    Ok(view)
}

fn shown(all: &[Arc<PractitionerView>], of: DeskOf) -> Vec<Arc<PractitionerView>> {
    match of {
        DeskOf::One(id) => all.iter().filter(|one| one.id == id).cloned().collect(),
        DeskOf::Page(page) => {
            all.iter().skip(page.saturating_mul(MAX_DESK_COLUMNS)).take(MAX_DESK_COLUMNS).cloned().collect()
        }
    }
}

/// What is free, cut where a visit may begin: each piece goes on until the next beginning, the end of the hours or what is taken.
fn free(
    timetable: &Timetable,
    hours: &[(Timestamp, Timestamp)],
    taken: &[(Timestamp, Timestamp)],
    now: Timestamp,
    (from, to): (Timestamp, Timestamp),
) -> Vec<FreeTime> {
    let starts = timetable.starts(SHORTEST_MINUTES, from, to);
    let mut free = Vec::new();
    for (index, &starts_at) in starts.iter().enumerate() {
        let next = taken[taken.partition_point(|one| one.1 <= starts_at)..].first();
        let is_taken = next.is_some_and(|(from, _)| *from <= starts_at);
        let Some((_, closes)) = hours.iter().find(|(from, to)| *from <= starts_at && starts_at < *to) else { continue };
        if is_taken || starts_at <= now {
            continue;
        }
        let ends = [Some(*closes), starts.get(index + 1).copied(), next.map(|(from, _)| *from)];
        let ends_at = ends.into_iter().flatten().min().unwrap_or(*closes);
        if ends_at.duration_since(starts_at) >= SignedDuration::from_mins(SHORTEST_MINUTES.into()) {
            free.push(FreeTime { starts_at, ends_at });
        }
    }
    free
}
