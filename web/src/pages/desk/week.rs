//! A week of the desk: one practitioner's days beside each other on the grid of time, or everybody's in numbers.

use super::{
    calendar::{Calendar, ColumnOf},
    choice::{Choice, Chosen},
    entry::Content,
    heads,
};
use crate::{
    errors::PageError,
    extract::{Receptionist, SignedIn},
    live::{Live, live},
    page::{Here, Page, Staff},
    state::WebState,
    tables::sessions,
    words,
};
use askama::Template;
use axum::{
    extract::{Query, State},
    response::{Html, IntoResponse},
};
use jiff::{SignedDuration, Timestamp, ToSpan as _, civil::Date, tz::TimeZone};
use scheduler::{DeskFor, DeskView, PractitionerView};
use service::bus::Topic;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "desk/week.html")]
struct WeekPage {
    page: Page,
    staff: Staff,
    heading: String,
    range: String,
    monday: Date,
    before: Date,
    after: Date,
    is_this_week: bool,
    chosen: Chosen,
    board: WeekBoard,
}

/// The part of the page that changes.
#[derive(Template)]
#[template(path = "desk/week_board.html")]
struct WeekBoard {
    print: String,
    shown: WeekShown,
}

enum WeekShown {
    One(Calendar),
    All { days: Vec<Day>, rows: Vec<Row> },
}

/// A column of the overview.
struct Day {
    date: Date,
    label: String,
    is_today: bool,
}

/// A practitioner in the overview.
struct Row {
    practitioner: Arc<PractitionerView>,
    initials: String,
    cells: Vec<Cell>,
}

/// A practitioner's day in the overview.
struct Cell {
    date: Date,
    is_today: bool,
    is_past: bool,
    visits: usize,
    free: usize,
    /// How full the day is, in tenths of the hours.
    tenths: usize,
    is_closed: bool,
}

/// The page.
pub(crate) async fn get(
    State(state): State<WebState>,
    receptionist: Receptionist,
    Query(choice): Query<Choice>,
    page: Page,
) -> Result<Html<String>, PageError> {
    let monday = monday(&state, &receptionist, &choice);
    let view = look(&state, &receptionist, monday, &choice, DeskFor::Page).await?;
    let chosen = Chosen::new(&choice, &view);
    let today = words::day_of(state.clock.now(), &receptionist.clinic.zone);
    let sunday = monday.saturating_add(6.days());
    let html = WeekPage {
        page,
        staff: Staff::new(&receptionist, Here::Week).counting(view.counts),
        heading: "Week".to_owned(),
        range: range(monday, sunday),
        monday,
        before: monday.saturating_sub(7.days()),
        after: monday.saturating_add(7.days()),
        is_this_week: monday <= today && today <= sunday,
        board: WeekBoard::new(&state, &receptionist, monday, &chosen, &view),
        chosen,
    };
    Ok(Html(html.render()?))
}

/// The same, whenever it changes. It ends with the session, which it does not prolong.
pub(crate) async fn events(
    State(state): State<WebState>,
    receptionist: Receptionist,
    Query(choice): Query<Choice>,
) -> Result<impl IntoResponse, PageError> {
    let (session, clinic) = (receptionist.session, receptionist.clinic.id);
    live(&state.clone(), &[Topic::Clinic(clinic)], move || {
        let (state, choice) = (state.clone(), choice.clone());
        async move {
            let Some(person) = sessions::resume(&state, session, false).await? else {
                return Ok(Live::Go("/sign-in?ended".to_owned()));
            };
            let monday = monday(&state, &person, &choice);
            let view = look(&state, &person, monday, &choice, DeskFor::Board).await?;
            let chosen = Chosen::new(&choice, &view);
            Ok(Live::Fragment(WeekBoard::new(&state, &person, monday, &chosen, &view).render()?))
        }
    })
}

async fn look(
    state: &WebState,
    person: &SignedIn,
    monday: Date,
    choice: &Choice,
    what: DeskFor,
) -> Result<DeskView, PageError> {
    let sunday = monday.saturating_add(6.days());
    Ok(scheduler::desk(&state.db, &*state.clock, &person.actor(), (monday, sunday), choice.of(), what).await?)
}

/// The Monday of the week asked for, or of the present one.
fn monday(state: &WebState, person: &SignedIn, choice: &Choice) -> Date {
    let date = choice.date().unwrap_or_else(|| words::day_of(state.clock.now(), &person.clinic.zone));
    date.saturating_sub(i64::from(date.weekday().to_monday_zero_offset()).days())
}

/// `23 to 29 November 2026`.
fn range(monday: Date, sunday: Date) -> String {
    let from = if monday.month() == sunday.month() { "%-d" } else { "%-d %B" };
    format!("{} to {}", monday.strftime(from), sunday.strftime("%-d %B %Y"))
}

impl WeekBoard {
    fn new(state: &WebState, person: &SignedIn, monday: Date, chosen: &Chosen, view: &DeskView) -> Self {
        let (now, zone) = (state.clock.now(), &person.clinic.zone);
        let dates: Vec<_> = monday.series(1.day()).take(7).collect();
        let one = view.shown.iter().find(|one| chosen.is_chosen(one));
        let sunday = monday.saturating_add(6.days());
        let whose = one.map_or_else(|| person.clinic.name.clone(), |one| one.title_and_name.clone());
        Self {
            print: format!("{whose} · {}", range(monday, sunday)),
            shown: match one {
                Some(one) => WeekShown::One(of_one(one, &dates, now, zone, chosen, view)),
                None => of_all(&dates, words::day_of(now, zone), zone, view),
            },
        }
    }
}

fn of_one(
    one: &PractitionerView,
    dates: &[Date],
    now: Timestamp,
    zone: &TimeZone,
    chosen: &Chosen,
    view: &DeskView,
) -> Calendar {
    let hours = view.hours.get(&one.id).map_or(&[][..], Vec::as_slice);
    let free = view.free.get(&one.id).map_or(&[][..], Vec::as_slice);
    let columns = dates.iter().map(|date| {
        let on = |at: Timestamp| words::day_of(at, zone) == *date;
        let theirs = view.visits.iter().filter(|a| a.practitioner.id == one.id && on(a.standing.starts_at));
        let appointments: Vec<_> = theirs.collect();
        ColumnOf {
            key: date.to_string(),
            head: heads::day(*date, &appointments, &chosen.query()),
            date: *date,
            practitioner: Some(one.id),
            hours: Some(hours.iter().copied().filter(|(from, _)| on(*from)).collect()),
            free: free.iter().filter(|slot| on(slot.starts_at)).map(|slot| (slot.starts_at, slot.ends_at)).collect(),
            appointments,
            held: view.held.iter().filter(|held| on(held.starts_at)).collect(),
        }
    });
    Calendar::new("The week by day", zone, now, columns.collect())
}

fn of_all(dates: &[Date], today: Date, zone: &TimeZone, view: &DeskView) -> WeekShown {
    let days = dates.iter().map(|date| Day {
        date: *date,
        label: date.strftime("%a %-d").to_string(),
        is_today: *date == today,
    });
    let rows = view.shown.iter().map(|one| Row {
        practitioner: Arc::clone(one),
        initials: words::initials(&one.title_and_name),
        cells: dates.iter().map(|date| cell(one, *date, today, zone, view)).collect(),
    });
    WeekShown::All { days: days.collect(), rows: rows.collect() }
}

fn cell(one: &PractitionerView, date: Date, today: Date, zone: &TimeZone, view: &DeskView) -> Cell {
    let on = |at: Timestamp| words::day_of(at, zone) == date;
    let visits = view.counted.get(&(one.id, date)).copied().unwrap_or_default();
    let hours = view.hours.get(&one.id).into_iter().flatten().filter(|(from, _)| on(*from));
    let open: SignedDuration = hours.map(|(from, to)| to.duration_since(*from)).sum();
    let free = view.free.get(&one.id).into_iter().flatten().filter(|slot| on(slot.starts_at)).count();
    Cell {
        date,
        is_today: date == today,
        is_past: date < today,
        visits: visits.count,
        free,
        tenths: tenths(visits.together, open),
        is_closed: open.is_zero() && visits.count == 0,
    }
}

/// How much of the hours is booked, in tenths; a day with anything in it is never empty, and one with a gap never full.
fn tenths(booked: SignedDuration, open: SignedDuration) -> usize {
    if booked.is_zero() {
        return 0;
    }
    let share = 10 * booked.as_mins() / open.as_mins().max(1);
    let most = if booked < open { 9 } else { 10 };
    usize::try_from(share.clamp(1, most)).unwrap_or(10)
}
