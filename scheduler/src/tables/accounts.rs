//! `accounts`, as far as the use-cases ask: whom an account signs in as; and the accounts of the demo.

use domain::{AccountId, Actor, ClinicId, PractitionerId, Role, Who};
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

/// An account to be written.
pub(crate) struct NewAccount<'a> {
    pub(crate) id: AccountId,
    pub(crate) role: Role,
    pub(crate) name: &'a str,
    pub(crate) email: &'a str,
    pub(crate) password_hash: &'a str,
    pub(crate) practitioner: Option<PractitionerId>,
}

/// Adds an account.
pub(crate) async fn add(
    connection: &mut PgConnection,
    clinic: ClinicId,
    new: &NewAccount<'_>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into accounts (clinic_id, id, role, name, email, password_hash, practitioner_id)
         values ($1, $2, $3, $4, $5, $6, $7)",
        clinic.0,
        new.id.0,
        new.role as _,
        new.name,
        new.email,
        new.password_hash,
        new.practitioner.map(|id| id.0),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Who acts when the account with this e-mail address does.
pub(crate) async fn by_email(
    connection: &mut PgConnection,
    clinic: ClinicId,
    email: &str,
) -> Result<Option<Who>, sqlx::Error> {
    let row = sqlx::query!(
        r#"select id as "id: AccountId", role as "role: Role"
           from accounts
           where clinic_id = $1 and lower(email) = lower($2)"#,
        clinic.0,
        email,
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| Who::Account { id: row.id, role: row.role }))
}

/// What whoever acts is called, for a decision that stands with their name.
pub(crate) async fn name_of(connection: &mut PgConnection, by: &Actor) -> Result<String, sqlx::Error> {
    match by.who {
        Who::Account { id, .. } => {
            sqlx::query_scalar!("select name from accounts where clinic_id = $1 and id = $2", by.clinic.0, id.0)
                .fetch_one(connection)
                .await
        }
        Who::ApiToken { .. } => Ok("A program of the clinic".to_owned()),
        Who::Patient { .. } => Ok("The patient".to_owned()),
        Who::Service(name) => Ok(name.to_owned()),
    }
}
