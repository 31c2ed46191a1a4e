//! The field "Patient": what stands in it, who was chosen, who was found.

use super::form::BookingForm;
use crate::{errors::PageError, pages::patients, state::WebState};
use domain::{Actor, PatientId};
use scheduler::PatientView;

pub(crate) struct Who {
    pub(crate) q: String,
    pub(crate) chosen: Option<PatientView>,
    pub(crate) found: Vec<PatientView>,
    pub(crate) has_searched: bool,
}

/// A patient stays chosen as long as the field still says who they are; otherwise what it says is searched for.
pub(crate) async fn who(state: &WebState, by: &Actor, form: &BookingForm) -> Result<Who, PageError> {
    let q = form.q.trim();
    if let Ok(id) = form.patient.parse::<PatientId>()
        && let Some(patient) = scheduler::patient(&state.db, by, id).await?
        && (q.is_empty() || q == patients::label(&patient) || is_picked_from_list(state, by, q, id).await?)
    {
        return Ok(Who { q: patients::label(&patient), chosen: Some(patient), found: Vec::new(), has_searched: false });
    }
    let found = if q.is_empty() { Vec::new() } else { scheduler::find_patients(&state.db, by, q).await? };
    Ok(Who { q: q.to_owned(), chosen: None, found, has_searched: !q.is_empty() })
}

/// Without a script the patient is a radio button below what was searched for.
async fn is_picked_from_list(state: &WebState, by: &Actor, q: &str, id: PatientId) -> Result<bool, PageError> {
    Ok(scheduler::find_patients(&state.db, by, q).await?.iter().any(|patient| patient.id == id))
}
