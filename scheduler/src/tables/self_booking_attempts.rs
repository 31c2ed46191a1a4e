//! `self_booking_attempts`: how often times were held and messages asked for. Who is counted is stored as a digest only.

use aws_lc_rs::digest::{SHA256, digest};
use domain::ClinicId;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;

/// What is counted: `kind` says which limit it falls under, `value` who or where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Subject(Vec<u8>);

impl Subject {
    pub(crate) fn new(kind: &str, value: &str) -> Self {
        Self(digest(&SHA256, format!("{kind}:{value}").as_bytes()).as_ref().to_vec())
    }
}

/// Counts an attempt, and says how many there were since `since`, this one included.
///
/// The lock makes a storm of simultaneous attempts count one after the other. It lasts until the transaction ends.
pub(crate) async fn note(
    connection: &mut PgConnection,
    clinic: ClinicId,
    subject: &Subject,
    at: Timestamp,
    since: Timestamp,
) -> Result<i64, sqlx::Error> {
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended(encode($1, 'hex'), 3))", subject.0)
        .execute(&mut *connection)
        .await?;
    sqlx::query!(
        "insert into self_booking_attempts (clinic_id, subject, at)
         values ($1, $2, $3)",
        clinic.0,
        subject.0,
        at.to_sqlx() as _,
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query_scalar!(
        r#"select count(*) as "count!"
           from self_booking_attempts
           where clinic_id = $1 and subject = $2 and at > $3"#,
        clinic.0,
        subject.0,
        since.to_sqlx() as _,
    )
    .fetch_one(connection)
    .await
}

/// Forgets the attempts made before `before`.
pub(crate) async fn purge(
    connection: &mut PgConnection,
    clinic: ClinicId,
    before: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "delete from self_booking_attempts
         where clinic_id = $1 and at < $2",
        clinic.0,
        before.to_sqlx() as _,
    )
    .execute(connection)
    .await?;
    Ok(())
}
