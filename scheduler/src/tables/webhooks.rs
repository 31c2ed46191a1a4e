//! `webhooks`: who is told.

use crate::webhooks::WebhookView;
use domain::{ClinicId, WebhookId};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;

/// A webhook to be written.
pub(crate) struct New<'a> {
    pub(crate) id: WebhookId,
    pub(crate) url: &'a str,
    pub(crate) secret: &'a str,
    pub(crate) may_be_private: bool,
    pub(crate) created_at: Timestamp,
}

/// Adds a webhook unless the clinic has `max` that are told; whether it was added.
pub(crate) async fn add(
    connection: &mut PgConnection,
    clinic: ClinicId,
    new: &New<'_>,
    max: i64,
) -> Result<bool, sqlx::Error> {
    let result = sqlx::query!(
        "insert into webhooks (clinic_id, id, url, secret, may_be_private, created_at)
         select $1, $2, $3, $4, $5, $6
         where (select count(*) from webhooks where clinic_id = $1 and disabled_at is null) < $7",
        clinic.0,
        new.id.0,
        new.url,
        new.secret,
        new.may_be_private,
        new.created_at.to_sqlx() as _,
        max,
    )
    .execute(connection)
    .await?;
    Ok(result.rows_affected() == 1)
}

/// Tells a webhook nothing any more; whether it was told before.
pub(crate) async fn disable(
    connection: &mut PgConnection,
    clinic: ClinicId,
    id: WebhookId,
    at: Timestamp,
) -> Result<bool, sqlx::Error> {
    let result = sqlx::query!(
        "update webhooks set disabled_at = $3 where clinic_id = $1 and id = $2 and disabled_at is null",
        clinic.0,
        id.0,
        at.to_sqlx() as _,
    )
    .execute(connection)
    .await?;
    Ok(result.rows_affected() == 1)
}

/// The clinic's webhooks with how far each was told, in the order of (when made, id), after one of them.
pub(crate) async fn list(
    connection: &mut PgConnection,
    clinic: ClinicId,
    after: Option<(Timestamp, WebhookId)>,
    limit: i64,
) -> Result<Vec<WebhookView>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select
               w.id as "id: WebhookId",
               w.url,
               w.may_be_private,
               w.created_at as "created_at: jiff_sqlx::Timestamp",
               w.disabled_at as "disabled_at: jiff_sqlx::Timestamp",
               told.waiting as "waiting!",
               told.given_up as "given_up!",
               told.last_delivered_at as "last_delivered_at: jiff_sqlx::Timestamp",
               next.last_outcome as "last_outcome?"
           from webhooks w
           cross join lateral (
               select
                   count(*) filter (where d.delivered_at is null and d.given_up_at is null) as waiting,
                   count(*) filter (where d.given_up_at is not null) as given_up,
                   max(d.delivered_at) as last_delivered_at
               from webhook_deliveries d
               where d.webhook_id = w.id
           ) told
           left join lateral (
               select d.last_outcome
               from webhook_deliveries d
               where d.webhook_id = w.id and d.delivered_at is null and d.given_up_at is null
               order by d.event_number
               limit 1
           ) next on true
           where w.clinic_id = $1
             and ($2::timestamptz is null or (w.created_at, w.id) > ($2, $3))
           order by w.created_at, w.id
           limit $4"#,
        clinic.0,
        after.map(|(at, _)| at.to_sqlx()) as _,
        after.map(|(_, id)| id.0),
        limit,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| WebhookView {
            id: row.id,
            url: row.url,
            may_be_private: row.may_be_private,
            created_at: row.created_at.to_jiff(),
            disabled_at: row.disabled_at.map(jiff_sqlx::Timestamp::to_jiff),
            waiting: row.waiting,
            given_up: row.given_up,
            last_delivered_at: row.last_delivered_at.map(jiff_sqlx::Timestamp::to_jiff),
            last_outcome: row.last_outcome,
        })
        .collect())
}

/// Whether the webhook is one of the clinic's.
pub(crate) async fn exists(
    connection: &mut PgConnection,
    clinic: ClinicId,
    id: WebhookId,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select exists (select from webhooks where clinic_id = $1 and id = $2) as "exists!""#,
        clinic.0,
        id.0,
    )
    .fetch_one(connection)
    .await
}
