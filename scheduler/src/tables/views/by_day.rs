//! How many visits there are on each day: counted where they lie, since a week of a clinic is too many to read.

use crate::views::Visits;
use domain::{ClinicId, PractitionerId};
use jiff::{SignedDuration, Timestamp, civil::Date};
use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;
use std::collections::HashMap;

/// How many visits practitioners have on each of these days, in order, and how long they are together; without those called off. Each
/// day comes with its first instant, and the last one ends at `to`.
pub(crate) async fn by_day(
    connection: &mut PgConnection,
    clinic: ClinicId,
    days: &[(Date, Timestamp)],
    to: Timestamp,
    practitioners: &[PractitionerId],
) -> Result<HashMap<(PractitionerId, Date), Visits>, sqlx::Error> {
    let practitioners: Vec<_> = practitioners.iter().map(|id| id.0).collect();
    let starts: Vec<_> = days.iter().map(|(_, start)| start.to_sqlx()).collect();
    let rows = sqlx::query!(
        r#"select
               practitioner_id as "practitioner: PractitionerId",
               width_bucket(starts_at, $2) as "day!",
               count(*) as "count!",
               extract(epoch from sum(ends_at - starts_at))::bigint as "seconds!"
           from appointments
           where clinic_id = $1
             and starts_at >= ($2::timestamptz[])[1]
             and starts_at < $3
             and practitioner_id = any ($4)
             and state <> 'cancelled'
           group by 1, 2"#,
        clinic.0,
        &starts as _,
        to.to_sqlx() as _,
        &practitioners,
    )
    .fetch_all(connection)
    .await?;
    let visits = rows.into_iter().filter_map(|row| {
        // Days are counted from 1.
        let (date, _) = days.get(usize::try_from(row.day).ok()?.checked_sub(1)?)?;
        let count = usize::try_from(row.count).unwrap_or(0);
        Some(((row.practitioner, *date), Visits { count, together: SignedDuration::from_secs(row.seconds) }))
    });
    Ok(visits.collect())
}
