//! Sending the patient their link.

use super::show;
use crate::{
    errors::PageError,
    extract::{Id, Receptionist},
    page::Page,
    state::WebState,
};
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use domain::AppointmentId;
use scheduler::SendLinkError;

/// Plans the message, in the transaction that says so in the history.
pub(crate) async fn post(
    State(state): State<WebState>,
    receptionist: Receptionist,
    Id(id): Id<AppointmentId>,
    page: Page,
) -> Result<Response, PageError> {
    let by = receptionist.actor();
    let problem = match scheduler::send_link(&state.db, &*state.clock, &by, id).await {
        Ok(()) => return Ok(Redirect::to(&format!("/appointments/{id}?sent")).into_response()),
        Err(SendLinkError::NotFound) => return Err(PageError::NotFound),
        Err(SendLinkError::Database(error)) => return Err(error.into()),
        Err(SendLinkError::NoAddress) => {
            "Neither e-mail address nor phone is known. Copy the link, or read it out over the phone."
        }
        Err(SendLinkError::Over) => "The appointment is over, so the link was not sent.",
    };
    let notes = show::Notes { problem: Some(problem), ..show::Notes::default() };
    let shown = show::render(&state, &receptionist, page, id, notes).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, shown).into_response())
}
