//! Free times to choose from: a week of days, each with its times, and whoever offers the type of visit or one of them.

use crate::{errors::PageError, state::WebState, words};
use domain::{ClinicId, PractitionerId, VisitTypeId};
use jiff::{SignedDuration, Timestamp, ToSpan as _, civil::Date, tz::TimeZone};
use scheduler::{
    OpenSlot, PractitionerView, SlotSearch, VisitTypeView,
    self_booking::{self, Choice},
};
use std::str::FromStr;

/// Days shown at once.
const DAYS: i32 = 7;

/// The most slots one page is made of. Where a week has more, its last days are on the next page.
const MAX_SLOTS: usize = 2_000;

/// What is shown, and what was asked for.
pub(crate) struct Choices {
    pub(crate) visit_type: VisitTypeView,
    /// Those who offer it.
    pub(crate) practitioners: Vec<PractitionerView>,
    /// The one asked for; nobody in particular otherwise.
    pub(crate) with: Option<PractitionerId>,
    pub(crate) days: Vec<Day>,
    /// Where the days before and after these begin.
    pub(crate) earlier: Option<Date>,
    pub(crate) later: Option<Date>,
    /// `London`.
    pub(crate) zone_words: String,
}

impl Choices {
    /// Whether a practitioner is the one asked for.
    pub(crate) fn is_with(&self, one: &PractitionerView) -> bool {
        self.with == Some(one.id)
    }
}

/// A day with free times.
pub(crate) struct Day {
    /// `Tuesday 24 November`.
    pub(crate) words: String,
    pub(crate) times: Vec<Time>,
    pub(crate) is_open: bool,
}

impl Day {
    /// `3 times`, those that were taken left out.
    pub(crate) fn count(&self) -> String {
        match self.times.iter().filter(|time| !time.is_taken).count() {
            1 => "1 time".to_owned(),
            count => format!("{count} times"),
        }
    }
}

/// A time as a button.
pub(crate) struct Time {
    pub(crate) starts_at: Timestamp,
    pub(crate) practitioner: PractitionerId,
    pub(crate) label: String,
    pub(crate) is_taken: bool,
}

impl Time {
    /// What the button sends.
    pub(crate) fn value(&self) -> String {
        format!("{}@{}", self.practitioner, self.starts_at)
    }
}

/// What a button sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chosen {
    pub(crate) practitioner: PractitionerId,
    pub(crate) starts_at: Timestamp,
}

impl Chosen {
    pub(crate) fn with_type(self, visit_type: VisitTypeId) -> Choice {
        Choice { visit_type, practitioner: self.practitioner, starts_at: self.starts_at }
    }
}

impl FromStr for Chosen {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (practitioner, starts_at) = text.split_once('@').ok_or(())?;
        Ok(Self { practitioner: practitioner.parse().map_err(|_| ())?, starts_at: starts_at.parse().map_err(|_| ())? })
    }
}

/// What to look for.
#[derive(Clone, Copy)]
pub(crate) struct Wish {
    pub(crate) clinic: ClinicId,
    pub(crate) visit_type: VisitTypeId,
    pub(crate) with: Option<PractitionerId>,
    /// The first day shown, if there is a free time on it.
    pub(crate) day: Option<Date>,
    /// A time that was lost: it is struck, and its day open.
    pub(crate) lost: Option<Chosen>,
}

/// The free times; nothing when patients do not book this type by themselves.
pub(crate) async fn find(state: &WebState, zone: &TimeZone, wish: Wish) -> Result<Option<Choices>, PageError> {
    let by = self_booking::actor(wish.clinic);
    let visit_types = self_booking::public_visit_types(&state.db, wish.clinic).await?;
    let Some(visit_type) = visit_types.into_iter().find(|one| one.id == wish.visit_type) else {
        return Ok(None);
    };
    let mut practitioners = scheduler::practitioners(&state.db, &by).await?;
    practitioners.retain(|one| visit_type.practitioners.contains(&one.id));
    let with = wish.with.filter(|id| practitioners.iter().any(|one| one.id == *id));
    let now = state.clock.now();
    let today = words::day_of(now, zone);
    let first = wish.day.or(wish.lost.map(|lost| words::day_of(lost.starts_at, zone))).unwrap_or(today).max(today);
    let slots = slots(state, &visit_type, with, zone, first, now, wish.clinic).await?;
    let (days, later) = days(&slots, wish.lost, zone);
    Ok(Some(Choices {
        days,
        earlier: (first > today).then(|| first.saturating_sub(DAYS.days()).max(today)),
        later,
        zone_words: words::zone(zone),
        visit_type,
        practitioners,
        with,
    }))
}

/// The slots of a week that begins with the first day on which one is free.
async fn slots(
    state: &WebState,
    visit_type: &VisitTypeView,
    with: Option<PractitionerId>,
    zone: &TimeZone,
    first: Date,
    now: Timestamp,
    clinic: ClinicId,
) -> Result<Vec<OpenSlot>, PageError> {
    let by = self_booking::actor(clinic);
    let horizon = now + SignedDuration::from_hours(24 * i64::from(visit_type.horizon_days));
    let mut search = SlotSearch {
        practitioners: with.into_iter().collect(),
        visit_type: visit_type.id,
        from: midnight(first, zone).max(now),
        to: horizon,
        language: None,
        time_of_day: None,
        zone: None,
        after: None,
        limit: 1,
    };
    if search.from >= horizon {
        return Ok(Vec::new());
    }
    let next = scheduler::find_slots(&state.db, &*state.clock, &by, &search).await;
    let Some(next) = next.map_err(anyhow::Error::from)?.first().copied() else { return Ok(Vec::new()) };
    let day = words::day_of(next.starts_at, zone);
    search.from = next.starts_at;
    search.to = midnight(day.saturating_add(DAYS.days()), zone).min(horizon);
    search.limit = MAX_SLOTS;
    Ok(scheduler::find_slots(&state.db, &*state.clock, &by, &search).await.map_err(anyhow::Error::from)?)
}

fn midnight(date: Date, zone: &TimeZone) -> Timestamp {
    zone.to_timestamp(date.at(0, 0, 0, 0)).unwrap_or(Timestamp::MAX)
}

/// The slots by day, one button for each time whoever offers it, and where the next page begins.
fn days(slots: &[OpenSlot], lost: Option<Chosen>, zone: &TimeZone) -> (Vec<Day>, Option<Date>) {
    let mut days: Vec<(Date, Vec<Time>)> = Vec::new();
    for slot in slots {
        let date = words::day_of(slot.starts_at, zone);
        if days.last().is_none_or(|(last, _)| *last != date) {
            days.push((date, Vec::new()));
        }
        let (_, times) = days.last_mut().expect("one was just pushed");
        if times.last().is_none_or(|time| time.starts_at != slot.starts_at) {
            times.push(time(slot.practitioner, slot.starts_at, false, zone));
        }
    }
    // The last day may have been cut short.
    if slots.len() >= MAX_SLOTS && days.len() > 1 {
        days.pop();
    }
    let later = days.last().and_then(|(date, _)| date.tomorrow().ok());
    if let Some(lost) = lost {
        strike(&mut days, lost, zone);
    }
    let open =
        lost.map(|lost| words::day_of(lost.starts_at, zone)).filter(|date| days.iter().any(|day| day.0 == *date));
    let open = open.or(days.first().map(|(date, _)| *date));
    let shown =
        days.into_iter().map(|(date, times)| Day { words: words::long_date(date), is_open: Some(date) == open, times });
    (shown.collect(), later)
}

/// Puts a lost time among those of its day, unless somebody else still offers it.
fn strike(days: &mut [(Date, Vec<Time>)], lost: Chosen, zone: &TimeZone) {
    let date = words::day_of(lost.starts_at, zone);
    let Some((_, times)) = days.iter_mut().find(|(day, _)| *day == date) else { return };
    if !times.iter().any(|time| time.starts_at == lost.starts_at) {
        times.push(time(lost.practitioner, lost.starts_at, true, zone));
        times.sort_by_key(|time| time.starts_at);
    }
}

fn time(practitioner: PractitionerId, starts_at: Timestamp, is_taken: bool, zone: &TimeZone) -> Time {
    Time { starts_at, practitioner, label: words::time(starts_at, zone), is_taken }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u128) -> PractitionerId {
        PractitionerId(uuid::Uuid::from_u128(number))
    }

    fn slot(practitioner: u128, at: &str) -> OpenSlot {
        let starts_at: Timestamp = at.parse().expect("a timestamp");
        OpenSlot { practitioner: id(practitioner), starts_at, ends_at: starts_at + SignedDuration::from_mins(30) }
    }

    #[test]
    fn a_time_that_two_offer_is_shown_once_and_days_are_apart() {
        let slots = [
            slot(1, "2026-11-24T10:00:00Z"),
            slot(2, "2026-11-24T10:00:00Z"),
            slot(1, "2026-11-24T10:30:00Z"),
            slot(1, "2026-11-26T09:00:00Z"),
        ];
        let (days, later) = days(&slots, None, &TimeZone::UTC);
        let shown: Vec<_> = days.iter().map(|day| (&*day.words, day.count(), day.is_open)).collect();
        let expected =
            [("Tuesday 24 November", "2 times".to_owned(), true), ("Thursday 26 November", "1 time".to_owned(), false)];
        assert_eq!(shown, expected);
        assert_eq!(later, Some(jiff::civil::date(2026, 11, 27)));
    }

    #[test]
    fn a_lost_time_is_struck_on_its_day() {
        let lost = Chosen { practitioner: id(1), starts_at: "2026-11-26T09:30:00Z".parse().expect("a timestamp") };
        let slots = [slot(1, "2026-11-24T10:00:00Z"), slot(1, "2026-11-26T10:00:00Z")];
        let (days, _) = days(&slots, Some(lost), &TimeZone::UTC);
        assert!(days[1].is_open && days[1].times[0].is_taken && !days[1].times[1].is_taken);
    }

    #[test]
    fn what_a_button_sends_is_read_back() {
        let chosen = Chosen { practitioner: id(7), starts_at: "2026-11-26T09:30:00Z".parse().expect("a timestamp") };
        let time = time(chosen.practitioner, chosen.starts_at, false, &TimeZone::UTC);
        assert_eq!(time.value().parse(), Ok(chosen));
        assert_eq!("2026-11-26T25:00".parse::<Chosen>(), Err(()));
    }
}
