//! `schedule_exceptions`: leave, holidays of the clinic, and hours given besides the weekly ones.

use crate::{
    availability::{Besides, Exception, zone_name},
    tables::clinics,
    views::ScheduleExceptionView,
};
use domain::{ClinicId, PractitionerId, ScheduleExceptionId};
use jiff::{Timestamp, civil::DateTime};
use jiff_sqlx::ToSqlx as _;
use service::postgres::one_row;
use sqlx::PgConnection;

/// The exceptions of some practitioners and of the whole clinic that touch `[from, to)`, in order. Of the instants that are
/// kept this one query makes use, with a day to spare: what counts is the clock on the wall, by the zone's rules as they are known now.
pub(crate) async fn between(
    connection: &mut PgConnection,
    clinic: ClinicId,
    practitioners: &[PractitionerId],
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<ScheduleExceptionView>, sqlx::Error> {
    let practitioners: Vec<_> = practitioners.iter().map(|id| id.0).collect();
    let rows = sqlx::query!(
        r#"select
               id as "id: ScheduleExceptionId",
               practitioner_id as "practitioner: PractitionerId",
               kind,
               reason,
               time_zone,
               wall_from as "wall_from: jiff_sqlx::DateTime",
               wall_to as "wall_to: jiff_sqlx::DateTime",
               slot_minutes
           from schedule_exceptions
           where clinic_id = $1
             and (practitioner_id is null or practitioner_id = any ($2))
             and starts_at < $4::timestamptz + interval '1 day'
             and ends_at > $3::timestamptz - interval '1 day'
           order by wall_from, wall_to, id"#,
        clinic.0,
        &practitioners,
        from.to_sqlx() as _,
        to.to_sqlx() as _,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            let kept = Kept {
                is_clinics: row.practitioner.is_none(),
                slot_minutes: row.slot_minutes,
                time_zone: row.time_zone,
                wall_from: row.wall_from.to_jiff(),
                wall_to: row.wall_to.to_jiff(),
            };
            let exception = kept.exception()?;
            Ok(ScheduleExceptionView { id: row.id, practitioner: row.practitioner, reason: row.reason, exception })
        })
        .collect()
}

/// An exception as its columns hold it.
#[derive(Debug, serde::Deserialize)]
pub(crate) struct Kept {
    is_clinics: bool,
    slot_minutes: Option<i16>,
    time_zone: String,
    wall_from: DateTime,
    wall_to: DateTime,
}

impl Kept {
    pub(crate) fn exception(self) -> Result<Exception, sqlx::Error> {
        let besides = match (self.slot_minutes, self.is_clinics) {
            (Some(slot_minutes), _) => Besides::Extra { slot_minutes },
            (None, false) => Besides::Away,
            (None, true) => Besides::ClinicClosed,
        };
        let zone = clinics::zone(&self.time_zone)?;
        Ok(Exception { besides, wall_from: self.wall_from, wall_to: self.wall_to, zone })
    }
}

/// Adds an exception.
pub(crate) async fn add(
    connection: &mut PgConnection,
    clinic: ClinicId,
    new: &ScheduleExceptionView,
    added_at: Timestamp,
) -> Result<(), sqlx::Error> {
    let (starts_at, ends_at) = new.exception.span();
    let (kind, slot_minutes) = written(new.exception.besides);
    sqlx::query!(
        "insert into schedule_exceptions (clinic_id, id, practitioner_id, kind, reason, time_zone, wall_from, wall_to,
                                          starts_at, ends_at, slot_minutes, added_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        clinic.0,
        new.id.0,
        new.practitioner.map(|id| id.0),
        kind,
        new.reason,
        zone_name(&new.exception.zone),
        new.exception.wall_from.to_sqlx() as _,
        new.exception.wall_to.to_sqlx() as _,
        starts_at.to_sqlx() as _,
        ends_at.to_sqlx() as _,
        slot_minutes,
        added_at.to_sqlx() as _,
    )
    .execute(connection)
    .await?;
    Ok(())
}

fn written(besides: Besides) -> (&'static str, Option<i16>) {
    match besides {
        Besides::Extra { slot_minutes } => ("open", Some(slot_minutes)),
        Besides::ClinicClosed | Besides::Away => ("closed", None),
    }
}

/// Removes an exception of a practitioner, or of the clinic; `RowNotFound` when it is not theirs.
pub(crate) async fn remove(
    connection: &mut PgConnection,
    clinic: ClinicId,
    id: ScheduleExceptionId,
    practitioner: Option<PractitionerId>,
) -> Result<(), sqlx::Error> {
    let result = sqlx::query!(
        "delete from schedule_exceptions
         where clinic_id = $1 and id = $2 and practitioner_id is not distinct from $3",
        clinic.0,
        id.0,
        practitioner.map(|id| id.0),
    )
    .execute(connection)
    .await?;
    one_row(&result)
}

/// An exception as it was entered and as it was computed.
pub(crate) struct Instants {
    pub(crate) id: ScheduleExceptionId,
    pub(crate) time_zone: String,
    pub(crate) wall_from: jiff_sqlx::DateTime,
    pub(crate) wall_to: jiff_sqlx::DateTime,
    pub(crate) starts_at: jiff_sqlx::Timestamp,
    pub(crate) ends_at: jiff_sqlx::Timestamp,
}

/// The exceptions that are not over at `now`, in order. Their rows are locked.
pub(crate) async fn instants(
    connection: &mut PgConnection,
    clinic: ClinicId,
    now: Timestamp,
) -> Result<Vec<Instants>, sqlx::Error> {
    sqlx::query_as!(
        Instants,
        r#"select
               id as "id: ScheduleExceptionId",
               time_zone,
               wall_from as "wall_from: jiff_sqlx::DateTime",
               wall_to as "wall_to: jiff_sqlx::DateTime",
               starts_at as "starts_at: jiff_sqlx::Timestamp",
               ends_at as "ends_at: jiff_sqlx::Timestamp"
           from schedule_exceptions
           where clinic_id = $1 and ends_at > $2
           order by starts_at, id
           for update"#,
        clinic.0,
        now.to_sqlx() as _,
    )
    .fetch_all(connection)
    .await
}

/// Writes the instants that follow from what was entered.
pub(crate) async fn recompute(
    connection: &mut PgConnection,
    clinic: ClinicId,
    id: ScheduleExceptionId,
    starts_at: Timestamp,
    ends_at: Timestamp,
) -> Result<(), sqlx::Error> {
    let result = sqlx::query!(
        "update schedule_exceptions
         set starts_at = $3, ends_at = $4
         where clinic_id = $1 and id = $2",
        clinic.0,
        id.0,
        starts_at.to_sqlx() as _,
        ends_at.to_sqlx() as _,
    )
    .execute(connection)
    .await?;
    one_row(&result)
}
