//! The scheduler as a process: sends what is due, marks who did not come, throws away what has expired.

use crate::{
    appointment::practitioner_of,
    events,
    messages::{Carriers, Channel, deliver_due},
    missed::mark_missed,
    self_booking, tables,
    waitlist::{pass_on, tell as tell_of_offers},
    webhooks::{WebhookSender, tell_webhooks},
};
use domain::{Actor, AppointmentId, ClinicId, Clock, PractitionerId, Who};
use jiff::SignedDuration;
use service::{keys::OfferLinkKey, postgres::Db};
use std::{future::Future, pin::Pin, sync::Arc, time::Duration};
use tokio::{
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

/// How often the outbox is looked at: a link is in the mail while the patient is still on the phone.
const OUTBOX_EVERY: Duration = Duration::from_secs(1);

/// How often webhooks are told: programs hear of a booking while people still look at it.
const WEBHOOKS_EVERY: Duration = Duration::from_secs(1);

/// The clinics whose webhooks are told at once: one receiver that does not answer keeps few others waiting.
const CLINICS_TOLD_AT_ONCE: usize = 4;

/// How often missed appointments are looked for. Nobody waits for it.
const MISSED_EVERY: Duration = Duration::from_secs(15);

/// How often offers are told, and those without an answer fall through: whoever is asked next has the more time.
const OFFERS_EVERY: Duration = Duration::from_secs(5);

/// How often expired rows are thrown away. They are refused with or without.
const PURGE_EVERY: Duration = Duration::from_secs(600);

/// How long expired rows stay, for whoever wonders why somebody was refused.
const KEPT_AFTER_EXPIRY: SignedDuration = SignedDuration::from_hours(24);

/// How long a request that is sent again is known again: over a weekend.
const KEYS_KEPT: SignedDuration = SignedDuration::from_hours(72);

/// What the scheduler needs.
#[derive(Clone)]
pub struct SchedulerConfig {
    /// The database.
    pub db: Db,
    /// The present.
    pub clock: Arc<dyn Clock>,
    /// What messages are sent with.
    pub carriers: Carriers,
    /// Calls webhooks.
    pub webhooks: WebhookSender,
    /// Signs the links of waitlist offers.
    pub offer_link: OfferLinkKey,
    /// Told what the passing of time has changed.
    pub announce: Announce,
}

/// Told of each appointment that the passing of time has changed, and whose it is, after the commit: open pages read again. It may
/// lose everything, since they also do so every few seconds.
pub type Announce =
    Arc<dyn Fn(ClinicId, PractitionerId, AppointmentId) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// Where no page is open.
pub fn to_nobody() -> Announce {
    Arc::new(|_, _, _| Box::pin(std::future::ready(())))
}

/// Works until `shutdown`, then ends after the piece of work in hand. Any number of schedulers may run.
///
/// A failure is logged and tried again in the next round.
pub async fn run(config: SchedulerConfig, shutdown: CancellationToken) -> anyhow::Result<()> {
    tokio::join!(
        // A mail server that is slow to fail keeps no text message waiting.
        every(OUTBOX_EVERY, &shutdown, "sending e-mail failed", || send_by(&config, Channel::Email)),
        every(OUTBOX_EVERY, &shutdown, "sending text messages failed", || send_by(&config, Channel::Sms)),
        every(MISSED_EVERY, &shutdown, "marking missed appointments failed", || miss(&config)),
        every(WEBHOOKS_EVERY, &shutdown, "telling webhooks failed", || tell(&config)),
        every(OFFERS_EVERY, &shutdown, "passing offers of the waitlist on failed", || offer(&config)),
        every(PURGE_EVERY, &shutdown, "purging failed", || purge(&config)),
    );
    Ok(())
}

/// Does `work` at once and then once a `period`, one after the other.
async fn every<F: Future<Output = anyhow::Result<()>>>(
    period: Duration,
    shutdown: &CancellationToken,
    failure: &'static str,
    mut work: impl FnMut() -> F,
) {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut has_failed = false;
    loop {
        tokio::select! {
            biased;
            () = shutdown.cancelled() => return,
            _ = ticks.tick() => {}
        }
        let result = work().await;
        // Once per outage, not once a second.
        if let (Err(error), false) = (&result, has_failed) {
            tracing::warn!(reason = %error, failure, "the scheduler could not do its round");
        }
        has_failed = result.is_err();
    }
}

/// One round of the outbox, over all clinics and channels.
pub async fn send(config: &SchedulerConfig) -> anyhow::Result<()> {
    send_by(config, Channel::Email).await?;
    send_by(config, Channel::Sms).await
}

async fn send_by(config: &SchedulerConfig, channel: Channel) -> anyhow::Result<()> {
    for clinic in clinics(&config.db).await? {
        deliver_due(&config.db, &*config.clock, &config.carriers, clinic, channel).await?;
    }
    Ok(())
}

/// One round of telling webhooks what happened, over all clinics.
pub async fn tell(config: &SchedulerConfig) -> anyhow::Result<()> {
    let mut rounds = JoinSet::new();
    for clinic in clinics(&config.db).await? {
        if rounds.len() >= CLINICS_TOLD_AT_ONCE
            && let Some(round) = rounds.join_next().await
        {
            round??;
        }
        let config = config.clone();
        rounds.spawn(async move { tell_webhooks(&config.db, &*config.clock, &config.webhooks, clinic).await });
    }
    while let Some(round) = rounds.join_next().await {
        round??;
    }
    Ok(())
}

/// One round of marking missed appointments, over all clinics.
pub async fn miss(config: &SchedulerConfig) -> anyhow::Result<()> {
    for clinic in clinics(&config.db).await? {
        for appointment in mark_missed(&config.db, &*config.clock, &actor(clinic)).await? {
            if let Some(practitioner) = practitioner_of(&config.db, &actor(clinic), appointment).await? {
                (config.announce)(clinic, practitioner, appointment).await;
            }
        }
    }
    Ok(())
}

/// One round of the waitlist, over all clinics: offers without an answer go to the next, and whoever is offered a time is told.
pub async fn offer(config: &SchedulerConfig) -> anyhow::Result<()> {
    for clinic in clinics(&config.db).await? {
        pass_on(&config.db, &*config.clock, &actor(clinic)).await?;
        tell_of_offers(&config.db, &*config.clock, &config.offer_link, &actor(clinic)).await?;
    }
    Ok(())
}

/// One round of throwing away what has expired, over all clinics.
pub async fn purge(config: &SchedulerConfig) -> anyhow::Result<()> {
    let before = config.clock.now() - KEPT_AFTER_EXPIRY;
    for clinic in clinics(&config.db).await? {
        let mut tx = config.db.begin(&actor(clinic)).await?;
        tables::join_tokens::purge(&mut tx, clinic, before).await?;
        tables::visit_sessions::purge(&mut tx, clinic, before).await?;
        tables::sessions::purge(&mut tx, clinic, before).await?;
        tables::holds::purge(&mut tx, clinic, KEPT_AFTER_EXPIRY).await?;
        tables::idempotency_keys::purge(&mut tx, clinic, KEYS_KEPT).await?;
        tables::events::purge(&mut tx, clinic, config.clock.now() - events::KEPT).await?;
        tables::self_bookings::purge(&mut tx, clinic, config.clock.now() - self_booking::GOOD_FOR).await?;
        tables::self_booking_attempts::purge(&mut tx, clinic, before).await?;
        tx.commit().await?;
    }
    let mut tx = config.db.anonymous().await?;
    tables::sessions::purge_attempts(&mut tx, before).await?;
    tx.commit().await?;
    Ok(())
}

async fn clinics(db: &Db) -> Result<Vec<ClinicId>, sqlx::Error> {
    tables::clinics::all(&mut *db.door().await?).await
}

fn actor(clinic: ClinicId) -> Actor {
    Actor { clinic, who: Who::Service("scheduler") }
}
