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

/// Puts the mail into the outbox, in the transaction that says so in the history.
pub(crate) async fn post(
    State(state): State<WebState>,
    receptionist: Receptionist,
    Id(id): Id<AppointmentId>,
    page: Page,
) -> Result<Response, PageError> {
    let by = receptionist.actor();
    let appointment = scheduler::glance(&state.db, &by, id).await?.ok_or(PageError::NotFound)?;
    let link = show::visit_link(&state.site, &appointment);
    let problem = match scheduler::send_link(&state.db, &*state.clock, &*state.random, &by, id, &link).await {
        Ok(()) => return Ok(Redirect::to(&format!("/appointments/{id}?sent")).into_response()),
        Err(SendLinkError::NotFound) => return Err(PageError::NotFound),
        Err(SendLinkError::Database(error)) => return Err(error.into()),
        Err(SendLinkError::NoAddress) => "No e-mail address is known. Copy the link, or read it out over the phone.",
        Err(SendLinkError::Over) => "The appointment is over, so the link was not sent.",
    };
    let notes = show::Notes { problem: Some(problem), ..show::Notes::default() };
    let shown = show::render(&state, &receptionist, page, id, notes).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, shown).into_response())
}
