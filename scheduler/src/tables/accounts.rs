//! `accounts`, as far as the use-cases ask: whom an account signs in as. `web` writes the table.

use domain::{AccountId, ClinicId, PractitionerId};
use sqlx::PgConnection;

/// The practitioner that an account signs in as.
pub(crate) async fn practitioner(
    connection: &mut PgConnection,
    clinic: ClinicId,
    id: AccountId,
) -> Result<Option<PractitionerId>, sqlx::Error> {
    let row = sqlx::query_scalar!(
        r#"select practitioner_id as "practitioner_id: PractitionerId"
           from accounts
           where clinic_id = $1 and id = $2"#,
        clinic.0,
        id.0,
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.flatten())
}
