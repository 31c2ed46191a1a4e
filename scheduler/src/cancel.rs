//! An appointment is called off, by the desk or by its patient.

use crate::{
    events::{self, EventKind},
    messages::{self, News},
    patients::is_text,
    tables::{
        self,
        appointments::{Locked, Outcome},
        reservations::Resource,
    },
    waitlist::{Freed, freed},
};
use domain::{Actor, AppointmentId, Clock, InvalidTransition, Scope, Who};
use jiff::{SignedDuration, Timestamp};
use service::{
    audit::{self, AuditEvent},
    postgres::{Db, commit_together},
};

/// The longest reason kept, in characters.
pub const MAX_REASON_CHARS: usize = 500;

/// What to call off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cancel {
    /// Which.
    pub appointment: AppointmentId,
    /// Why.
    pub reason: String,
    /// How much of its series.
    pub scope: Scope,
    /// Only while it is as whoever decides has seen it.
    pub if_version: Option<i64>,
}

impl Cancel {
    /// This appointment alone, however it stands.
    pub fn new(appointment: AppointmentId, reason: impl Into<String>) -> Self {
        Self { appointment, reason: reason.into(), scope: Scope::This, if_version: None }
    }
}

/// Why an appointment could not be cancelled.
#[derive(Debug, thiserror::Error)]
pub enum CancelError {
    /// Not an appointment of this clinic, or not the patient's own.
    #[error("there is no such appointment")]
    NotFound,
    /// It is over, or cancelled already.
    #[error(transparent)]
    NotPossible(#[from] InvalidTransition),
    /// The reason is blank or longer than [`MAX_REASON_CHARS`].
    #[error("a reason is needed, of at most 500 characters")]
    ReasonMissing,
    /// So shortly before the visit, patients ring instead.
    #[error("it is too late to cancel without calling the clinic")]
    TooLate,
    /// Somebody changed it in the meantime.
    #[error("the appointment has been changed in the meantime")]
    Changed,
    /// Postgres failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Cancels an appointment, or as much of its series as `scope` says: the time is free again. Says which were cancelled.
///
/// Patients cancel their own until as long before it as its type of visit allows.
pub async fn cancel(
    db: &Db,
    clock: &dyn Clock,
    by: &Actor,
    request: Cancel,
) -> Result<Vec<AppointmentId>, CancelError> {
    let why = reason(&request.reason).ok_or(CancelError::ReasonMissing)?;
    let id = request.appointment;
    if !may_cancel(by, &request) {
        return Err(CancelError::NotFound);
    }
    let now = clock.now();
    let mut tx = db.begin(by).await?;
    let members = tables::appointments::lock_scope(&mut tx, by.clinic, id, request.scope).await?;
    let chosen = members.iter().find(|one| one.id == id).ok_or(CancelError::NotFound)?;
    if request.if_version.is_some_and(|version| version != chosen.version) {
        return Err(CancelError::Changed);
    }
    in_time(by, chosen, now)?;
    let cancelled_by = if matches!(by.who, Who::Patient { .. }) { "patient" } else { "clinic" };
    let ids: Vec<AppointmentId> = members.iter().map(|one| one.id).collect();
    let practitioners: Vec<Resource> = members.iter().map(|one| Resource::Practitioner(one.practitioner)).collect();
    tables::reservations::lock(&mut tx, &practitioners).await?;
    for member in &members {
        let cancelled = member.state.cancel()?;
        let outcome = Outcome { cancel_reason: Some(why), cancelled_by: Some(cancelled_by), ..Outcome::default() };
        tables::appointments::set_state(&mut tx, by.clinic, member.id, cancelled, &outcome).await?;
    }
    messages::plan_together(&mut tx, by.clinic, now, chosen.series, &ids, News::Cancelled).await?;
    tables::reservations::release(&mut tx, by.clinic, &ids).await?;
    let mut offers = Vec::new();
    for member in &members {
        let time = Freed { practitioner: member.practitioner, starts_at: member.starts_at.to_jiff() };
        offers.extend(freed(&mut tx, now, by, time).await?);
    }
    // The reason is free text and may name somebody: it stays with the appointment.
    for member in &members {
        let event = AuditEvent::new("appointment.cancelled").appointment(member.id).patient(member.patient);
        audit::record(&mut tx, by, event).await?;
        events::record(&mut tx, by, EventKind::Cancelled, member.id).await?;
    }
    for offer in offers {
        offer.record(&mut tx, by).await?;
    }
    commit_together(tx).await?;
    Ok(ids)
}

/// Patients come by the link of one appointment, and call off that one.
fn may_cancel(by: &Actor, request: &Cancel) -> bool {
    match by.who {
        Who::Patient { appointment, .. } => appointment == request.appointment && request.scope == Scope::This,
        Who::Account { .. } | Who::ApiToken { .. } | Who::Service(_) => true,
    }
}

/// Whether the clinic still has the time to give the slot to somebody else. The desk decides that for itself.
fn in_time(by: &Actor, appointment: &Locked, now: Timestamp) -> Result<(), CancelError> {
    let notice = SignedDuration::from_mins(appointment.cancel_notice_minutes.into());
    let is_late = now > appointment.starts_at.to_jiff() - notice;
    if matches!(by.who, Who::Patient { .. }) && is_late { Err(CancelError::TooLate) } else { Ok(()) }
}

/// A reason as it is kept: a line of text, and not a letter.
pub(crate) fn reason(text: &str) -> Option<&str> {
    let text = text.trim();
    ((1..=MAX_REASON_CHARS).contains(&text.chars().count()) && is_text(text)).then_some(text)
}
