//! The patient's link: for whom, with whom and when, and *I'm here*. Opening it changes nothing; mail scanners open links.

use super::Visit;
use crate::{announce, cookies, errors::PageError, extract::visit_cookie, page::Page, state::WebState};
use askama::Template;
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{Html, IntoResponse, Redirect, Response},
};
use axum_extra::extract::CookieJar;
use domain::{Actor, AppointmentId, AppointmentState, EncounterState, appointment::Arrival};
use jiff::Timestamp;
use scheduler::{AppointmentView, ArriveError};

#[derive(Template)]
#[template(path = "visit/arrive.html")]
struct ArrivePage {
    page: Page,
    visit: Visit,
    face: Face,
    /// The link's own path; it is in the address bar already.
    token: String,
    /// When the waiting room opens, as `today, 10:00`.
    opens: String,
    /// The present by our clock, from which the page counts.
    now: Timestamp,
}

/// What the link opens at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Face {
    /// The patient may arrive.
    Welcome,
    /// The patient has a seat, or is in the visit: the way back.
    Return,
    /// Before the window.
    TooEarly,
    /// After the window, or marked as not come.
    TooLate,
    /// Called off.
    Cancelled,
    /// The visit took place.
    Ended,
}

impl Face {
    fn of(appointment: &AppointmentView, now: Timestamp) -> Self {
        match appointment.state {
            AppointmentState::Booked => match appointment.window.at(now) {
                Arrival::TooEarly => Self::TooEarly,
                Arrival::Welcome => Self::Welcome,
                Arrival::TooLate => Self::TooLate,
            },
            AppointmentState::Arrived => Self::Return,
            AppointmentState::Fulfilled => match &appointment.encounter {
                Some(encounter) if encounter.state == EncounterState::InProgress => Self::Return,
                _ => Self::Ended,
            },
            AppointmentState::Cancelled => Self::Cancelled,
            AppointmentState::NoShow => Self::TooLate,
        }
    }

    fn opens_the_door(self) -> bool {
        matches!(self, Self::Welcome | Self::Return)
    }
}

/// The page. A link that names nothing gets the same answer as any address that is not there.
pub(crate) async fn get(
    State(state): State<WebState>,
    Path(token): Path<String>,
    page: Page,
) -> Result<Html<String>, PageError> {
    let (by, id) = open(&state, &token).await?;
    show(&state, &by, id, token, page).await
}

/// *I'm here*: the seat, a cookie for this visit, and the waiting room.
pub(crate) async fn post(
    State(state): State<WebState>,
    Path(token): Path<String>,
    jar: CookieJar,
    page: Page,
) -> Result<Response, PageError> {
    let (by, id) = open(&state, &token).await?;
    match scheduler::arrive(&state.db, &*state.clock, &by, id).await {
        Ok(_) => {}
        Err(ArriveError::NotFound) => return Err(PageError::NotFound),
        Err(ArriveError::Database(error)) => return Err(error.into()),
        // The page says which of these it is, and what comes next.
        Err(
            ArriveError::TooEarly { .. }
            | ArriveError::TooLate
            | ArriveError::Cancelled
            | ArriveError::Ended
            | ArriveError::Changed,
        ) => {
            return Ok((StatusCode::CONFLICT, show(&state, &by, id, token, page).await?).into_response());
        }
    }
    announce::appointment(&state, &by, id).await;
    let session = scheduler::visit_sessions::start(&state.db, &*state.clock, &*state.random, &by).await?;
    let cookie = cookies::cookie(&state.site, &visit_cookie(id), session.into_inner());
    Ok((jar.add(cookie), Redirect::to(&format!("/waiting/{id}"))).into_response())
}

async fn open(state: &WebState, token: &str) -> Result<(Actor, AppointmentId), PageError> {
    scheduler::open_visit(&state.db, &state.site.keys.visit_link, token).await?.ok_or(PageError::NotFound)
}

async fn show(
    state: &WebState,
    by: &Actor,
    id: AppointmentId,
    token: String,
    page: Page,
) -> Result<Html<String>, PageError> {
    let visit = Visit::find(state, by, id).await?.ok_or(PageError::NotFound)?;
    let now = state.clock.now();
    let face = Face::of(&visit.appointment, now);
    // Within a sentence, where only the names of days are capitals.
    let opens = super::when(visit.appointment.window.opens_at, now, &visit.clinic.zone)
        .replacen("Today", "today", 1)
        .replacen("Tomorrow", "tomorrow", 1);
    Ok(Html(ArrivePage { page, visit, face, token, opens, now }.render()?))
}
