//! `clinics`.

use crate::views::ClinicView;
use domain::ClinicId;
use jiff::{SignedDuration, tz::TimeZone};
use sqlx::PgConnection;

/// The clinic of the transaction.
pub(crate) async fn get(connection: &mut PgConnection, clinic: ClinicId) -> Result<ClinicView, sqlx::Error> {
    let row = sqlx::query!(
        "select name, time_zone, phone, arrive_early_minutes, arrive_late_minutes
         from clinics
         where id = $1",
        clinic.0,
    )
    .fetch_one(connection)
    .await?;
    Ok(ClinicView {
        id: clinic,
        name: row.name,
        zone: TimeZone::get(&row.time_zone).map_err(|error| sqlx::Error::Decode(error.into()))?,
        phone: row.phone,
        early: SignedDuration::from_mins(row.arrive_early_minutes.into()),
        late: SignedDuration::from_mins(row.arrive_late_minutes.into()),
    })
}

/// Every clinic, for the services that work for all of them. Goes through a door.
pub(crate) async fn all(connection: &mut PgConnection) -> Result<Vec<ClinicId>, sqlx::Error> {
    sqlx::query_scalar!(r#"select clinic_id as "clinic_id!: ClinicId" from find_clinics()"#).fetch_all(connection).await
}

/// Adds a clinic. The transaction must act on its behalf.
pub(crate) async fn add(
    connection: &mut PgConnection,
    id: ClinicId,
    name: &str,
    time_zone: &str,
    phone: &str,
    arrive_minutes: (i32, i32),
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into clinics (id, name, time_zone, phone, arrive_early_minutes, arrive_late_minutes)
         values ($1, $2, $3, $4, $5, $6)",
        id.0,
        name,
        time_zone,
        phone,
        arrive_minutes.0,
        arrive_minutes.1,
    )
    .execute(connection)
    .await?;
    Ok(())
}
