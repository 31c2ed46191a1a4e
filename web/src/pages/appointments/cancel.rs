//! Cancelling an appointment, with a reason.

use super::{announce, move_to, show};
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
            for id in cancelled {
                announce(&state, &by, id).await;
            }
            return Ok(Redirect::to(&format!("/appointments/{id}")).into_response());
        }
        Err(CancelError::NotFound) => return Err(PageError::NotFound),
        Err(CancelError::Database(error)) => return Err(error.into()),
        Err(CancelError::ReasonMissing) => "Say why, in at most 500 characters. It stays in the history.",
        Err(CancelError::NotPossible(_) | CancelError::Changed | CancelError::TooLate) => {
            "It cannot be cancelled any more. Below is how it stands now."
        }
    };
    let notes =
        show::Notes { reason: form.reason, scope: form.scope, problem: Some(problem), ..show::Notes::default() };
    let shown = show::render(&state, &receptionist, page, id, notes).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, shown).into_response())
}
