//! The part of the desk that changes: the day's calendar and who needs the desk.

use super::{
    calendar::{Calendar, ColumnOf},
    entry::Content,
    heads,
    side::{ByPractitioner, Side},
};
use crate::{extract::SignedIn, state::WebState, words};
use askama::Template;
use jiff::civil::Date;
use scheduler::{DeskView, DeskVisit, ResourceKind, ResourceView};
use std::sync::Arc;

#[derive(Template)]
#[template(path = "desk/board.html")]
pub(super) struct Board {
    pub(super) is_today: bool,
    calendar: Calendar,
    side: Side,
    /// For the printed page.
    print: String,
}

impl Board {
    pub(super) fn new(state: &WebState, person: &SignedIn, date: Date, view: &DeskView) -> Self {
        let (now, zone) = (state.clock.now(), &person.clinic.zone);
        let by_practitioner = by_practitioner(&view.visits);
        let practitioners = view.shown.iter().map(|one| {
            let appointments = by_practitioner.get(&one.id).cloned().unwrap_or_default();
            let free = view.free.get(&one.id).into_iter().flatten().map(|slot| (slot.starts_at, slot.ends_at));
            ColumnOf {
                key: one.id.to_string(),
                head: heads::practitioner(one, &appointments, now),
                date,
                practitioner: Some(one.id),
                hours: Some(view.hours.get(&one.id).cloned().unwrap_or_default()),
                free: free.collect(),
                appointments,
                held: view.held.iter().filter(|held| held.practitioner == one.id).collect(),
            }
        });
        let columns = practitioners.chain(resources(date, view));
        Self {
            is_today: date == words::day_of(now, zone),
            calendar: Calendar::new("The day by practitioner", zone, now, columns.collect()),
            side: Side::new(view, &by_practitioner, now, zone),
            print: format!("{} · {}", person.clinic.name, words::long_date(date)),
        }
    }
}

/// Everybody's visits, each in the order of the day.
fn by_practitioner(visits: &[DeskVisit]) -> ByPractitioner<'_> {
    let mut by_practitioner = ByPractitioner::new();
    for visit in visits {
        by_practitioner.entry(visit.practitioner.id).or_default().push(visit);
    }
    by_practitioner
}

/// Interpreters, rooms and devices that somebody of those who are shown needs on the day: they cannot be in two places either.
fn resources(date: Date, view: &DeskView) -> impl Iterator<Item = ColumnOf<'_>> {
    let is_shown =
        |a: &&DeskVisit| super::calendar::is_shown(a) && view.shown.iter().any(|one| one.id == a.practitioner.id);
    let mut used: Vec<&ResourceView> =
        view.visits.iter().filter(is_shown).flat_map(|a| &a.resources).map(Arc::as_ref).collect();
    used.sort_by(|a, b| {
        (a.kind != ResourceKind::Interpreter, &a.name, a.id).cmp(&(b.kind != ResourceKind::Interpreter, &b.name, b.id))
    });
    used.dedup_by_key(|one| one.id);
    used.into_iter().map(move |one| ColumnOf {
        key: one.id.to_string(),
        head: heads::resource(one),
        date,
        practitioner: None,
        hours: None,
        free: Vec::new(),
        held: Vec::new(),
        appointments: view.visits.iter().filter(|a| a.resources.iter().any(|its| its.id == one.id)).collect(),
    })
}
