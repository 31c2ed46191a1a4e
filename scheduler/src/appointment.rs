//! One appointment, read.

use crate::{admit::is_theirs, tables, views::AppointmentView};
use domain::{Actor, AppointmentId, EncounterId, PractitionerId, Who};
use service::{
    audit::{self, AuditEvent},
    postgres::Db,
};

/// Somebody opens the page of an appointment: it is read, and the audit trail says so.
///
/// `None` when it is not there, or is another clinic's, or is not the patient's own.
pub async fn appointment(db: &Db, by: &Actor, id: AppointmentId) -> Result<Option<AppointmentView>, sqlx::Error> {
    if !may_see(by, id) {
        return Ok(None);
    }
    let mut tx = db.begin(by).await?;
    let Some(view) = tables::views::find(&mut tx, by.clinic, id).await? else {
        return Ok(None);
    };
    audit::record(&mut tx, by, AuditEvent::new("appointment.read").appointment(id).patient(view.patient.id)).await?;
    tx.commit().await?;
    Ok(Some(view))
}

/// An appointment read again for a page that is already open, or by the patient whose own it is: leaves no event.
pub async fn glance(db: &Db, by: &Actor, id: AppointmentId) -> Result<Option<AppointmentView>, sqlx::Error> {
    if !may_see(by, id) {
        return Ok(None);
    }
    tables::views::find(&mut *db.begin(by).await?, by.clinic, id).await
}

/// Whose an appointment is, and so in whose queue its patient waits. Leaves no event: it says nothing of the patient.
pub async fn practitioner_of(db: &Db, by: &Actor, id: AppointmentId) -> Result<Option<PractitionerId>, sqlx::Error> {
    Ok(practitioners_of(db, by, &[id]).await?.pop())
}

/// The same of several appointments, each practitioner once.
pub async fn practitioners_of(db: &Db, by: &Actor, ids: &[AppointmentId]) -> Result<Vec<PractitionerId>, sqlx::Error> {
    tables::appointments::practitioners(&mut *db.begin(by).await?, by.clinic, ids).await
}

/// The appointment behind an encounter, opened by the practitioner whose it is: the chart is read, and the audit trail says so.
///
/// `None` when it is not there, or is another clinic's or another practitioner's.
pub async fn consultation(db: &Db, by: &Actor, id: EncounterId) -> Result<Option<AppointmentView>, sqlx::Error> {
    let mut tx = db.begin(by).await?;
    let Some(encounter) = tables::encounters::lock(&mut tx, by.clinic, id).await? else {
        return Ok(None);
    };
    if !is_theirs(&mut tx, by, encounter.practitioner).await? {
        return Ok(None);
    }
    let view = tables::views::find(&mut tx, by.clinic, encounter.appointment).await?;
    let event = AuditEvent::new("appointment.read").appointment(encounter.appointment).encounter(id);
    audit::record(&mut tx, by, event.patient(encounter.patient)).await?;
    tx.commit().await?;
    Ok(view)
}

/// Patients come by the link of one appointment, and that one only is theirs.
pub(crate) fn may_see(by: &Actor, id: AppointmentId) -> bool {
    match by.who {
        Who::Patient { appointment, .. } => appointment == id,
        Who::Account { .. } | Who::ApiToken { .. } | Who::Service(_) => true,
    }
}
