//! The part of the desk that changes: the day's calendar and who needs the desk.

use super::{
    calendar::{Calendar, ColumnOf},
    entry::Content,
    heads,
    side::Side,
};
use crate::{extract::SignedIn, state::WebState, words};
use askama::Template;
use jiff::civil::Date;
use scheduler::DeskView;

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
        let columns = view.shown.iter().map(|one| {
            let appointments: Vec<_> = view.appointments.iter().filter(|a| a.practitioner.id == one.id).collect();
            let free = view.free.get(&one.id).into_iter().flatten().map(|slot| (slot.starts_at, slot.ends_at));
            ColumnOf {
                key: one.id.to_string(),
                head: heads::practitioner(one, &appointments, now),
                date,
                practitioner: Some(one.id),
                hours: Some(view.hours.get(&one.id).cloned().unwrap_or_default()),
                free: free.collect(),
                appointments,
            }
        });
        Self {
            is_today: date == words::day_of(now, zone),
            calendar: Calendar::new("The day by practitioner", zone, now, columns.collect()),
            side: Side::new(&view.appointments, now, zone),
            print: format!("{} · {}", person.clinic.name, words::long_date(date)),
        }
    }
}
