//! `accounts`: who may sign in. Found by e-mail address through a door, since no clinic is known yet.

use domain::{AccountId, Actor, ClinicId, Redacted, Role, Who};
use sqlx::PgConnection;

/// An account, before anybody proved that it is theirs.
pub struct Account {
    /// Which.
    pub id: AccountId,
    /// Of which clinic.
    pub clinic: ClinicId,
    /// What its owner is there.
    pub role: Role,
    /// Argon2id.
    pub password_hash: Redacted<String>,
}

impl Account {
    /// Its owner, once proven.
    pub fn actor(&self) -> Actor {
        Actor { clinic: self.clinic, who: Who::Account { id: self.id, role: self.role } }
    }
}

/// The account of an e-mail address, whatever its case.
pub async fn find(connection: &mut PgConnection, email: &str) -> Result<Option<Account>, sqlx::Error> {
    let row = sqlx::query!(
        r#"select account_id as "id!: AccountId",
                  clinic_id as "clinic!: ClinicId",
                  role as "role!: Role",
                  password_hash as "password_hash!"
           from find_account($1)"#,
        email,
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| Account {
        id: row.id,
        clinic: row.clinic,
        role: row.role,
        password_hash: row.password_hash.into(),
    }))
}
