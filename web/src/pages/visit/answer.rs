//! The patient answers a message: *Yes, I will come*, or *Cancel*. Opening the page changes nothing; mail scanners open links.

use super::Visit;
use crate::{announce, errors::PageError, page::Page, state::WebState};
use askama::Template;
use axum::{
    Form,
    extract::{Path, State},
    http::StatusCode,
    response::{Html, IntoResponse, Redirect, Response},
};
use domain::{Actor, AppointmentId, AppointmentState};
use jiff::Timestamp;
use scheduler::{AppointmentView, Cancel, CancelError, ConfirmError};
use serde::Deserialize;

/// What stands with the appointment when a patient cancels here.
const REASON: &str = "Cancelled by the patient, from a message.";

#[derive(Template)]
#[template(path = "visit/answer.html")]
struct AnswerPage {
    page: Page,
    visit: Visit,
    face: Face,
    /// The link's own path; it is in the address bar already.
    token: String,
    problem: Option<&'static str>,
}

/// What is left to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Face {
    /// Nothing was answered yet.
    Open,
    /// The patient will come.
    Confirmed,
    /// Called off.
    Cancelled,
    /// Begun, missed or over.
    Over,
}

impl Face {
    fn of(appointment: &AppointmentView, now: Timestamp) -> Self {
        match appointment.state {
            AppointmentState::Booked | AppointmentState::Arrived if now >= appointment.ends_at => Self::Over,
            AppointmentState::Booked if appointment.confirmed_at.is_none() => Self::Open,
            AppointmentState::Booked | AppointmentState::Arrived => Self::Confirmed,
            AppointmentState::Cancelled => Self::Cancelled,
            AppointmentState::Fulfilled | AppointmentState::NoShow => Self::Over,
        }
    }
}

/// Which button was pressed.
#[derive(Deserialize)]
pub(crate) struct Answered {
    answer: Answer,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Answer {
    Come,
    Cancel,
}

/// The question. A link that names nothing gets the same answer as any address that is not there.
pub(crate) async fn get(
    State(state): State<WebState>,
    Path(token): Path<String>,
    page: Page,
) -> Result<Html<String>, PageError> {
    let (by, id) = open(&state, &token).await?;
    show(&state, &by, id, token, page, None).await
}

/// The answer: the page says how things stand then.
pub(crate) async fn post(
    State(state): State<WebState>,
    Path(token): Path<String>,
    page: Page,
    Form(answered): Form<Answered>,
) -> Result<Response, PageError> {
    let (by, id) = open(&state, &token).await?;
    let problem = match answered.answer {
        Answer::Come => come(&state, &by, id).await?,
        Answer::Cancel => cancel(&state, &by, id).await?,
    };
    if problem.is_some() {
        let shown = show(&state, &by, id, token, page, problem).await?;
        return Ok((StatusCode::CONFLICT, shown).into_response());
    }
    announce::appointment(&state, &by, id).await;
    Ok(Redirect::to(&format!("/answer/{token}")).into_response())
}

/// What stands in the way of coming, if something does.
async fn come(state: &WebState, by: &Actor, id: AppointmentId) -> Result<Option<&'static str>, PageError> {
    match scheduler::confirm(&state.db, &*state.clock, by, id).await {
        Ok(()) => Ok(None),
        Err(ConfirmError::Over) => Ok(Some("This visit does not take place any more.")),
        Err(ConfirmError::NotFound) => Err(PageError::NotFound),
        Err(ConfirmError::Database(error)) => Err(error.into()),
    }
}

/// What stands in the way of cancelling, if something does.
async fn cancel(state: &WebState, by: &Actor, id: AppointmentId) -> Result<Option<&'static str>, PageError> {
    match scheduler::cancel(&state.db, &*state.clock, by, Cancel::new(id, REASON)).await {
        Ok(_) => Ok(None),
        Err(CancelError::TooLate) => Ok(Some("It is too late to cancel here. Please call the clinic.")),
        Err(CancelError::Changed) => Ok(Some("The clinic has just changed this visit. Please look again.")),
        Err(CancelError::NotPossible(_)) => Ok(Some("This visit cannot be cancelled any more.")),
        Err(CancelError::NotFound | CancelError::ReasonMissing) => Err(PageError::NotFound),
        Err(CancelError::Database(error)) => Err(error.into()),
    }
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
    problem: Option<&'static str>,
) -> Result<Html<String>, PageError> {
    let visit = Visit::find(state, by, id).await?.ok_or(PageError::NotFound)?;
    let face = Face::of(&visit.appointment, state.clock.now());
    Ok(Html(AnswerPage { page, visit, face, token, problem }.render()?))
}
