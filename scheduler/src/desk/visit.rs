//! A visit as the desk shows it: little of each, since there are a thousand on a page.

use crate::views::{PractitionerView, Readiness, ResourceView, Standing};
use domain::AppointmentId;
use jiff::Timestamp;
use std::sync::Arc;

/// An appointment on the desk. Never log one.
#[derive(Clone)]
pub struct DeskVisit {
    /// Which.
    pub id: AppointmentId,
    /// When it begins, and how it stands. Since when somebody waits is known of those who still do.
    pub standing: Standing,
    /// When it ends.
    pub ends_at: Timestamp,
    /// Full name of the patient.
    pub patient: String,
    /// Theirs, as it was typed.
    pub phone: Option<String>,
    /// With whom.
    pub practitioner: Arc<PractitionerView>,
    /// `Follow-up`.
    pub visit_type: Arc<str>,
    /// 0 is the practitioner's own time; any other is beside another visit, on purpose.
    pub lane: i16,
    /// Why it is beside another visit, if it is.
    pub overbook_reason: Option<String>,
    /// The patient said that they will come to this time.
    pub is_confirmed: bool,
    /// The patient came without an appointment.
    pub is_walk_in: bool,
    /// What their device check found. Known while they wait only.
    pub readiness: Readiness,
    /// How many wait for the same practitioner and come before. Counted while they wait only.
    pub ahead: usize,
    /// Who and what else is reserved.
    pub resources: Vec<Arc<ResourceView>>,
}
