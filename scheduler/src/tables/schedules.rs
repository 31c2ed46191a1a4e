//! `schedules`: the weekly rules.

use domain::{ClinicId, PractitionerId};
use jiff::civil::Weekday;
use sqlx::PgConnection;
use uuid::Uuid;

/// One rule on one weekday, in minutes of the clock on the wall.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) from_minute: i16,
    pub(crate) to_minute: i16,
    pub(crate) slot_minutes: i16,
}

/// A practitioner's rules on a weekday.
pub(crate) async fn on(
    connection: &mut PgConnection,
    clinic: ClinicId,
    practitioner: PractitionerId,
    weekday: Weekday,
) -> Result<Vec<Rule>, sqlx::Error> {
    sqlx::query_as!(
        Rule,
        "select from_minute, to_minute, slot_minutes
         from schedules
         where clinic_id = $1 and practitioner_id = $2 and weekday = $3
         order by from_minute, slot_minutes",
        clinic.0,
        practitioner.0,
        i16::from(weekday.to_monday_one_offset()),
    )
    .fetch_all(connection)
    .await
}

/// Adds a rule.
pub(crate) async fn add(
    connection: &mut PgConnection,
    clinic: ClinicId,
    id: Uuid,
    practitioner: PractitionerId,
    weekday: Weekday,
    rule: Rule,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into schedules (clinic_id, id, practitioner_id, weekday, from_minute, to_minute, slot_minutes, time_zone)
         select $1, $2, $3, $4, $5, $6, $7, time_zone from clinics where id = $1",
        clinic.0,
        id,
        practitioner.0,
        i16::from(weekday.to_monday_one_offset()),
        rule.from_minute,
        rule.to_minute,
        rule.slot_minutes,
    )
    .execute(connection)
    .await?;
    Ok(())
}
