//! `api_tokens`: by what programs of the clinic are known. The token is with the program only; the table holds its digest.

use crate::api_tokens::ApiTokenView;
use domain::{AccountId, ApiTokenId, ClinicId, PractitionerId, Role};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;

/// A token to be written.
pub(crate) struct New<'a> {
    pub(crate) id: ApiTokenId,
    pub(crate) role: Role,
    pub(crate) practitioner: Option<PractitionerId>,
    pub(crate) name: &'a str,
    pub(crate) hash: &'a [u8],
    pub(crate) created_at: Timestamp,
    pub(crate) created_by: Option<AccountId>,
}

/// Adds a token unless the clinic has one of its digest, or `max` that are good; whether it was added.
pub(crate) async fn add(
    connection: &mut PgConnection,
    clinic: ClinicId,
    new: &New<'_>,
    max: i64,
) -> Result<bool, sqlx::Error> {
    let result = sqlx::query!(
        "insert into api_tokens (clinic_id, id, role, practitioner_id, name, token_hash, created_at, created_by)
         select $1, $2, $3, $4, $5, $6, $7, $8
         where (select count(*) from api_tokens where clinic_id = $1 and revoked_at is null) < $9
         on conflict (token_hash) do nothing",
        clinic.0,
        new.id.0,
        new.role as _,
        new.practitioner.map(|id| id.0),
        new.name,
        new.hash,
        new.created_at.to_sqlx() as _,
        new.created_by.map(|id| id.0),
        max,
    )
    .execute(connection)
    .await?;
    Ok(result.rows_affected() == 1)
}

/// Every token of the clinic, the good ones first, then by name.
pub(crate) async fn list(connection: &mut PgConnection, clinic: ClinicId) -> Result<Vec<ApiTokenView>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select
               t.id as "id: ApiTokenId",
               t.role as "role: Role",
               t.name,
               (p.title || ' ' || p.family_name) as practitioner,
               a.name as "created_by?",
               t.created_at as "created_at: jiff_sqlx::Timestamp",
               t.last_used_at as "last_used_at: jiff_sqlx::Timestamp",
               t.revoked_at as "revoked_at: jiff_sqlx::Timestamp"
           from api_tokens t
           left join practitioners p on p.clinic_id = t.clinic_id and p.id = t.practitioner_id
           left join accounts a on a.clinic_id = t.clinic_id and a.id = t.created_by
           where t.clinic_id = $1
           order by t.revoked_at is not null, t.name, t.id
           limit 500"#,
        clinic.0,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| ApiTokenView {
            id: row.id,
            role: row.role,
            name: row.name,
            practitioner: row.practitioner,
            created_by: row.created_by,
            created_at: row.created_at.to_jiff(),
            last_used_at: row.last_used_at.map(jiff_sqlx::Timestamp::to_jiff),
            revoked_at: row.revoked_at.map(jiff_sqlx::Timestamp::to_jiff),
        })
        .collect())
}

/// Makes a token worthless; whether it was good before.
pub(crate) async fn revoke(
    connection: &mut PgConnection,
    clinic: ClinicId,
    id: ApiTokenId,
    at: Timestamp,
) -> Result<bool, sqlx::Error> {
    let result = sqlx::query!(
        "update api_tokens set revoked_at = $3 where clinic_id = $1 and id = $2 and revoked_at is null",
        clinic.0,
        id.0,
        at.to_sqlx() as _,
    )
    .execute(connection)
    .await?;
    Ok(result.rows_affected() == 1)
}

/// Notes when a token was last used.
pub(crate) async fn touch(
    connection: &mut PgConnection,
    clinic: ClinicId,
    id: ApiTokenId,
    at: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update api_tokens set last_used_at = greatest(last_used_at, $3) where clinic_id = $1 and id = $2",
        clinic.0,
        id.0,
        at.to_sqlx() as _,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// As whom a practitioner's program acts.
pub(crate) async fn practitioner(
    connection: &mut PgConnection,
    clinic: ClinicId,
    id: ApiTokenId,
) -> Result<Option<PractitionerId>, sqlx::Error> {
    let row = sqlx::query_scalar!(
        r#"select practitioner_id as "practitioner_id: PractitionerId"
           from api_tokens
           where clinic_id = $1 and id = $2"#,
        clinic.0,
        id.0,
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.flatten())
}

/// A token that somebody showed, and that is good.
pub(crate) struct Found {
    pub(crate) id: ApiTokenId,
    pub(crate) clinic: ClinicId,
    pub(crate) role: Role,
    pub(crate) practitioner: Option<PractitionerId>,
    pub(crate) last_used_at: Option<Timestamp>,
}

/// The good token of a digest. Goes through a door: the clinic is not known yet.
pub(crate) async fn find(connection: &mut PgConnection, hash: &[u8]) -> Result<Option<Found>, sqlx::Error> {
    let row = sqlx::query!(
        r#"select
               token_id as "id!: ApiTokenId",
               clinic_id as "clinic!: ClinicId",
               role as "role!: Role",
               practitioner_id as "practitioner: PractitionerId",
               last_used_at as "last_used_at: jiff_sqlx::Timestamp"
           from find_api_token($1)"#,
        hash,
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| Found {
        id: row.id,
        clinic: row.clinic,
        role: row.role,
        practitioner: row.practitioner,
        last_used_at: row.last_used_at.map(jiff_sqlx::Timestamp::to_jiff),
    }))
}
