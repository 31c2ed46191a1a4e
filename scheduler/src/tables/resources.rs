//! `resources`: interpreters, rooms and devices.

use crate::views::{ResourceKind, ResourceView};
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

/// What may be reserved, by kind and name.
pub(crate) async fn list(connection: &mut PgConnection, clinic: ClinicId) -> Result<Vec<ResourceView>, sqlx::Error> {
    sqlx::query_as!(
        ResourceView,
        r#"select id as "id: ResourceId", kind as "kind: ResourceKind", name, languages
           from resources
           where clinic_id = $1 and retired_at is null
           order by kind, lower(name), id"#,
        clinic.0,
    )
    .fetch_all(connection)
    .await
}

/// Who interprets between these languages, by name.
pub(crate) async fn interpreters(
    connection: &mut PgConnection,
    clinic: ClinicId,
    between: &[String],
) -> Result<Vec<ResourceId>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select id as "id: ResourceId"
           from resources
           where clinic_id = $1 and kind = 'interpreter' and languages @> $2 and retired_at is null
           order by lower(name), id"#,
        clinic.0,
        between,
    )
    .fetch_all(connection)
    .await
}
