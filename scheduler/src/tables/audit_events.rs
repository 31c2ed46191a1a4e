//! `audit_events`, read. They are written by `service::audit`.

use crate::history::{AuditView, HistoryCheck};
use domain::{AppointmentId, ClinicId, EncounterId, PatientId};
use sqlx::PgConnection;

/// The newest events of the clinic, or of one appointment.
pub(crate) async fn newest(
    connection: &mut PgConnection,
    clinic: ClinicId,
    appointment: Option<AppointmentId>,
    limit: i64,
) -> Result<Vec<AuditView>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select
               e.sequence,
               e.at as "at: jiff_sqlx::Timestamp",
               e.actor_kind,
               e.actor_role,
               coalesce(acc.name, pat.name, tok.name) as actor_name,
               e.action,
               e.appointment_id as "appointment_id: AppointmentId",
               e.patient_id as "patient_id: PatientId",
               p.name as "patient_name?",
               e.encounter_id as "encounter_id: EncounterId",
               e.detail
           from audit_events e
           left join accounts acc on e.actor_kind = 'account' and acc.clinic_id = e.clinic_id and acc.id = e.actor_id
           left join patients pat on e.actor_kind = 'patient' and pat.clinic_id = e.clinic_id and pat.id = e.actor_id
           left join api_tokens tok on e.actor_kind = 'api_token' and tok.clinic_id = e.clinic_id and tok.id = e.actor_id
           left join patients p on p.clinic_id = e.clinic_id and p.id = e.patient_id
           where e.clinic_id = $1 and ($2::uuid is null or e.appointment_id = $2)
           order by e.sequence desc
           limit $3"#,
        clinic.0,
        appointment.map(|id| id.0),
        limit,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| AuditView {
            sequence: row.sequence,
            at: row.at.to_jiff(),
            actor: row.actor_name.or_else(|| row.actor_role.clone()).unwrap_or_default(),
            role: match row.actor_kind.as_str() {
                "account" => row.actor_role.unwrap_or_default(),
                "api_token" => "program".to_owned(),
                _ => row.actor_kind,
            },
            phrase: crate::history::phrase(&row.action, &row.detail),
            action: row.action,
            appointment: row.appointment_id,
            patient: row.patient_id,
            patient_name: row.patient_name,
            encounter: row.encounter_id,
            detail: row.detail,
        })
        .collect())
}

/// Recomputes the chain of the transaction's clinic. Goes through a door, since the head is out of reach.
pub(crate) async fn verify(connection: &mut PgConnection) -> Result<HistoryCheck, sqlx::Error> {
    let row = sqlx::query!(
        r#"select events as "events!", encode(newest_digest, 'hex') as newest_digest, broken_at
           from verify_audit_events()"#
    )
    .fetch_one(connection)
    .await?;
    Ok(HistoryCheck {
        events: row.events,
        newest_digest: row.newest_digest.unwrap_or_default(),
        broken_at: row.broken_at,
    })
}
