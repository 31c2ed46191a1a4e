//! `visit_types`, and `practitioner_visit_types`: who offers which.

use crate::views::VisitTypeView;
use domain::{ClinicId, PractitionerId, VisitTypeId};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use service::postgres::one_row;
use sqlx::PgConnection;

/// Keeps two types of one name apart.
pub(crate) const NAME_KEY: &str = "visit_types_name_key";

/// The types that are offered, by name, with the practitioners who offer each.
pub(crate) async fn list(connection: &mut PgConnection, clinic: ClinicId) -> Result<Vec<VisitTypeView>, sqlx::Error> {
    select(connection, clinic, None).await
}

/// One type, unless it is retired.
pub(crate) async fn find(
    connection: &mut PgConnection,
    clinic: ClinicId,
    id: VisitTypeId,
) -> Result<Option<VisitTypeView>, sqlx::Error> {
    Ok(select(connection, clinic, Some(id)).await?.into_iter().next())
}

async fn select(
    connection: &mut PgConnection,
    clinic: ClinicId,
    id: Option<VisitTypeId>,
) -> Result<Vec<VisitTypeView>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select
               t.id as "id: VisitTypeId",
               t.name,
               t.minutes,
               t.buffer_before_minutes,
               t.buffer_after_minutes,
               t.min_notice_minutes,
               t.horizon_days,
               t.cancel_notice_minutes,
               t.is_public,
               array(
                   select p.practitioner_id
                   from practitioner_visit_types p
                   where p.clinic_id = t.clinic_id and p.visit_type_id = t.id
                   order by p.practitioner_id
               ) as "practitioners!: Vec<PractitionerId>"
           from visit_types t
           where t.clinic_id = $1
             and ($2::uuid is null or t.id = $2)
             and t.retired_at is null
           order by lower(t.name)"#,
        clinic.0,
        id.map(|id| id.0),
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| VisitTypeView {
            id: row.id,
            name: row.name,
            minutes: row.minutes,
            buffer_before_minutes: row.buffer_before_minutes,
            buffer_after_minutes: row.buffer_after_minutes,
            min_notice_minutes: row.min_notice_minutes,
            horizon_days: row.horizon_days,
            cancel_notice_minutes: row.cancel_notice_minutes,
            is_public: row.is_public,
            practitioners: row.practitioners,
        })
        .collect())
}

/// Adds a type; whoever offers it is added apart.
pub(crate) async fn add(
    connection: &mut PgConnection,
    clinic: ClinicId,
    new: &VisitTypeView,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into visit_types (clinic_id, id, name, minutes, buffer_before_minutes, buffer_after_minutes,
                                  min_notice_minutes, horizon_days, cancel_notice_minutes, is_public)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        clinic.0,
        new.id.0,
        new.name,
        new.minutes,
        new.buffer_before_minutes,
        new.buffer_after_minutes,
        new.min_notice_minutes,
        new.horizon_days,
        new.cancel_notice_minutes,
        new.is_public,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The practitioner offers the type from now on.
pub(crate) async fn offer(
    connection: &mut PgConnection,
    clinic: ClinicId,
    id: VisitTypeId,
    practitioner: PractitionerId,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into practitioner_visit_types (clinic_id, practitioner_id, visit_type_id)
         values ($1, $2, $3)",
        clinic.0,
        practitioner.0,
        id.0,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Nobody offers the type, until somebody does again.
pub(crate) async fn withdraw(
    connection: &mut PgConnection,
    clinic: ClinicId,
    id: VisitTypeId,
) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from practitioner_visit_types where clinic_id = $1 and visit_type_id = $2", clinic.0, id.0)
        .execute(connection)
        .await?;
    Ok(())
}

/// Changes a type that is offered.
pub(crate) async fn change(
    connection: &mut PgConnection,
    clinic: ClinicId,
    new: &VisitTypeView,
) -> Result<(), sqlx::Error> {
    let result = sqlx::query!(
        "update visit_types
         set name = $3, minutes = $4, buffer_before_minutes = $5, buffer_after_minutes = $6, min_notice_minutes = $7,
             horizon_days = $8, cancel_notice_minutes = $9, is_public = $10
         where clinic_id = $1 and id = $2 and retired_at is null",
        clinic.0,
        new.id.0,
        new.name,
        new.minutes,
        new.buffer_before_minutes,
        new.buffer_after_minutes,
        new.min_notice_minutes,
        new.horizon_days,
        new.cancel_notice_minutes,
        new.is_public,
    )
    .execute(connection)
    .await?;
    one_row(&result)
}

/// Retires a type; whether it was offered.
pub(crate) async fn retire(
    connection: &mut PgConnection,
    clinic: ClinicId,
    id: VisitTypeId,
    at: Timestamp,
) -> Result<bool, sqlx::Error> {
    let result = sqlx::query!(
        "update visit_types
         set retired_at = $3
         where clinic_id = $1 and id = $2 and retired_at is null",
        clinic.0,
        id.0,
        at.to_sqlx() as _,
    )
    .execute(connection)
    .await?;
    Ok(result.rows_affected() == 1)
}
