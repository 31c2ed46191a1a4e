//! Taking back that a visit was missed, with a reason.

use super::show;
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
use scheduler::UndoMissedError;
use serde::Deserialize;

#[derive(Deserialize)]
pub(crate) struct Correction {
    #[serde(default)]
    reason: String,
}

/// Takes it back, or shows the appointment again with what stands in the way and the reason as typed.
pub(crate) async fn post(
    State(state): State<WebState>,
    receptionist: Receptionist,
    Id(id): Id<AppointmentId>,
    page: Page,
    Form(form): Form<Correction>,
) -> Result<Response, PageError> {
    let by = receptionist.actor();
    let problem = match scheduler::undo_missed(&state.db, &by, id, &form.reason).await {
        Ok(()) => {
            announce::appointment(&state, &by, id).await;
            return Ok(Redirect::to(&format!("/appointments/{id}")).into_response());
        }
        Err(refusal) => refused(refusal)?,
    };
    let notes = show::Notes { problem: Some(problem), outcome_reason: form.reason, ..show::Notes::default() };
    show::render(&state, &receptionist, page, id, notes).await
}

/// The refusal in words; what is not there has no page.
fn refused(refusal: UndoMissedError) -> Result<Refusal, PageError> {
    let code = Code::from(&refusal);
    let sentence = match refusal {
        UndoMissedError::NotFound => return Err(PageError::NotFound),
        UndoMissedError::Database(error) => return Err(error.into()),
        UndoMissedError::ReasonMissing => "Say why it was not missed, in at most 500 characters.",
        UndoMissedError::NotPossible(_) => "It is not marked as missed. Below is how it stands now.",
        UndoMissedError::TimeTaken => "Its time has been given to somebody else, so it cannot stand as before.",
    };
    Ok(Refusal::new(code, sentence))
}
