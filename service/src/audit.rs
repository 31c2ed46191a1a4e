//! The audit trail: who did or read what, written in the transaction that did it.
//!
//! Postgres numbers, dates and chains the events (`migrations/0010_audit_events.sql`) when the transaction commits
//! (`migrations/0021_chain_at_commit.sql`); nobody can change them afterwards.

use domain::{Actor, AppointmentId, EncounterId, PatientId, Who};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

/// One thing that happened. No names and no texts: ids and plain facts.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditEvent {
    /// What happened, `noun.verb`: `appointment.booked`.
    pub action: &'static str,
    /// To which appointment.
    pub appointment: Option<AppointmentId>,
    /// About which patient.
    pub patient: Option<PatientId>,
    /// In which encounter.
    pub encounter: Option<EncounterId>,
    /// Facts beside these, a JSON object without anything that names a person.
    pub detail: Value,
}

impl AuditEvent {
    /// An event that concerns nobody yet; add to it with struct update or the methods below.
    pub fn new(action: &'static str) -> Self {
        Self {
            action,
            appointment: None,
            patient: None,
            encounter: None,
            detail: Value::Object(serde_json::Map::new()),
        }
    }

    /// The appointment it concerns.
    pub fn appointment(self, id: AppointmentId) -> Self {
        Self { appointment: Some(id), ..self }
    }

    /// The patient it concerns.
    pub fn patient(self, id: PatientId) -> Self {
        Self { patient: Some(id), ..self }
    }

    /// The encounter it concerns.
    pub fn encounter(self, id: EncounterId) -> Self {
        Self { encounter: Some(id), ..self }
    }

    /// Facts beside these.
    pub fn detail(self, detail: Value) -> Self {
        Self { detail, ..self }
    }
}

/// Notes `event` for the trail of the actor's clinic, into which the commit writes it. If either fails, the transaction must fail.
pub async fn record(connection: &mut PgConnection, by: &Actor, event: AuditEvent) -> Result<(), sqlx::Error> {
    let (kind, id, role) = describe(&by.who);
    sqlx::query!(
        "insert into audit_notes (clinic_id, actor_kind, actor_id, actor_role, action,
                                  appointment_id, patient_id, encounter_id, detail)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        by.clinic.0,
        kind,
        id,
        role,
        event.action,
        event.appointment.map(|id| id.0),
        event.patient.map(|id| id.0),
        event.encounter.map(|id| id.0),
        event.detail,
    )
    .execute(connection)
    .await?;
    Ok(())
}

fn describe(who: &Who) -> (&'static str, Option<Uuid>, Option<&'static str>) {
    match who {
        Who::Account { id, role } => ("account", Some(id.0), Some(role.as_str())),
        Who::Patient { id, .. } => ("patient", Some(id.0), None),
        Who::ApiToken { id, role } => ("api_token", Some(id.0), Some(role.as_str())),
        Who::Service(name) => ("service", None, Some(name)),
    }
}
