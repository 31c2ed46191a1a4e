//! `sign_in_attempts`: how often somebody tried, by account and by where from. Both are stored as digests only.

use crate::extract::household;
use aws_lc_rs::digest::{SHA256, digest};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;
use std::net::IpAddr;

/// What is counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Subject(Vec<u8>);

impl Subject {
    /// An e-mail address, whatever its case.
    pub(crate) fn email(email: &str) -> Self {
        Self::of("email", &email.to_lowercase())
    }

    /// Where from.
    pub(crate) fn address(address: IpAddr) -> Self {
        Self::of("address", &household(address))
    }

    fn of(kind: &str, value: &str) -> Self {
        Self(digest(&SHA256, format!("{kind}:{value}").as_bytes()).as_ref().to_vec())
    }
}

/// Counts an attempt, and says how many there were since `since`, this one included.
pub(crate) async fn note(
    connection: &mut PgConnection,
    subject: &Subject,
    at: Timestamp,
    since: Timestamp,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select note_sign_in_attempt($1, $2, $3) as "attempts!""#,
        subject.0,
        at.to_sqlx() as _,
        since.to_sqlx() as _,
    )
    .fetch_one(connection)
    .await
}

/// Somebody signed in: their slips are forgotten.
pub(crate) async fn forget(connection: &mut PgConnection, subject: &Subject) -> Result<(), sqlx::Error> {
    sqlx::query!("select forget_sign_in_attempts($1)", subject.0).execute(connection).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_household_is_one_address() {
        let of = |text: &str| Subject::address(text.parse().expect("an address"));
        assert_eq!(of("2001:db8:1:2::3"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::3"), of("2001:db8:1:3::3"));
        assert_eq!(of("::ffff:192.0.2.7"), of("192.0.2.7"));
    }
}
