//! Webhooks: addresses that are told of every event, signed as Standard Webhooks says, at least once and in order.
//!
//! A delivery is written in the transaction of its event. The scheduler sends them one after the other, so that while one
//! fails the later ones wait; an event that could not be told for a day is given up, and stays visible as such.

mod sender;
mod target;

pub use sender::WebhookSender;
pub use target::{TargetError, is_public};

use crate::{
    back_off::pause_after,
    events::EventView,
    tables::{self, events::Settled},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::{Actor, ClinicId, Clock, Random, Redacted, Role, WebhookId, Who};
use jiff::{SignedDuration, Timestamp};
use sender::Outcome;
use service::{
    audit::{self, AuditEvent},
    postgres::Db,
};
use tokio::task::JoinSet;

/// The webhooks of one clinic that are told at once.
pub const MAX_WEBHOOKS: i64 = 20;

/// The most events of one webhook in one round, so that no clinic keeps the others waiting.
const BATCH: usize = 50;

/// How long nobody else sends what one process has taken: longer than an attempt may last.
const LEASE: SignedDuration = SignedDuration::from_secs(60);

/// So long after it happened an event is still told. Later attempts are the last.
const TOLD_WITHIN: SignedDuration = SignedDuration::from_hours(24);

/// How long after the first failure an event is told again.
const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(5);

/// A webhook with how far it was told.
#[derive(Debug, Clone)]
pub struct WebhookView {
    /// Which.
    pub id: WebhookId,
    /// The address.
    pub url: String,
    /// An administrator allowed an address within the house.
    pub may_be_private: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// Since when it is told nothing.
    pub disabled_at: Option<Timestamp>,
    /// Events it is still to be told.
    pub waiting: i64,
    /// Events it could not be told within a day.
    pub given_up: i64,
    /// When it was last told something.
    pub last_delivered_at: Option<Timestamp>,
    /// What the last attempt at the event that waits came to.
    pub last_outcome: Option<String>,
}

/// One event on its way to one webhook.
#[derive(Debug, Clone)]
pub struct DeliveryView {
    /// The event's number.
    pub number: i64,
    /// `appointment.booked`, …
    pub kind: String,
    /// How often it was tried.
    pub attempts: i32,
    /// What the last attempt came to.
    pub last_outcome: Option<String>,
    /// When it was told.
    pub delivered_at: Option<Timestamp>,
    /// When it was given up.
    pub given_up_at: Option<Timestamp>,
}

/// A webhook to be made.
#[derive(Debug, Clone)]
pub struct NewWebhook {
    /// The address.
    pub url: String,
    /// An address within the house is meant, and plain HTTP is enough.
    pub allow_private: bool,
}

/// Why a webhook was not made or disabled.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// Only administrators make and disable webhooks.
    #[error("only an administrator makes webhooks")]
    NotAllowed,
    /// The address cannot be told.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// The clinic has [`MAX_WEBHOOKS`] already.
    #[error("there are too many webhooks")]
    TooMany,
    /// Not a webhook of this clinic that is told.
    #[error("there is no such webhook")]
    NotFound,
    /// Postgres failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// What is to be sent now.
pub(crate) struct Due {
    pub(crate) webhook: WebhookId,
    /// May hold a token of the receiver's: never logged.
    pub(crate) url: Redacted<String>,
    pub(crate) secret: Redacted<String>,
    pub(crate) may_be_private: bool,
    /// This attempt included.
    pub(crate) attempts: i32,
    pub(crate) event: EventView,
}

/// The clinic's webhooks in the order in which they were made, after one of them. Empty for anybody but an administrator.
pub async fn webhooks(
    db: &Db,
    by: &Actor,
    after: Option<(Timestamp, WebhookId)>,
    limit: i64,
) -> Result<Vec<WebhookView>, sqlx::Error> {
    if by.who.role() != Some(Role::Administrator) {
        return Ok(Vec::new());
    }
    tables::webhooks::list(&mut *db.begin(by).await?, by.clinic, after, limit).await
}

/// At most `limit` deliveries of a webhook, newest first, of events before number `before`.
pub async fn webhook_deliveries(
    db: &Db,
    by: &Actor,
    id: WebhookId,
    before: i64,
    limit: i64,
) -> Result<Vec<DeliveryView>, WebhookError> {
    if by.who.role() != Some(Role::Administrator) {
        return Err(WebhookError::NotAllowed);
    }
    let mut tx = db.begin(by).await?;
    if !tables::webhooks::exists(&mut tx, by.clinic, id).await? {
        return Err(WebhookError::NotFound);
    }
    Ok(tables::events::deliveries(&mut tx, by.clinic, id, before, limit).await?)
}

/// Makes a webhook, which is told of everything from here on; returns the secret that signs it, this once.
pub async fn create_webhook(
    db: &Db,
    clock: &dyn Clock,
    random: &dyn Random,
    by: &Actor,
    new: NewWebhook,
) -> Result<(WebhookId, Redacted<String>), WebhookError> {
    if by.who.role() != Some(Role::Administrator) {
        return Err(WebhookError::NotAllowed);
    }
    let url = target::check(&new.url, new.allow_private).await?;
    let mut bytes = [0; 32];
    random.fill(&mut bytes);
    let secret = Redacted::new(format!("whsec_{}", STANDARD.encode(bytes)));
    let id = WebhookId(random.uuid());
    let row = tables::webhooks::New {
        id,
        url: url.as_str(),
        secret: secret.expose(),
        may_be_private: new.allow_private,
        created_at: clock.now(),
    };
    let mut tx = db.begin(by).await?;
    if !tables::webhooks::add(&mut tx, by.clinic, &row, MAX_WEBHOOKS).await? {
        return Err(WebhookError::TooMany);
    }
    let detail = serde_json::json!({ "webhook": id, "allow_private": new.allow_private });
    audit::record(&mut tx, by, AuditEvent::new("webhook.made").detail(detail)).await?;
    tx.commit().await?;
    Ok((id, secret))
}

/// Tells a webhook nothing any more.
pub async fn disable_webhook(db: &Db, clock: &dyn Clock, by: &Actor, id: WebhookId) -> Result<(), WebhookError> {
    if by.who.role() != Some(Role::Administrator) {
        return Err(WebhookError::NotAllowed);
    }
    let mut tx = db.begin(by).await?;
    if !tables::webhooks::disable(&mut tx, by.clinic, id, clock.now()).await? {
        return Err(WebhookError::NotFound);
    }
    let detail = serde_json::json!({ "webhook": id });
    audit::record(&mut tx, by, AuditEvent::new("webhook.disabled").detail(detail)).await?;
    tx.commit().await?;
    Ok(())
}

/// Tells the webhooks of one clinic what is due, all of them at once; says how many events were told.
///
/// What is sent is taken before and marked after, each in a transaction of its own: no connection waits for a slow receiver,
/// and if the process dies in between it is sent again.
pub async fn tell_webhooks(
    db: &Db,
    clock: &dyn Clock,
    sender: &WebhookSender,
    clinic: ClinicId,
) -> Result<usize, sqlx::Error> {
    let by = Actor { clinic, who: Who::Service("scheduler") };
    let mut told = 0;
    for _ in 0..BATCH {
        let now = clock.now();
        let mut tx = db.begin(&by).await?;
        let due = tables::events::take_due(&mut tx, clinic, now, now + LEASE).await?;
        tx.commit().await?;
        if due.is_empty() {
            break;
        }
        told += send_all(db, clock, sender, &by, due).await?;
    }
    Ok(told)
}

async fn send_all(
    db: &Db,
    clock: &dyn Clock,
    sender: &WebhookSender,
    by: &Actor,
    due: Vec<Due>,
) -> Result<usize, sqlx::Error> {
    let mut attempts = JoinSet::new();
    for due in due {
        let (sender, at) = (sender.clone(), clock.now());
        attempts.spawn(async move { (sender.send(&due, at).await, due) });
    }
    let mut told = 0;
    while let Some(attempt) = attempts.join_next().await {
        let (outcome, due) = attempt.expect("sending does not panic and is not cancelled");
        told += usize::from(outcome == Outcome::Told);
        settle(db, clock, by, &due, outcome).await?;
    }
    Ok(told)
}

async fn settle(db: &Db, clock: &dyn Clock, by: &Actor, due: &Due, outcome: Outcome) -> Result<(), sqlx::Error> {
    let now = clock.now();
    let is_told = outcome == Outcome::Told;
    let is_last = !is_told && now.duration_since(due.event.occurred_at) >= TOLD_WITHIN;
    if !is_told {
        let outcome = outcome.to_string();
        tracing::warn!(webhook.id = %due.webhook, attempt = due.attempts, outcome, is_last, "a webhook was not told");
    }
    let settled = Settled {
        webhook: due.webhook,
        number: due.event.number,
        outcome: &outcome.to_string(),
        delivered_at: is_told.then_some(now),
        given_up_at: is_last.then_some(now),
        next_attempt_at: now + pause_after(due.attempts - 1, FIRST_PAUSE),
    };
    let mut tx = db.begin(by).await?;
    tables::events::settle(&mut tx, by.clinic, &settled).await?;
    tx.commit().await
}
