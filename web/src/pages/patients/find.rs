//! Type to find: the options under the field "Patient", for the script that shows them while typing.

use crate::{errors::PageError, extract::Receptionist, state::WebState};
use askama::Template;
use axum::{Form, extract::State, response::Html};
use scheduler::PatientView;
use serde::Deserialize;

#[derive(Template)]
#[template(path = "patients/options.html")]
struct Options {
    patients: Vec<PatientView>,
}

#[derive(Deserialize)]
pub(crate) struct Typed {
    #[serde(default)]
    q: String,
}

/// Whoever fits what was typed, as options of a list box.
pub(crate) async fn post(
    State(state): State<WebState>,
    receptionist: Receptionist,
    Form(typed): Form<Typed>,
) -> Result<Html<String>, PageError> {
    let patients = scheduler::find_patients(&state.db, &receptionist.actor(), &typed.q).await?;
    Ok(Html(Options { patients }.render()?))
}
