//! `participants` of encounters.

use crate::{room::RoomParticipant, tables::practitioners};
use domain::{
    ClinicId, EncounterId, ParticipantId, PatientId, PractitionerId, Redacted, relay::Connection,
    signal::ParticipantRole,
};
use sqlx::PgConnection;

/// Who a participant is.
pub(crate) enum Person {
    Practitioner(PractitionerId),
    Patient(PatientId),
    /// By name.
    Device(String),
}

/// Adds somebody to an encounter.
pub(crate) async fn add(
    connection: &mut PgConnection,
    clinic: ClinicId,
    id: ParticipantId,
    encounter: EncounterId,
    person: Person,
) -> Result<(), sqlx::Error> {
    let (role, practitioner, patient, device) = match person {
        Person::Practitioner(id) => (ParticipantRole::Practitioner, Some(id.0), None, None),
        Person::Patient(id) => (ParticipantRole::Patient, None, Some(id.0), None),
        Person::Device(name) => (ParticipantRole::Device, None, None, Some(name)),
    };
    sqlx::query!(
        "insert into participants (clinic_id, id, encounter_id, role, practitioner_id, patient_id, device_name)
         values ($1, $2, $3, $4, $5, $6, $7)",
        clinic.0,
        id.0,
        encounter.0,
        role as _,
        practitioner,
        patient,
        device,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Everybody of an encounter, the practitioner first, then the patient.
pub(crate) async fn of_encounter(
    connection: &mut PgConnection,
    clinic: ClinicId,
    encounter: EncounterId,
) -> Result<Vec<RoomParticipant>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select
               x.id as "id: ParticipantId",
               x.role as "role: ParticipantRole",
               d.id as "practitioner_id?: PractitionerId",
               d.title as "title?",
               d.given_name as "given_name?",
               d.family_name as "family_name?",
               p.name as "patient_name?",
               x.device_name
           from participants x
           left join practitioners d on d.clinic_id = x.clinic_id and d.id = x.practitioner_id
           left join patients p on p.clinic_id = x.clinic_id and p.id = x.patient_id
           where x.clinic_id = $1 and x.encounter_id = $2
           order by x.role = 'practitioner' desc, x.role = 'patient' desc, x.id"#,
        clinic.0,
        encounter.0,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let practitioner = row.practitioner_id.map(|id| {
                let [title, given, family] =
                    [row.title, row.given_name, row.family_name].map(Option::unwrap_or_default);
                practitioners::view(id, &title, &given, &family, String::new()).title_and_name
            });
            RoomParticipant {
                participant: row.id,
                role: row.role,
                name: Redacted::new(practitioner.or(row.patient_name).or(row.device_name).unwrap_or_default()),
            }
        })
        .collect())
}

/// Counts a participant's connections up by one and says the new number.
pub(crate) async fn connect(
    connection: &mut PgConnection,
    clinic: ClinicId,
    id: ParticipantId,
) -> Result<Option<Connection>, sqlx::Error> {
    let number = sqlx::query_scalar!(
        "update participants
         set connection = connection + 1
         where clinic_id = $1 and id = $2
         returning connection",
        clinic.0,
        id.0,
    )
    .fetch_optional(connection)
    .await?;
    Ok(number.map(Connection))
}
