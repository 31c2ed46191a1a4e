//! The front desk: the day by practitioner on a grid of time, and who waits, longest first. It keeps itself up to date.

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
use board::Board;
use choice::{Choice, Chosen};
use jiff::civil::Date;
use scheduler::{DeskFor, DeskView};
use service::bus::Topic;

mod board;
mod calendar;
mod choice;
mod entry;
mod grid;
mod heads;
mod side;
mod side_by_side;
pub(crate) use side::undelivered;
pub(crate) mod week;

#[derive(Template)]
#[template(path = "desk.html")]
struct DeskPage {
    page: Page,
    staff: Staff,
    heading: String,
    long_date: String,
    date: Date,
    yesterday: Date,
    tomorrow: Date,
    chosen: Chosen,
    board: Board,
}

/// The page.
pub(crate) async fn get(
    State(state): State<WebState>,
    receptionist: Receptionist,
    Query(choice): Query<Choice>,
    page: Page,
) -> Result<Html<String>, PageError> {
    let today = words::day_of(state.clock.now(), &receptionist.clinic.zone);
    let date = choice.date().unwrap_or(today);
    let view = look(&state, &receptionist, date, &choice, DeskFor::Page).await?;
    let html = DeskPage {
        page,
        staff: Staff::new(&receptionist, Here::Today).counting(view.counts),
        heading: if date == today { "Today".to_owned() } else { date.strftime("%A").to_string() },
        long_date: if date == today { words::long_date(date) } else { date.strftime("%-d %B %Y").to_string() },
        date,
        yesterday: date.yesterday().unwrap_or(date),
        tomorrow: date.tomorrow().unwrap_or(date),
        chosen: Chosen::new(&choice, &view),
        board: Board::new(&state, &receptionist, date, &view),
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
            let date = choice.date().unwrap_or_else(|| words::day_of(state.clock.now(), &person.clinic.zone));
            let view = look(&state, &person, date, &choice, DeskFor::Board).await?;
            Ok(Live::Fragment(Board::new(&state, &person, date, &view).render()?))
        }
    })
}

async fn look(
    state: &WebState,
    person: &SignedIn,
    date: Date,
    choice: &Choice,
    what: DeskFor,
) -> Result<DeskView, PageError> {
    Ok(scheduler::desk(&state.db, &*state.clock, &person.actor(), (date, date), choice.of(), what).await?)
}
