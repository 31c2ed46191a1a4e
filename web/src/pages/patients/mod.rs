//! Patients: find one, add one. What is typed never becomes part of an address, which browsers and proxies keep.

pub(crate) mod add;
pub(crate) mod chosen;
pub(crate) mod find;
pub(crate) mod search;
pub(crate) mod show;

use crate::words;
use scheduler::PatientView;

/// How a patient is written in the field where one is chosen: enough to tell two people of one name apart.
pub(crate) fn label(patient: &PatientView) -> String {
    format!("{} · {}", patient.name, words::short_date(patient.birth_date))
}
