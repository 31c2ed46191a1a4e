//! The time passes and somebody does not come: who that was is decided from who was where.
//!
//! Decided once the arrival window has closed. A patient who never arrived is who was absent: the practitioner can only come to
//! somebody who waits. A patient who waited for [`PATIENCE`] after the start, or to the end of a shorter visit, and was not admitted
//! was not seen: the practitioner was absent, and it is not the patient's no-show. A patient who came and went before that: both,
//! since neither was there for the other. Who waits at this moment is left alone, and so is what a person has decided.

use crate::{
    events::{self, EventKind},
    tables,
    tables::appointments::{Missed, Outcome},
};
use domain::{Actor, AppointmentId, Clock};
use jiff::{SignedDuration, Timestamp};
use service::{
    audit::{self, AuditEvent},
    postgres::Db,
};

/// The most appointments of one round, so that a transaction stays short.
const BATCH: i64 = 100;

/// How long after the start a patient can be expected to wait for a practitioner who runs late.
const PATIENCE: SignedDuration = SignedDuration::from_mins(10);

/// Marks the clinic's appointments that were missed by now; says which, at most a hundred.
pub async fn mark_missed(db: &Db, clock: &dyn Clock, by: &Actor) -> Result<Vec<AppointmentId>, sqlx::Error> {
    let mut tx = db.begin(by).await?;
    let missed = tables::appointments::lock_missed(&mut tx, by.clinic, clock.now(), BATCH).await?;
    for one in &missed {
        let outcome = Outcome { absent: Some(absent(one)), ..Outcome::default() };
        let state = one.state.miss().expect("only what may be missed was looked for");
        tables::appointments::set_state(&mut tx, by.clinic, one.id, state, &outcome).await?;
        tables::reservations::release(&mut tx, by.clinic, &[one.id]).await?;
    }
    for one in &missed {
        let event = AuditEvent::new("appointment.missed").appointment(one.id).patient(one.patient);
        audit::record(&mut tx, by, event.detail(serde_json::json!({ "absent": absent(one) }))).await?;
        events::record(&mut tx, by, EventKind::Missed, one.id).await?;
    }
    tx.commit().await?;
    Ok(missed.into_iter().map(|one| one.id).collect())
}

/// Who was not there.
fn absent(missed: &Missed) -> &'static str {
    let expected = waits_until(missed.starts_at.to_jiff(), missed.ends_at.to_jiff());
    match &missed.waited_until {
        None => "patient",
        Some(until) if until.to_jiff() >= expected => "practitioner",
        Some(_) => "both",
    }
}

/// Until when a patient waits who does their part.
fn waits_until(starts_at: Timestamp, ends_at: Timestamp) -> Timestamp {
    (starts_at + PATIENCE).min(ends_at)
}
