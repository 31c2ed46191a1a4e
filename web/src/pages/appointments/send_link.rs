//! Sending the patient their link.

use super::show;
use crate::{
    errors::PageError,
    extract::{Id, Receptionist},
    page::Page,
    refusal::{Code, Refusal},
    state::WebState,
};
use axum::{
    extract::State,
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
        Err(refusal) => refused(refusal)?,
    };
    let notes = show::Notes { problem: Some(problem), ..show::Notes::default() };
    show::render(&state, &receptionist, page, id, notes).await
}

/// The refusal in words; what is not there has no page.
fn refused(refusal: SendLinkError) -> Result<Refusal, PageError> {
    let code = Code::from(&refusal);
    let sentence = match refusal {
        SendLinkError::NotFound => return Err(PageError::NotFound),
        SendLinkError::Database(error) => return Err(error.into()),
        SendLinkError::NoAddress => {
            "Neither e-mail address nor phone is known. Copy the link, or read it out over the phone."
        }
        SendLinkError::Over => "The appointment is over, so the link was not sent.",
    };
    Ok(Refusal::new(code, sentence))
}
