//! One appointment, read.

use crate::{tables, views::AppointmentView};
use domain::{Actor, AppointmentId, Who};
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

/// Patients come by the link of one appointment, and that one only is theirs.
pub(crate) fn may_see(by: &Actor, id: AppointmentId) -> bool {
    match by.who {
        Who::Patient { appointment, .. } => appointment == id,
        Who::Account { .. } | Who::Service(_) => true,
    }
}
