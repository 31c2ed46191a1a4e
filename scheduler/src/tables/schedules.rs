//! `schedules`: the weekly rules.

use crate::{availability::Rule, tables::clinics};
use domain::{ClinicId, PractitionerId, ScheduleRuleId};
use jiff::civil::{Date, Weekday};
use jiff_sqlx::ToSqlx as _;
use service::postgres::one_row;
use sqlx::PgConnection;

/// The weekly rules of some practitioners, by practitioner, weekday and time.
pub(crate) async fn of(
    connection: &mut PgConnection,
    clinic: ClinicId,
    practitioners: &[PractitionerId],
) -> Result<Vec<(ScheduleRuleId, PractitionerId, Rule)>, sqlx::Error> {
    let practitioners: Vec<_> = practitioners.iter().map(|id| id.0).collect();
    let rows = sqlx::query!(
        r#"select
               id as "id: ScheduleRuleId",
               practitioner_id as "practitioner: PractitionerId",
               weekday,
               from_minute,
               to_minute,
               slot_minutes,
               time_zone,
               valid_from as "valid_from: jiff_sqlx::Date",
               valid_to as "valid_to: jiff_sqlx::Date",
               every_weeks
           from schedules
           where clinic_id = $1 and practitioner_id = any ($2)
           order by practitioner_id, weekday, from_minute, valid_from nulls first, id"#,
        clinic.0,
        &practitioners,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            let kept = Kept {
                weekday: row.weekday,
                from_minute: row.from_minute,
                to_minute: row.to_minute,
                slot_minutes: row.slot_minutes,
                time_zone: row.time_zone,
                valid_from: row.valid_from.map(jiff_sqlx::Date::to_jiff),
                valid_to: row.valid_to.map(jiff_sqlx::Date::to_jiff),
                every_weeks: row.every_weeks,
            };
            Ok((row.id, row.practitioner, kept.rule()?))
        })
        .collect()
}

/// A rule as its columns hold it.
#[derive(Debug, serde::Deserialize)]
pub(crate) struct Kept {
    weekday: i16,
    from_minute: i16,
    to_minute: i16,
    slot_minutes: i16,
    time_zone: String,
    valid_from: Option<Date>,
    valid_to: Option<Date>,
    every_weeks: i16,
}

impl Kept {
    pub(crate) fn rule(self) -> Result<Rule, sqlx::Error> {
        Ok(Rule {
            weekday: weekday(self.weekday)?,
            from_minute: self.from_minute,
            to_minute: self.to_minute,
            slot_minutes: self.slot_minutes,
            zone: clinics::zone(&self.time_zone)?,
            valid_from: self.valid_from,
            valid_to: self.valid_to,
            every_weeks: self.every_weeks,
        })
    }
}

fn weekday(number: i16) -> Result<Weekday, sqlx::Error> {
    let number = i8::try_from(number).unwrap_or_default();
    Weekday::from_monday_one_offset(number).map_err(|error| sqlx::Error::Decode(error.into()))
}

/// Adds a rule.
pub(crate) async fn add(
    connection: &mut PgConnection,
    clinic: ClinicId,
    id: ScheduleRuleId,
    practitioner: PractitionerId,
    rule: &Rule,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into schedules (clinic_id, id, practitioner_id, weekday, from_minute, to_minute, slot_minutes,
                                time_zone, valid_from, valid_to, every_weeks)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        clinic.0,
        id.0,
        practitioner.0,
        i16::from(rule.weekday.to_monday_one_offset()),
        rule.from_minute,
        rule.to_minute,
        rule.slot_minutes,
        crate::availability::zone_name(&rule.zone),
        rule.valid_from.map(|date| date.to_sqlx()) as _,
        rule.valid_to.map(|date| date.to_sqlx()) as _,
        rule.every_weeks,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Removes a rule of a practitioner; `RowNotFound` when it is not theirs.
pub(crate) async fn remove(
    connection: &mut PgConnection,
    clinic: ClinicId,
    id: ScheduleRuleId,
    practitioner: PractitionerId,
) -> Result<(), sqlx::Error> {
    let result = sqlx::query!(
        "delete from schedules
         where clinic_id = $1 and id = $2 and practitioner_id = $3",
        clinic.0,
        id.0,
        practitioner.0,
    )
    .execute(connection)
    .await?;
    one_row(&result)
}
