//! Cancelling an appointment, with a reason.

use super::{move_to, show};
use crate::{
    announce,
    errors::PageError,
    extract::{Id, Receptionist},
    page::Page,
    refusal::{Code, Refusal},
    state::WebState,
};
use axum::{
    Form,
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use domain::AppointmentId;
use scheduler::{Cancel, CancelError};
use serde::Deserialize;

#[derive(Deserialize)]
pub(crate) struct Cancellation {
    #[serde(default)]
    reason: String,
    /// How much of its series.
    #[serde(default)]
    scope: String,
}

/// Cancels, or shows the appointment again with what stands in the way and the reason as typed.
pub(crate) async fn post(
    State(state): State<WebState>,
    receptionist: Receptionist,
    Id(id): Id<AppointmentId>,
    page: Page,
    Form(form): Form<Cancellation>,
) -> Result<Response, PageError> {
    let by = receptionist.actor();
    let request = Cancel { scope: move_to::scope(&form.scope), ..Cancel::new(id, form.reason.clone()) };
    let problem = match scheduler::cancel(&state.db, &*state.clock, &by, request).await {
        Ok(cancelled) => {
            announce::appointments(&state, &by, &cancelled).await;
            return Ok(Redirect::to(&format!("/appointments/{id}")).into_response());
        }
        Err(refusal) => refused(refusal)?,
    };
    let notes =
        show::Notes { reason: form.reason, scope: form.scope, problem: Some(problem), ..show::Notes::default() };
    show::render(&state, &receptionist, page, id, notes).await
}

/// The refusal in words; what is not there has no page.
fn refused(refusal: CancelError) -> Result<Refusal, PageError> {
    let code = Code::from(&refusal);
    let sentence = match refusal {
        CancelError::NotFound => return Err(PageError::NotFound),
        CancelError::Database(error) => return Err(error.into()),
        CancelError::ReasonMissing => "Say why, in at most 500 characters. It stays in the history.",
        CancelError::NotPossible(_) | CancelError::Changed | CancelError::TooLate => {
            "It cannot be cancelled any more. Below is how it stands now."
        }
    };
    Ok(Refusal::new(code, sentence))
}
