//! Appointments and patients as programs read them: ids, states and times, page by page in an order that writing does not change.

use crate::{tables, views::PatientView};
use domain::{
    Actor, AppointmentId, AppointmentState, PatientId, PractitionerId, ResourceId, Role, SeriesId, VisitTypeId,
};
use jiff::Timestamp;
use service::{
    audit::{self, AuditEvent},
    postgres::Db,
};

/// The most items one page of a list holds.
pub const MAX_PAGE: i64 = 200;

/// An appointment without names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppointmentFacts {
    /// Which.
    pub id: AppointmentId,
    /// Where it stands.
    pub state: AppointmentState,
    /// When it begins.
    pub starts_at: Timestamp,
    /// When it ends.
    pub ends_at: Timestamp,
    /// For whom.
    pub patient: PatientId,
    /// With whom.
    pub practitioner: PractitionerId,
    /// What kind of visit.
    pub visit_type: VisitTypeId,
    /// The series it was booked with.
    pub series: Option<SeriesId>,
    /// Interpreter, room and device that are reserved with it.
    pub resources: Vec<ResourceId>,
    /// Where it came from: `desk`, `self`, `api`, …
    pub source: String,
    /// Why it lies beside another one of the practitioner's.
    pub overbook_reason: Option<String>,
    /// Why it got its present time.
    pub reschedule_reason: Option<String>,
    /// Why it was cancelled.
    pub cancel_reason: Option<String>,
    /// `clinic` or `patient`.
    pub cancelled_by: Option<String>,
    /// Of a missed one: `patient`, `practitioner` or `both`.
    pub absent: Option<String>,
    /// The patient said that they will come.
    pub confirmed_at: Option<Timestamp>,
    /// Since when the patient waits, or waited.
    pub arrived_at: Option<Timestamp>,
    /// Grows with every change.
    pub version: i64,
}

/// Which appointments a list holds. What is not said is not asked for.
#[derive(Debug, Clone, Default)]
pub struct AppointmentFilter {
    /// Starting at or after.
    pub from: Option<Timestamp>,
    /// Starting before.
    pub to: Option<Timestamp>,
    /// With whom.
    pub practitioner: Option<PractitionerId>,
    /// For whom.
    pub patient: Option<PatientId>,
    /// Where it stands.
    pub state: Option<AppointmentState>,
}

/// At most `limit` appointments by start, those after one that was read before.
pub async fn list_appointments(
    db: &Db,
    by: &Actor,
    filter: &AppointmentFilter,
    after: Option<(Timestamp, AppointmentId)>,
    limit: i64,
) -> Result<Vec<AppointmentFacts>, sqlx::Error> {
    if by.who.role().is_none() {
        return Ok(Vec::new());
    }
    let limit = limit.min(MAX_PAGE + 1);
    tables::facts::list(&mut *db.begin(by).await?, by.clinic, filter, after, limit).await
}

/// One appointment, opened by a program or a person: the audit trail says so. A practitioner opens their own.
pub async fn open_appointment(
    db: &Db,
    by: &Actor,
    own: Option<PractitionerId>,
    id: AppointmentId,
) -> Result<Option<AppointmentFacts>, sqlx::Error> {
    if by.who.role().is_none() {
        return Ok(None);
    }
    let mut tx = db.begin(by).await?;
    let Some(facts) = tables::facts::find(&mut tx, by.clinic, id).await? else {
        return Ok(None);
    };
    if own.is_some_and(|own| own != facts.practitioner) {
        return Ok(None);
    }
    audit::record(&mut tx, by, AuditEvent::new("appointment.read").appointment(id).patient(facts.patient)).await?;
    tx.commit().await?;
    Ok(Some(facts))
}

/// An appointment that was just written, read again for the answer: leaves no event.
pub async fn appointment_facts(
    db: &Db,
    by: &Actor,
    id: AppointmentId,
) -> Result<Option<AppointmentFacts>, sqlx::Error> {
    if by.who.role().is_none() {
        return Ok(None);
    }
    tables::facts::find(&mut *db.begin(by).await?, by.clinic, id).await
}

/// A place in the list of patients: when one was added, and which.
pub type PatientPlace = (Timestamp, PatientId);

/// At most `limit` patients in the order in which they were added, each with its place. The audit trail says that they were read.
pub async fn list_patients(
    db: &Db,
    by: &Actor,
    after: Option<PatientPlace>,
    limit: i64,
) -> Result<Vec<(PatientView, PatientPlace)>, sqlx::Error> {
    if !by.who.role().is_some_and(Role::may_run_the_desk) {
        return Ok(Vec::new());
    }
    let mut tx = db.begin(by).await?;
    let patients = tables::patients::page(&mut tx, by.clinic, after, limit.min(MAX_PAGE + 1)).await?;
    let detail = serde_json::json!({ "patients": patients.len() });
    audit::record(&mut tx, by, AuditEvent::new("patients.listed").detail(detail)).await?;
    tx.commit().await?;
    Ok(patients)
}
