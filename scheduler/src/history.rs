//! The history: who did or read what, and whether the record of it is whole.

use crate::tables;
use domain::{Actor, AppointmentId, EncounterId, PatientId, Who};
use jiff::Timestamp;
use service::{
    audit::{self, AuditEvent},
    postgres::Db,
};

/// The most events one page of history holds, newest first.
pub const PAGE: i64 = 200;

/// One event, as people read it.
#[derive(Debug, Clone)]
pub struct AuditView {
    /// Its place in the chain.
    pub sequence: i64,
    /// When, by the database's clock.
    pub at: Timestamp,
    /// Who, by name if an account, patient or program, else the service's name.
    pub actor: String,
    /// `receptionist`, `practitioner`, `administrator`, `patient`, `program` or `service`.
    pub role: String,
    /// `appointment.booked`, …
    pub action: String,
    /// The action as a phrase: `booked the appointment`.
    pub phrase: &'static str,
    /// To which appointment.
    pub appointment: Option<AppointmentId>,
    /// About which patient.
    pub patient: Option<PatientId>,
    /// The patient's name.
    pub patient_name: Option<String>,
    /// In which encounter.
    pub encounter: Option<EncounterId>,
    /// Facts beside these.
    pub detail: serde_json::Value,
}

/// What recomputing the chain of a clinic's events showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryCheck {
    /// How many events there are.
    pub events: i64,
    /// The newest event's digest in hexadecimal: note it elsewhere, and nobody can rewrite what came before.
    pub newest_digest: String,
    /// The number of the first event that was changed, removed or inserted; `None` when all are whole.
    pub broken_at: Option<i64>,
}

/// The newest [`PAGE`] events of the clinic, or of one appointment. Reading the clinic's history is itself an event.
pub async fn history(db: &Db, by: &Actor, appointment: Option<AppointmentId>) -> Result<Vec<AuditView>, sqlx::Error> {
    if !matches!(by.who, Who::Account { .. }) {
        return Ok(Vec::new());
    }
    let mut tx = db.begin(by).await?;
    let events = tables::audit_events::newest(&mut tx, by.clinic, appointment, PAGE).await?;
    // The history of one appointment is part of its page, whose opening was recorded already.
    if appointment.is_none() {
        audit::record(&mut tx, by, AuditEvent::new("history.read")).await?;
    }
    tx.commit().await?;
    Ok(events)
}

/// Recomputes the clinic's chain.
pub async fn verify_history(db: &Db, by: &Actor) -> Result<HistoryCheck, sqlx::Error> {
    tables::audit_events::verify(&mut *db.begin(by).await?).await
}

/// An action as people say it, after the actor's name. `detail` says whom signaling connected.
pub(crate) fn phrase(action: &str, detail: &serde_json::Value) -> &'static str {
    match action {
        "api_token.made" => "made an API token",
        "api_token.revoked" => "revoked an API token",
        "appointment.arrived" => "arrived in the waiting room",
        "appointment.admitted" => "admitted the patient",
        "appointment.booked" => "booked the appointment",
        "appointment.cancelled" => "cancelled the appointment",
        "appointment.confirmed" => "said that the patient will come",
        "appointment.miss_undone" => "took back that the visit was missed",
        "appointment.missed" if detail["absent"] == "practitioner" => "marked that the patient waited and was not seen",
        "appointment.missed" => "marked the appointment as not attended",
        "appointment.overbooked" => "booked the appointment beside another one",
        "appointment.read" => "opened the appointment",
        "appointment.rescheduled" => "moved the appointment to another time",
        "appointment.walked_in" => "put the patient into today's queue",
        "appointment.recomputed" => "moved the appointment with the rules of its time zone",
        "clinic.public_address_set" => "gave the public page its address",
        "encounter.finished" => "ended the visit",
        "history.read" => "read the history",
        "join_token.made" => "asked to enter the consultation",
        "mail.given_up" => "could not send the visit link",
        "message.given_up" => "could not deliver a message",
        "offer.accepted" => "accepted a freed time",
        "offer.declined" => "declined a freed time",
        "offer.expired" => "let the offer of a freed time fall through",
        "offer.made" => "offered a freed time",
        "offer.withdrawn" => "took the offer of a freed time back",
        "patient.added" => "added the patient",
        "patient.read" => "opened the patient",
        "patients.listed" => "read a list of patients",
        "room.entered" if detail["role"] == "patient" => "connected the patient to the consultation",
        "room.entered" => "connected the practitioner to the consultation",
        "schedule.changed" => "changed a schedule",
        "seat.left" => "left the waiting room",
        "self_booking.requested" => "was asked for the link that books a visit",
        "session.ended" => "signed out",
        "session.refused" => "was refused at sign-in",
        "session.started" => "signed in",
        "waitlist.joined" => "put the patient on the waitlist",
        "waitlist.left" => "took the patient off the waitlist",
        "visit_link.sent" => "sent the visit link",
        "visit_type.added" => "added a type of visit",
        "visit_type.changed" => "changed a type of visit",
        "visit_type.retired" => "retired a type of visit",
        "webhook.disabled" => "disabled a webhook",
        "webhook.made" => "made a webhook",
        _ => "did something else",
    }
}
