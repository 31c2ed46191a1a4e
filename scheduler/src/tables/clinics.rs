//! `clinics`.

use crate::views::ClinicView;
use domain::ClinicId;
use jiff::tz::TimeZone;
use service::postgres::one_row;
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
    let arrival = (row.arrive_early_minutes, row.arrive_late_minutes);
    ClinicView::kept(clinic, row.name, &row.time_zone, row.phone, arrival)
}

/// The zone of a name that is kept.
pub(crate) fn zone(name: &str) -> Result<TimeZone, sqlx::Error> {
    TimeZone::get(name).map_err(|error| sqlx::Error::Decode(error.into()))
}

/// Every clinic, for the services that work for all of them. Goes through a door.
pub(crate) async fn all(connection: &mut PgConnection) -> Result<Vec<ClinicId>, sqlx::Error> {
    sqlx::query_scalar!(r#"select clinic_id as "clinic_id!: ClinicId" from find_clinics()"#).fetch_all(connection).await
}

/// The clinic at a public address. Goes through a door.
pub(crate) async fn find_by_slug(connection: &mut PgConnection, slug: &str) -> Result<Option<ClinicId>, sqlx::Error> {
    sqlx::query_scalar!(r#"select clinic_id as "clinic_id!: ClinicId" from find_clinic($1)"#, slug)
        .fetch_optional(connection)
        .await
}

/// The constraint that gives a public address to one clinic only.
pub(crate) const SLUG_KEY: &str = "clinics_slug_key";

/// The name under which patients find the clinic, if it has one.
pub(crate) async fn slug(connection: &mut PgConnection, id: ClinicId) -> Result<Option<String>, sqlx::Error> {
    let slug = sqlx::query_scalar!("select slug from clinics where id = $1", id.0);
    Ok(slug.fetch_optional(connection).await?.flatten())
}

/// The name under which patients find the clinic; nobody else may have it.
pub(crate) async fn set_slug(connection: &mut PgConnection, id: ClinicId, slug: &str) -> Result<(), sqlx::Error> {
    let result = sqlx::query!("update clinics set slug = $2 where id = $1", id.0, slug).execute(connection).await?;
    one_row(&result)
}

/// Adds a clinic unless it is there; whether it was added. The transaction must act on its behalf.
///
/// Of two that try at once, one waits for the other and finds it done.
pub(crate) async fn add_missing(
    connection: &mut PgConnection,
    id: ClinicId,
    name: &str,
    time_zone: &str,
    phone: &str,
) -> Result<bool, sqlx::Error> {
    let result = sqlx::query!(
        "insert into clinics (id, name, time_zone, phone)
         values ($1, $2, $3, $4)
         on conflict (id) do nothing",
        id.0,
        name,
        time_zone,
        phone,
    )
    .execute(connection)
    .await?;
    Ok(result.rows_affected() == 1)
}

/// How long before the start and after the end a patient may arrive.
pub(crate) async fn set_arrival(
    connection: &mut PgConnection,
    id: ClinicId,
    early_minutes: i32,
    late_minutes: i32,
) -> Result<(), sqlx::Error> {
    let result = sqlx::query!(
        "update clinics
         set arrive_early_minutes = $2, arrive_late_minutes = $3
         where id = $1",
        id.0,
        early_minutes,
        late_minutes,
    )
    .execute(connection)
    .await?;
    one_row(&result)
}
