//! The time passes and nobody comes.

use crate::{
    events::{self, EventKind},
    tables,
    tables::appointments::Outcome,
};
use domain::{Actor, AppointmentState, Clock};
use service::{
    audit::{self, AuditEvent},
    postgres::Db,
};

/// The most appointments of one round, so that a transaction stays short.
const BATCH: i64 = 100;

/// Marks the clinic's booked appointments whose arrival window has closed; says how many, at most a hundred.
pub async fn mark_missed(db: &Db, clock: &dyn Clock, by: &Actor) -> Result<usize, sqlx::Error> {
    let mut tx = db.begin(by).await?;
    let missed = tables::appointments::lock_missed(&mut tx, by.clinic, clock.now(), BATCH).await?;
    for (id, _) in &missed {
        let outcome = Outcome { absent: Some("patient"), ..Outcome::default() };
        let state = AppointmentState::Booked.miss().expect("a booked appointment may be missed");
        tables::appointments::set_state(&mut tx, by.clinic, *id, state, &outcome).await?;
        tables::reservations::release(&mut tx, by.clinic, &[*id]).await?;
    }
    for (id, patient) in &missed {
        let event = AuditEvent::new("appointment.missed").appointment(*id).patient(*patient);
        audit::record(&mut tx, by, event).await?;
        events::record(&mut tx, by, EventKind::Missed, *id).await?;
    }
    tx.commit().await?;
    Ok(missed.len())
}
