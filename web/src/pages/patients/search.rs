//! Patients: the field that finds them, and, without a script, whom it found.

use crate::{
    errors::PageError,
    extract::Receptionist,
    page::{Here, Page, Staff},
    state::WebState,
    words,
};
use askama::Template;
use axum::{Form, extract::State, response::Html};
use scheduler::PatientView;
use serde::Deserialize;

#[derive(Template)]
#[template(path = "patients/search.html")]
struct SearchPage {
    page: Page,
    staff: Staff,
    q: String,
    /// `None` before anything was searched for.
    found: Option<Vec<PatientView>>,
}

/// What was typed.
#[derive(Deserialize)]
pub(crate) struct Typed {
    #[serde(default)]
    q: String,
}

/// The empty field.
pub(crate) async fn get(
    State(state): State<WebState>,
    receptionist: Receptionist,
    page: Page,
) -> Result<Html<String>, PageError> {
    let staff = Staff::at_desk(&state, &receptionist, Here::Patients).await?;
    Ok(Html(SearchPage { page, staff, q: String::new(), found: None }.render()?))
}

/// Whoever fits. What was typed came in the body, so that it stands in no address.
pub(crate) async fn post(
    State(state): State<WebState>,
    receptionist: Receptionist,
    page: Page,
    Form(typed): Form<Typed>,
) -> Result<Html<String>, PageError> {
    let found = scheduler::find_patients(&state.db, &receptionist.actor(), &typed.q).await?;
    let staff = Staff::at_desk(&state, &receptionist, Here::Patients).await?;
    Ok(Html(SearchPage { page, staff, q: typed.q, found: Some(found) }.render()?))
}
