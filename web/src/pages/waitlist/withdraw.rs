//! Taking somebody off the waitlist. What they were offered is free for the next.

use crate::{
    errors::PageError,
    extract::{Id, Receptionist},
    state::WebState,
};
use axum::{extract::State, response::Redirect};
use domain::WaitlistEntryId;

/// Withdraws; whoever is off already stays off.
pub(crate) async fn post(
    State(state): State<WebState>,
    receptionist: Receptionist,
    Id(id): Id<WaitlistEntryId>,
) -> Result<Redirect, PageError> {
    let by = receptionist.actor();
    scheduler::withdraw_from_waitlist(&state.db, &*state.clock, &by, id).await?;
    Ok(Redirect::to("/waitlist"))
}
