//! Taking back that a visit was missed, with a reason.

use super::{announce, show};
use crate::{
    errors::PageError,
    extract::{Id, Receptionist},
    page::Page,
    state::WebState,
};
use axum::{
    Form,
    extract::State,
    http::StatusCode,
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
            announce(&state, &by, id).await;
            return Ok(Redirect::to(&format!("/appointments/{id}")).into_response());
        }
        Err(UndoMissedError::NotFound) => return Err(PageError::NotFound),
        Err(UndoMissedError::Database(error)) => return Err(error.into()),
        Err(UndoMissedError::ReasonMissing) => "Say why it was not missed, in at most 500 characters.",
        Err(UndoMissedError::NotPossible(_)) => "It is not marked as missed. Below is how it stands now.",
        Err(UndoMissedError::TimeTaken) => "Its time has been given to somebody else, so it cannot stand as before.",
    };
    let notes = show::Notes { problem: Some(problem), outcome_reason: form.reason, ..show::Notes::default() };
    let shown = show::render(&state, &receptionist, page, id, notes).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, shown).into_response())
}
