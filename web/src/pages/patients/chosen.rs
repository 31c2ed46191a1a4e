//! The field "Patient" of a form: what stands in it, who was chosen for it, and who was found instead.

use super::label;
use crate::{
    errors::PageError,
    refusal::{Code, Refusal},
    state::WebState,
};
use domain::{Actor, PatientId};
use scheduler::PatientView;

/// How the field stands.
pub(crate) struct Chosen {
    /// What it says.
    pub(crate) q: String,
    pub(crate) patient: Option<PatientView>,
    pub(crate) found: Vec<PatientView>,
    pub(crate) has_searched: bool,
}

impl Chosen {
    /// The patient, or what is missing. A single one who fits what was typed needs no choosing.
    pub(crate) fn id(&self) -> Result<PatientId, Refusal> {
        match (&self.patient, self.found.as_slice()) {
            (Some(patient), _) => Ok(patient.id),
            (None, [only]) => Ok(only.id),
            (None, []) => Err(Refusal::new(Code::NoSuchPatient, "Find the patient first.")),
            (None, _) => Err(Refusal::invalid("Choose the patient.")),
        }
    }
}

/// A patient stays chosen as long as the field still says who they are; otherwise what it says is searched for.
pub(crate) async fn chosen(state: &WebState, by: &Actor, q: &str, patient: &str) -> Result<Chosen, PageError> {
    let q = q.trim();
    let named = match patient.parse::<PatientId>() {
        Ok(id) => scheduler::patient(&state.db, by, id).await?,
        Err(_) => None,
    };
    let found = match &named {
        _ if q.is_empty() => Vec::new(),
        Some(patient) if q == label(patient) => Vec::new(),
        _ => scheduler::find_patients(&state.db, by, q).await?,
    };
    // Without a script the patient is a radio button below what was searched for.
    let is_chosen =
        |patient: &PatientView| q.is_empty() || q == label(patient) || found.iter().any(|one| one.id == patient.id);
    match named.filter(is_chosen) {
        Some(patient) => {
            Ok(Chosen { q: label(&patient), patient: Some(patient), found: Vec::new(), has_searched: false })
        }
        None => Ok(Chosen { q: q.to_owned(), patient: None, found, has_searched: !q.is_empty() }),
    }
}
