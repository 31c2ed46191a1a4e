//! `reservations`: what keeps two appointments from the same time.

use domain::{AppointmentId, ClinicId, PatientId, PractitionerId};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;
use uuid::Uuid;

/// The constraint that has the last word about two appointments at the same time.
pub(crate) const NO_OVERLAP: &str = "reservations_no_overlap";

/// What an appointment needs for itself. Sorted by kind, then id: the order in which locks are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Resource {
    Patient(PatientId),
    Practitioner(PractitionerId),
}

impl Resource {
    fn kind(self) -> &'static str {
        match self {
            Self::Patient(_) => "patient",
            Self::Practitioner(_) => "practitioner",
        }
    }

    fn id(self) -> Uuid {
        match self {
            Self::Patient(id) => id.0,
            Self::Practitioner(id) => id.0,
        }
    }
}

/// Waits until nobody else is booking this resource, and keeps others waiting until the transaction ends.
///
/// The constraint alone would be safe, but overlapping bookings would deadlock under load.
pub(crate) async fn lock(connection: &mut PgConnection, resource: Resource) -> Result<(), sqlx::Error> {
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended($1, 2))", resource.id().to_string())
        .execute(connection)
        .await?;
    Ok(())
}

/// Reserves a resource from `starts_at` until `ends_at`; [`NO_OVERLAP`] refuses when it is reserved already.
pub(crate) async fn add(
    connection: &mut PgConnection,
    clinic: ClinicId,
    appointment: AppointmentId,
    resource: Resource,
    starts_at: Timestamp,
    ends_at: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into reservations (clinic_id, appointment_id, resource_kind, resource_id, during)
         values ($1, $2, $3, $4, tstzrange($5, $6, '[)'))",
        clinic.0,
        appointment.0,
        resource.kind(),
        resource.id(),
        starts_at.to_sqlx() as _,
        ends_at.to_sqlx() as _,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Frees everything that an appointment reserved.
pub(crate) async fn release(
    connection: &mut PgConnection,
    clinic: ClinicId,
    appointment: AppointmentId,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update reservations
         set active = false
         where clinic_id = $1 and appointment_id = $2",
        clinic.0,
        appointment.0,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// When a practitioner is reserved between two instants.
pub(crate) async fn of_practitioner(
    connection: &mut PgConnection,
    clinic: ClinicId,
    practitioner: PractitionerId,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<(Timestamp, Timestamp)>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select
               lower(during) as "starts_at!: jiff_sqlx::Timestamp",
               upper(during) as "ends_at!: jiff_sqlx::Timestamp"
           from reservations
           where clinic_id = $1
             and resource_kind = 'practitioner'
             and resource_id = $2
             and during && tstzrange($3, $4, '[)')
             and active"#,
        clinic.0,
        practitioner.0,
        from.to_sqlx() as _,
        to.to_sqlx() as _,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| (row.starts_at.to_jiff(), row.ends_at.to_jiff())).collect())
}
