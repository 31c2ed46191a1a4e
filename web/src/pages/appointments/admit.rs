//! *Admit*: one press, and the practitioner is in the consultation.

use crate::{
    announce,
    errors::PageError,
    extract::{Id, Practitioner},
    state::WebState,
};
use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use domain::AppointmentId;
use scheduler::AdmitError;

/// Lets the patient in and opens the consultation. Who does not wait any more is on the day, as they are now.
pub(crate) async fn post(
    State(state): State<WebState>,
    practitioner: Practitioner,
    Id(id): Id<AppointmentId>,
) -> Result<Response, PageError> {
    let by = practitioner.actor();
    match scheduler::admit(&state.db, &*state.clock, &*state.random, &by, id).await {
        Ok(encounter) => {
            announce::appointment(&state, &by, id).await;
            Ok(Redirect::to(&format!("/encounters/{encounter}")).into_response())
        }
        Err(AdmitError::NotWaiting) => Ok(Redirect::to("/day").into_response()),
        Err(AdmitError::NotFound | AdmitError::NotYours) => Err(PageError::NotFound),
        Err(AdmitError::Database(error)) => Err(error.into()),
    }
}
