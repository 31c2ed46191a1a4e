//! Mail that was decided on is sent, whatever fails in between; and the mailbox of the demo.

use crate::{tables, tables::outbox::Letter};
use anyhow::Context as _;
use domain::{Actor, AppointmentId, ClinicId, Clock, Redacted, Who};
use jiff::{SignedDuration, Timestamp};
use lettre::{
    AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor,
    message::{Mailbox as Address, header::ContentType},
};
use service::{
    audit::{self, AuditEvent},
    postgres::Db,
};
use std::time::Duration;
use uuid::Uuid;

/// The most mails of one clinic in one round, so that no clinic keeps the others waiting.
const BATCH: usize = 50;

/// How long an SMTP server may take for one step. The mail's row stays locked meanwhile.
const SMTP_TIMEOUT: Duration = Duration::from_secs(10);

/// After this many attempts, about a day, somebody has to look.
const MAX_ATTEMPTS: i32 = 30;

/// Where mail goes.
#[derive(Debug, Clone)]
pub enum Mailer {
    /// An SMTP server.
    Smtp {
        /// The connection, made when first used.
        transport: AsyncSmtpTransport<Tokio1Executor>,
        /// The sender.
        from: Address,
    },
    /// The demo's mailbox page.
    Mailbox,
    /// Nowhere: mail waits in the outbox until a server is named.
    Nowhere,
}

impl Mailer {
    /// An SMTP server at `smtp://user:password@host:587?tls=required` or `smtps://…`; mail comes from
    /// `from`, `Riverside Family Clinic <visits@example.org>`.
    pub fn smtp(url: &Redacted<String>, from: &str) -> anyhow::Result<Self> {
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(url.expose()).map_err(|_| {
            // The error's own text may quote the address, which holds a password.
            anyhow::anyhow!("SMTP_URL is not an address like smtps://user:password@host")
        })?;
        let transport = builder.timeout(Some(SMTP_TIMEOUT)).build();
        Ok(Self::Smtp { transport, from: from.parse().context("the sender is not an e-mail address")? })
    }
}

/// A mail in the demo's mailbox.
#[derive(Clone)]
pub struct Mail {
    /// Which.
    pub id: Uuid,
    /// The appointment it is about.
    pub appointment: AppointmentId,
    /// The address.
    pub recipient: String,
    /// The subject.
    pub subject: String,
    /// Plain text.
    pub body: String,
    /// When it landed.
    pub delivered_at: Timestamp,
}

/// The demo's mailbox of this clinic, newest first, at most 100.
pub async fn mailbox(db: &Db, by: &Actor) -> Result<Vec<Mail>, sqlx::Error> {
    if matches!(by.who, Who::Patient { .. }) {
        return Ok(Vec::new());
    }
    tables::mailbox::list(&mut *db.begin(by).await?, by.clinic).await
}

/// Sends what is due in one clinic, at most fifty mails; says how many were sent.
///
/// A mail is marked in the transaction that took it: if the process dies in between it is sent again, never forgotten.
pub async fn deliver_due(db: &Db, clock: &dyn Clock, mailer: &Mailer, clinic: ClinicId) -> anyhow::Result<usize> {
    if matches!(mailer, Mailer::Nowhere) {
        return Ok(0);
    }
    let by = Actor { clinic, who: Who::Service("scheduler") };
    let mut sent = 0;
    for _ in 0..BATCH {
        match deliver_one(db, clock, mailer, &by).await? {
            Outcome::Sent => sent += 1,
            Outcome::Failed => {}
            Outcome::NothingDue => break,
        }
    }
    Ok(sent)
}

enum Outcome {
    Sent,
    Failed,
    NothingDue,
}

async fn deliver_one(db: &Db, clock: &dyn Clock, mailer: &Mailer, by: &Actor) -> anyhow::Result<Outcome> {
    let mut tx = db.begin(by).await?;
    let now = clock.now();
    let Some(letter) = tables::outbox::take_due(&mut tx, by.clinic, now).await? else {
        return Ok(Outcome::NothingDue);
    };
    let is_sent = match mailer {
        Mailer::Smtp { transport, from } => post(transport, from, &letter).await,
        Mailer::Mailbox => {
            tables::mailbox::deliver(&mut tx, by.clinic, &letter, now).await?;
            true
        }
        Mailer::Nowhere => false,
    };
    if is_sent {
        tables::outbox::mark_sent(&mut tx, by.clinic, letter.id, now).await?;
    } else {
        put_off(&mut tx, by, &letter, now).await?;
    }
    tx.commit().await?;
    Ok(if is_sent { Outcome::Sent } else { Outcome::Failed })
}

/// Gives a mail to the SMTP server; whether it took it.
async fn post(transport: &AsyncSmtpTransport<Tokio1Executor>, from: &Address, letter: &Letter) -> bool {
    let Ok(recipient) = letter.recipient.parse::<Address>() else {
        tracing::warn!(mail.id = %letter.id, "the recipient's address cannot be written to");
        return false;
    };
    let message = Message::builder()
        .from(from.clone())
        .to(recipient)
        .subject(&letter.subject)
        .header(ContentType::TEXT_PLAIN)
        .body(letter.body.clone())
        .expect("a message with sender and recipient is complete");
    match transport.send(message).await {
        Ok(_) => true,
        Err(error) => {
            // The error's text may quote the recipient.
            let is_permanent = error.is_permanent();
            tracing::warn!(mail.id = %letter.id, attempt = letter.attempts + 1, is_permanent, "mail was not taken");
            false
        }
    }
}

async fn put_off(
    connection: &mut sqlx::PgConnection,
    by: &Actor,
    letter: &Letter,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let is_last = letter.attempts + 1 >= MAX_ATTEMPTS;
    let next = now + pause_after(letter.attempts);
    tables::outbox::mark_failed(connection, by.clinic, letter.id, next, is_last.then_some(now)).await?;
    if is_last {
        tracing::error!(mail.id = %letter.id, "mail was given up");
        let event = AuditEvent::new("mail.given_up").appointment(letter.appointment);
        audit::record(connection, by, event).await?;
    }
    Ok(())
}

/// Half a minute after the first failure, then twice as long each time, an hour at most.
fn pause_after(attempts: i32) -> SignedDuration {
    let doublings = u32::try_from(attempts).unwrap_or(0).min(7);
    SignedDuration::from_secs(30 * 2_i64.pow(doublings)).min(SignedDuration::from_hours(1))
}
