//! `events`, and `webhook_deliveries`: what happened, and to whom each of it is still to be told.

use crate::{
    events::EventView,
    webhooks::{DeliveryView, Due},
};
use domain::{AppointmentId, ClinicId, PractitionerId, WaitlistEntryId, WaitlistOfferId, WebhookId};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use service::postgres::one_row;
use sqlx::PgConnection;

/// Notes an event about an appointment as it is now. The commit numbers it, and adds a delivery for each webhook.
pub(crate) async fn note(
    connection: &mut PgConnection,
    clinic: ClinicId,
    kind: &str,
    appointment: AppointmentId,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into event_notes (clinic_id, type, appointment_id, data)
         select
             a.clinic_id,
             $3,
             a.id,
             jsonb_build_object(
                 'appointment_id', a.id,
                 'state', a.state,
                 'start', a.starts_at,
                 'end', a.ends_at,
                 'patient_id', a.patient_id,
                 'practitioner_id', a.practitioner_id,
                 'visit_type_id', a.visit_type_id,
                 'version', a.version
             )
         from appointments a
         where a.clinic_id = $1 and a.id = $2",
        clinic.0,
        appointment.0,
        kind,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The same about an entry of the waitlist, and an offer to it.
pub(crate) async fn note_waitlist(
    connection: &mut PgConnection,
    clinic: ClinicId,
    kind: &str,
    entry: WaitlistEntryId,
    offer: Option<WaitlistOfferId>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into event_notes (clinic_id, type, appointment_id, data)
         select
             e.clinic_id,
             $3,
             e.appointment_id,
             jsonb_build_object(
                 'waitlist_entry_id', e.id,
                 'patient_id', e.patient_id,
                 'practitioner_id', coalesce(o.practitioner_id, e.practitioner_id),
                 'visit_type_id', e.visit_type_id,
                 'offer_id', o.id,
                 'start', o.starts_at,
                 'end', o.ends_at,
                 'expires_at', o.expires_at,
                 'appointment_id', e.appointment_id
             )
         from waitlist_entries e
         left join waitlist_offers o on o.clinic_id = e.clinic_id and o.entry_id = e.id and o.id = $4
         where e.clinic_id = $1 and e.id = $2",
        clinic.0,
        entry.0,
        kind,
        offer.map(|id| id.0),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The events after a number, in order; all, or those about a practitioner's appointments.
pub(crate) async fn after(
    connection: &mut PgConnection,
    clinic: ClinicId,
    practitioner: Option<PractitionerId>,
    after: i64,
    limit: i64,
) -> Result<Vec<EventView>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select number, type as kind, occurred_at as "occurred_at: jiff_sqlx::Timestamp", data
           from events
           where clinic_id = $1
             and number > $2
             and ($3::uuid is null or data ->> 'practitioner_id' = $3::uuid::text)
           order by number
           limit $4"#,
        clinic.0,
        after,
        practitioner.map(|id| id.0),
        limit,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| EventView {
            number: row.number,
            kind: row.kind,
            occurred_at: row.occurred_at.to_jiff(),
            data: row.data,
        })
        .collect())
}

/// Throws away the events from before `before`, delivered or not.
pub(crate) async fn purge(
    connection: &mut PgConnection,
    clinic: ClinicId,
    before: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from events where clinic_id = $1 and occurred_at < $2", clinic.0, before.to_sqlx() as _)
        .execute(connection)
        .await?;
    Ok(())
}

/// Takes the next delivery of each webhook, if it is due, for whoever asks until `lease`: when nothing is heard of it by then,
/// somebody else may. Of two that take at once, one waits and finds the delivery gone.
pub(crate) async fn take_due(
    connection: &mut PgConnection,
    clinic: ClinicId,
    now: Timestamp,
    lease: Timestamp,
) -> Result<Vec<Due>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"update webhook_deliveries d
           set attempts = d.attempts + 1, next_attempt_at = $3
           from webhooks w
           cross join lateral (
               select o.event_number
               from webhook_deliveries o
               where o.webhook_id = w.id and o.delivered_at is null and o.given_up_at is null
               order by o.event_number
               limit 1
           ) next
           join events e on e.number = next.event_number
           where w.clinic_id = $1
             and w.disabled_at is null
             and e.clinic_id = $1
             and d.clinic_id = $1
             and d.webhook_id = w.id
             and d.event_number = next.event_number
             and d.next_attempt_at <= $2
             and d.delivered_at is null
             and d.given_up_at is null
           returning
               d.webhook_id as "webhook: WebhookId",
               w.url,
               w.secret,
               w.may_be_private,
               d.attempts,
               e.number,
               e.type as kind,
               e.occurred_at as "occurred_at: jiff_sqlx::Timestamp",
               e.data"#,
        clinic.0,
        now.to_sqlx() as _,
        lease.to_sqlx() as _,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Due {
            webhook: row.webhook,
            url: row.url.into(),
            secret: row.secret.into(),
            may_be_private: row.may_be_private,
            attempts: row.attempts,
            event: EventView {
                number: row.number,
                kind: row.kind,
                occurred_at: row.occurred_at.to_jiff(),
                data: row.data,
            },
        })
        .collect())
}

/// What an attempt came to.
pub(crate) struct Settled<'a> {
    pub(crate) webhook: WebhookId,
    pub(crate) number: i64,
    pub(crate) outcome: &'a str,
    pub(crate) delivered_at: Option<Timestamp>,
    pub(crate) given_up_at: Option<Timestamp>,
    pub(crate) next_attempt_at: Timestamp,
}

/// Notes how an attempt ended.
pub(crate) async fn settle(
    connection: &mut PgConnection,
    clinic: ClinicId,
    settled: &Settled<'_>,
) -> Result<(), sqlx::Error> {
    let result = sqlx::query!(
        "update webhook_deliveries
         set last_outcome = $4, delivered_at = coalesce(delivered_at, $5), given_up_at = $6, next_attempt_at = $7
         where clinic_id = $1 and webhook_id = $2 and event_number = $3",
        clinic.0,
        settled.webhook.0,
        settled.number,
        settled.outcome,
        settled.delivered_at.map(|at| at.to_sqlx()) as _,
        settled.given_up_at.map(|at| at.to_sqlx()) as _,
        settled.next_attempt_at.to_sqlx() as _,
    )
    .execute(connection)
    .await?;
    one_row(&result)
}

/// The newest deliveries of a webhook, newest first.
pub(crate) async fn deliveries(
    connection: &mut PgConnection,
    clinic: ClinicId,
    webhook: WebhookId,
    before: i64,
    limit: i64,
) -> Result<Vec<DeliveryView>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select
               d.event_number as number,
               e.type as kind,
               d.attempts,
               d.last_outcome,
               d.delivered_at as "delivered_at: jiff_sqlx::Timestamp",
               d.given_up_at as "given_up_at: jiff_sqlx::Timestamp"
           from webhook_deliveries d
           join events e on e.clinic_id = d.clinic_id and e.number = d.event_number
           where d.clinic_id = $1 and d.webhook_id = $2 and d.event_number < $3
           order by d.event_number desc
           limit $4"#,
        clinic.0,
        webhook.0,
        before,
        limit,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| DeliveryView {
            number: row.number,
            kind: row.kind,
            attempts: row.attempts,
            last_outcome: row.last_outcome,
            delivered_at: row.delivered_at.map(jiff_sqlx::Timestamp::to_jiff),
            given_up_at: row.given_up_at.map(jiff_sqlx::Timestamp::to_jiff),
        })
        .collect())
}
