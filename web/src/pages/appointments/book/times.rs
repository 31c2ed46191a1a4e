//! The slots of a day as radio buttons: what is free, and struck what is not.

use super::form::{BookingForm, Options};
use crate::{errors::PageError, state::WebState, words};
use domain::{Actor, AppointmentState, PractitionerId, VisitTypeId};
use jiff::{Timestamp, ToSpan as _, civil::Date, tz::TimeZone};
use scheduler::{FindSlotsError, OpenSlot, SlotSearch};
use std::collections::BTreeMap;

/// The most slots of one day that are read: a whole day of one practitioner, or the mornings of many.
const MAX_SLOTS: usize = 600;

/// How far ahead the first free day is looked for.
const DAYS_AHEAD: i64 = 60;

/// How many free times are offered in place of one that cannot be had.
const NEAREST: usize = 3;

/// A slot as a radio button.
pub(super) struct Time {
    /// What the form sends: the instant, and the practitioner if any would do.
    pub(super) value: String,
    pub(super) label: String,
    /// With whom, if any would do.
    pub(super) with: Option<String>,
    /// What the patient's own clock shows then, where it shows something else.
    pub(super) theirs: Option<String>,
    pub(super) is_chosen: bool,
    pub(super) is_taken: bool,
}

/// The slots of `date`. `lost` has just been taken: it is struck, and the nearest is chosen in its place.
/// `theirs` is the patient's own zone, where its clock shows another time.
pub(super) async fn of_day(
    state: &WebState,
    by: &Actor,
    options: &Options,
    form: &BookingForm,
    date: Date,
    lost: Option<Timestamp>,
    (zone, theirs): (&TimeZone, Option<&TimeZone>),
) -> Result<Vec<Time>, PageError> {
    let mut free: BTreeMap<Timestamp, PractitionerId> = BTreeMap::new();
    for slot in find(state, by, options, date, date, MAX_SLOTS, zone).await? {
        free.entry(slot.starts_at).or_insert(slot.practitioner);
    }
    let (chosen, with) = form.chosen();
    // What this form holds is not free for others, and so not among the free ones; it is for this form.
    if let (Some(held), Some(practitioner), None) = (form.held(), options.practitioner.or(with), lost)
        && words::day_of(held, zone) == date
    {
        free.entry(held).or_insert(practitioner);
    }
    let chosen = lost
        .and_then(|lost| free.keys().min_by_key(|at| at.duration_since(lost).abs()).copied())
        .or(chosen.filter(|at| free.contains_key(at)));
    let taken = taken(state, by, options, date, lost, &free).await?;
    let mut times: Vec<(Timestamp, Time)> = Vec::new();
    for (at, practitioner) in free.into_iter().map(|(at, who)| (at, Some(who))).chain(taken.map(|at| (at, None))) {
        let with = practitioner.filter(|_| options.practitioner.is_none());
        let time = Time {
            value: with.map_or_else(|| at.to_string(), |id| format!("{at}~{id}")),
            label: words::time(at, zone),
            with: with.and_then(|id| options.name_of(id)),
            theirs: theirs.map(|theirs| words::time(at, theirs)),
            is_chosen: practitioner.is_some() && chosen == Some(at),
            is_taken: practitioner.is_none(),
        };
        times.push((at, time));
    }
    times.sort_by_key(|(at, _)| *at);
    Ok(times.into_iter().map(|(_, time)| time).collect())
}

/// The starts of what the practitioner has already on that day, and the slot that was lost.
async fn taken(
    state: &WebState,
    by: &Actor,
    options: &Options,
    date: Date,
    lost: Option<Timestamp>,
    free: &BTreeMap<Timestamp, PractitionerId>,
) -> Result<impl Iterator<Item = Timestamp> + use<>, PageError> {
    let now = state.clock.now();
    let mut taken: Vec<Timestamp> = Vec::new();
    if let Some(practitioner) = options.practitioner {
        let day = scheduler::day(&state.db, by, date, Some(practitioner)).await?;
        let booked = day.iter().filter(|a| a.state != AppointmentState::Cancelled && a.starts_at > now);
        taken.extend(booked.map(|a| a.starts_at));
    }
    taken.extend(lost);
    taken.sort_unstable();
    taken.dedup();
    taken.retain(|at| !free.contains_key(at));
    Ok(taken.into_iter())
}

/// What may be had in place of a time that may not: the free starts of its day that are nearest, on the clock on the wall, as a
/// sentence.
pub(crate) async fn instead(
    state: &WebState,
    by: &Actor,
    (practitioner, visit_type): (PractitionerId, VisitTypeId),
    at: Timestamp,
    zone: &TimeZone,
) -> Result<String, PageError> {
    let day = words::day_of(at, zone);
    let found = search(state, by, vec![practitioner], visit_type, (day, day), MAX_SLOTS, zone).await?;
    let mut free: Vec<Timestamp> = found.into_iter().map(|slot| slot.starts_at).collect();
    free.sort_by_key(|free| free.duration_since(at).abs());
    free.truncate(NEAREST);
    free.sort_unstable();
    let free: Vec<String> = free.into_iter().map(|at| words::time(at, zone)).collect();
    Ok(match free.as_slice() {
        [] => "Nothing is free on that day.".to_owned(),
        [only] => format!("Free on that day: {only}."),
        [others @ .., last] => format!("The nearest free times: {} and {last}.", others.join(", ")),
    })
}

/// The first day from `from` on with a free slot.
pub(super) async fn first_free(
    state: &WebState,
    by: &Actor,
    options: &Options,
    from: Date,
    zone: &TimeZone,
) -> Result<Option<Date>, PageError> {
    let found = find(state, by, options, from, from.saturating_add(DAYS_AHEAD.days()), 1, zone).await?;
    Ok(found.first().map(|slot| words::day_of(slot.starts_at, zone)))
}

async fn find(
    state: &WebState,
    by: &Actor,
    options: &Options,
    from: Date,
    to: Date,
    limit: usize,
    zone: &TimeZone,
) -> Result<Vec<OpenSlot>, PageError> {
    let Some(visit_type) = options.visit_type else { return Ok(Vec::new()) };
    search(state, by, options.practitioner.into_iter().collect(), visit_type, (from, to), limit, zone).await
}

async fn search(
    state: &WebState,
    by: &Actor,
    practitioners: Vec<PractitionerId>,
    visit_type: VisitTypeId,
    (from, to): (Date, Date),
    limit: usize,
    zone: &TimeZone,
) -> Result<Vec<OpenSlot>, PageError> {
    let midnight = |date: Date| zone.to_timestamp(date.at(0, 0, 0, 0)).unwrap_or(Timestamp::MAX);
    let search = SlotSearch {
        practitioners,
        visit_type,
        from: midnight(from),
        to: midnight(to.saturating_add(1.day())),
        language: None,
        time_of_day: None,
        zone: None,
        after: None,
        limit,
    };
    match scheduler::find_slots(&state.db, &*state.clock, by, &search).await {
        Ok(found) => Ok(found),
        Err(FindSlotsError::Database(error)) => Err(error.into()),
        Err(FindSlotsError::NoSuchVisitType | FindSlotsError::EndsBeforeItBegins) => Ok(Vec::new()),
    }
}
