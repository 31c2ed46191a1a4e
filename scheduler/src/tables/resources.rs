//! `resources`: interpreters, rooms and devices.

use domain::{ClinicId, ResourceId};
use sqlx::PgConnection;

/// Adds a resource. `kind` is one of `interpreter`, `room` and `device`; an interpreter has at least two languages, nothing else has any.
pub(crate) async fn add(
    connection: &mut PgConnection,
    clinic: ClinicId,
    id: ResourceId,
    [kind, name]: [&str; 2],
    languages: &[String],
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into resources (clinic_id, id, kind, name, languages)
         values ($1, $2, $3, $4, $5)",
        clinic.0,
        id.0,
        kind,
        name,
        languages,
    )
    .execute(connection)
    .await?;
    Ok(())
}
