//! The seat in the waiting room, while its owner waits.

use crate::{
    appointment::may_see,
    presence::{Place, Present},
    tables,
    views::Readiness,
};
use domain::{Actor, AppointmentId, Clock};
use jiff::Timestamp;
use service::{
    audit::{self, AuditEvent},
    postgres::Db,
};

/// The patient, where they wait.
pub(crate) const WAITING: (Present, Place) = (Present::Patient, Place::WaitingRoom);

/// A place in the waiting room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seat {
    /// Since when.
    pub arrived_at: Timestamp,
    /// 1 for who is next.
    pub position: usize,
}

/// The patient's page is still there. Leaves no event.
pub async fn seen(db: &Db, clock: &dyn Clock, by: &Actor, id: AppointmentId) -> Result<(), sqlx::Error> {
    if !may_see(by, id) {
        return Ok(());
    }
    let mut tx = db.begin(by).await?;
    let now = clock.now();
    if tables::seats::touch(&mut tx, by.clinic, id, now).await? {
        tables::presences::seen(&mut tx, by.clinic, id, WAITING, now).await?;
    }
    tx.commit().await
}

/// What the device check found.
pub async fn report_readiness(
    db: &Db,
    clock: &dyn Clock,
    by: &Actor,
    id: AppointmentId,
    readiness: Readiness,
) -> Result<(), sqlx::Error> {
    if !may_see(by, id) {
        return Ok(());
    }
    let mut tx = db.begin(by).await?;
    tables::seats::set_readiness(&mut tx, by.clinic, id, readiness, clock.now()).await?;
    tx.commit().await
}

/// The patient leaves the waiting room. Arriving again takes the same seat.
pub async fn leave_seat(db: &Db, clock: &dyn Clock, by: &Actor, id: AppointmentId) -> Result<(), sqlx::Error> {
    if !may_see(by, id) {
        return Ok(());
    }
    let mut tx = db.begin(by).await?;
    let now = clock.now();
    if tables::seats::leave(&mut tx, by.clinic, id, now).await? {
        tables::presences::seen(&mut tx, by.clinic, id, WAITING, now).await?;
        audit::record(&mut tx, by, AuditEvent::new("seat.left").appointment(id)).await?;
    }
    tx.commit().await
}
