//! `reservations`: what keeps two appointments from the same time.

use domain::{AppointmentId, ClinicId, PatientId, PractitionerId};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;
use std::collections::BTreeMap;
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

/// When practitioners are reserved between two instants, each in order and without overlaps: booked, overbooked or held. A hold
/// that has expired binds nobody, by the database's clock.
pub(crate) async fn of_practitioners(
    connection: &mut PgConnection,
    clinic: ClinicId,
    practitioners: &[PractitionerId],
    from: Timestamp,
    to: Timestamp,
) -> Result<BTreeMap<PractitionerId, Vec<(Timestamp, Timestamp)>>, sqlx::Error> {
    let practitioners: Vec<_> = practitioners.iter().map(|id| id.0).collect();
    let rows = sqlx::query!(
        r#"with merged as (
               select r.resource_id, unnest(range_agg(r.during)) as during
               from reservations r
               left join holds h on h.id = r.hold_id
               where r.clinic_id = $1
                 and r.resource_kind = 'practitioner'
                 and r.resource_id = any ($2)
                 and r.during && tstzrange($3, $4, '[)')
                 and r.active
                 and (r.hold_id is null or h.expires_at > now())
               group by r.resource_id
           )
           select
               resource_id as "practitioner: PractitionerId",
               lower(during) as "starts_at!: jiff_sqlx::Timestamp",
               upper(during) as "ends_at!: jiff_sqlx::Timestamp"
           from merged"#,
        clinic.0,
        &practitioners,
        from.to_sqlx() as _,
        to.to_sqlx() as _,
    )
    .fetch_all(connection)
    .await?;
    let mut taken = BTreeMap::<_, Vec<_>>::new();
    for row in rows {
        taken.entry(row.practitioner).or_default().push((row.starts_at.to_jiff(), row.ends_at.to_jiff()));
    }
    Ok(taken)
}
