//! The history of the clinic, for its administrator: who did and read what, and whether the chain is whole.

use crate::{
    errors::PageError,
    extract::Administrator,
    page::{Here, Page, Staff},
    state::WebState,
    words,
};
use askama::Template;
use axum::{extract::State, response::Html};
use scheduler::{AuditView, HistoryCheck};

#[derive(Template)]
#[template(path = "history.html")]
struct HistoryPage {
    page: Page,
    staff: Staff,
    check: HistoryCheck,
    days: Vec<Day>,
}

struct Day {
    date: String,
    events: Vec<Event>,
}

struct Event {
    time: String,
    event: AuditView,
}

/// The newest events by day. Opening this page is itself an event.
pub(crate) async fn get(
    State(state): State<WebState>,
    administrator: Administrator,
    page: Page,
) -> Result<Html<String>, PageError> {
    let by = administrator.actor();
    let events = scheduler::history(&state.db, &by, None).await?;
    let check = scheduler::verify_history(&state.db, &by).await?;
    let days = by_day(events, &administrator.clinic.zone);
    let html = HistoryPage { page, staff: Staff::at_desk(&state, &administrator, Here::History).await?, check, days };
    Ok(Html(html.render()?))
}

fn by_day(events: Vec<AuditView>, zone: &jiff::tz::TimeZone) -> Vec<Day> {
    let mut days: Vec<Day> = Vec::new();
    for event in events {
        let date = words::long_date(words::day_of(event.at, zone));
        let told = Event { time: words::time(event.at, zone), event };
        match days.last_mut() {
            Some(day) if day.date == date => day.events.push(told),
            _ => days.push(Day { date, events: vec![told] }),
        }
    }
    days
}
