//! Workers send what is due, whatever fails in between.
//!
//! Exactly once, and what that costs. A row of the outbox is taken with `for update skip locked`, so it has one worker at a time, and
//! the mark is written in the transaction that took it. In the demo the mailbox is written in the same transaction: exactly once, whatever
//! dies. A mail server or a provider of text messages is outside of any transaction: if the process dies after they took the
//! message and before the commit, it is sent again. Between a reminder twice and none at all we choose twice; both carry the
//! message's own id (`Message-ID`, `webhook-id`), by which a provider, or a reader's mail program, knows the second for the first.

use super::{
    Channel, Invitation, Links, Mail, Mailer, MessageKind, MessageState, Method, Problem, Sms, Texts,
    email::{self, Email},
    letter::{Facts, Letter, letter},
    stale::{Due, objection},
    write,
};
use crate::{
    tables,
    tables::outbox::{Taken, TakenVisit},
    views::ClinicView,
};
use domain::{Actor, ClinicId, Clock, Who};
use jiff::{SignedDuration, Timestamp};
use lettre::message::Mailbox;
use service::{
    audit::{self, AuditEvent},
    postgres::Db,
};
use sqlx::PgConnection;

/// The most messages of one clinic in one round, so that no clinic keeps the others waiting.
const BATCH: usize = 50;

/// After this many attempts, about a day, somebody has to look.
const MAX_ATTEMPTS: i32 = 30;

/// What messages are sent with.
#[derive(Debug, Clone)]
pub struct Carriers {
    email: Mailer,
    texts: Texts,
    links: Links,
    from: Mailbox,
}

impl Carriers {
    /// E-mail comes from `from`, `Riverside Family Clinic <visits@example.org>`, which also invites to the calendar.
    ///
    /// # Errors
    /// When `from` is not an address.
    pub fn new(email: Mailer, texts: Texts, links: Links, from: &str) -> anyhow::Result<Self> {
        Ok(Self { email, texts, links, from: email::sender(from)? })
    }
}

/// Why a carrier did not take a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// Not now.
    ForNow,
    /// Never.
    ForGood,
}

/// Sends what is due on one channel of one clinic, at most fifty messages; says how many were sent.
///
/// The round ends at the first message that a server cannot take now: the others would only wait for the same server.
pub async fn deliver_due(
    db: &Db,
    clock: &dyn Clock,
    carriers: &Carriers,
    clinic: ClinicId,
    channel: Channel,
) -> anyhow::Result<usize> {
    if channel == Channel::Email && matches!(carriers.email, Mailer::Nowhere) {
        return Ok(0);
    }
    let by = Actor { clinic, who: Who::Service("scheduler") };
    let mut sent = 0;
    for _ in 0..BATCH {
        match deliver_one(db, clock, carriers, &by, channel).await? {
            Some(Outcome::Sent) => sent += 1,
            Some(Outcome::Skipped(_) | Outcome::Failed(_)) => {}
            Some(Outcome::PutOff) | None => break,
        }
    }
    Ok(sent)
}

/// What becomes of a message that was due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Sent,
    Skipped(Problem),
    Failed(Problem),
    PutOff,
}

/// Takes one message, sends it and writes down what became of it, in one transaction. `None` when nothing is due.
async fn deliver_one(
    db: &Db,
    clock: &dyn Clock,
    carriers: &Carriers,
    by: &Actor,
    channel: Channel,
) -> anyhow::Result<Option<Outcome>> {
    let mut tx = db.begin(by).await?;
    let now = clock.now();
    let Some(message) = tables::outbox::take_due(&mut tx, by.clinic, channel, now).await? else {
        return Ok(None);
    };
    let outcome = match objection(&due(&message), now) {
        Some(problem) => Outcome::Skipped(problem),
        None => send(&mut tx, carriers, by.clinic, &message, now).await?,
    };
    write_down(&mut tx, by, &message, outcome, now).await?;
    tx.commit().await?;
    Ok(Some(outcome))
}

fn due(message: &Taken) -> Due<'_> {
    Due {
        kind: message.kind,
        ahead_minutes: message.ahead_minutes,
        version: message.version,
        due_at: message.due_at,
        expires_at: message.expires_at,
        visit: message.visit.map(|visit| visit.now),
        reminder_minutes: &message.reminder_minutes,
    }
}

/// Writes the message out and gives it to whoever carries it.
async fn send(
    connection: &mut PgConnection,
    carriers: &Carriers,
    clinic: ClinicId,
    message: &Taken,
    now: Timestamp,
) -> Result<Outcome, sqlx::Error> {
    let Some(to) = &message.to else {
        return Ok(Outcome::Skipped(Problem::NoAddress));
    };
    let clinic = tables::clinics::get(connection, clinic).await?;
    let mail = written(carriers, &clinic, message, to, now);
    let taken = match (message.channel, &carriers.email, &carriers.texts) {
        (Channel::Email, Mailer::Mailbox, _) | (Channel::Sms, _, Texts::Mailbox) => {
            tables::mailbox::deliver(connection, clinic.id, &mail).await?;
            Ok(())
        }
        (Channel::Email, Mailer::Smtp(transport), _) => {
            email::post(transport, email_of(carriers, message.kind, to, mail)).await
        }
        (Channel::Sms, _, Texts::Provider(provider)) => {
            let sms = Sms { id: mail.id, to, text: &mail.body };
            provider.send(sms, now).await.map_err(Failure::from)
        }
        (Channel::Email, Mailer::Nowhere, _) => Err(Failure::ForNow),
        (Channel::Sms, _, Texts::Nowhere) => return Ok(Outcome::Skipped(Problem::NoService)),
    };
    Ok(match taken {
        Ok(()) => Outcome::Sent,
        Err(Failure::ForGood) => Outcome::Failed(Problem::Refused),
        Err(Failure::ForNow) if message.attempts + 1 >= MAX_ATTEMPTS => Outcome::Failed(Problem::GivenUp),
        Err(Failure::ForNow) => Outcome::PutOff,
    })
}

/// The message as its channel carries it.
fn written(carriers: &Carriers, clinic: &ClinicView, message: &Taken, to: &str, now: Timestamp) -> Mail {
    let links = &carriers.links;
    let visit = message.visit.map(|visit| links.visit(visit.appointment, visit.link_version));
    let letter = letter(&Facts {
        kind: message.kind,
        ahead_minutes: message.ahead_minutes,
        clinic,
        starts_at: message.starts_at,
        expires_at: message.expires_at,
        zone: message.zone.as_ref(),
        link: visit.or_else(|| message.path.as_deref().map(|path| links.address_of(path))),
        answer: message.visit.map(|visit| links.answer(visit.appointment, visit.link_version)),
    });
    let is_email = message.channel == Channel::Email;
    let Letter { subject, short, .. } = &letter;
    Mail {
        id: message.id,
        channel: message.channel,
        appointment: message.visit.map(|visit| visit.appointment),
        recipient: to.to_owned(),
        subject: if is_email { subject.clone() } else { String::new() },
        body: if is_email { write::text(&letter, &clinic.name) } else { short.clone() },
        html: is_email.then(|| write::html(&letter, &clinic.name)),
        calendar: message
            .visit
            .filter(|_| is_email)
            .and_then(|visit| invitation(carriers, clinic, message, visit, now)),
        delivered_at: now,
    }
}

/// The calendar's part of what a message of this kind says.
const fn method(kind: MessageKind) -> Option<Method> {
    match kind {
        MessageKind::Confirmation | MessageKind::Change => Some(Method::Request),
        MessageKind::Cancellation => Some(Method::Cancel),
        MessageKind::Reminder | MessageKind::Link | MessageKind::WaitlistOffer | MessageKind::SelfBooking => None,
    }
}

fn invitation(
    carriers: &Carriers,
    clinic: &ClinicView,
    message: &Taken,
    visit: TakenVisit,
    now: Timestamp,
) -> Option<String> {
    let invitation = Invitation {
        method: method(message.kind)?,
        appointment: visit.appointment,
        sequence: visit.now.sequence,
        starts_at: visit.now.starts_at,
        ends_at: visit.ends_at,
        written_at: now,
        clinic: &clinic.name,
        organizer: carriers.from.email.as_ref(),
        host: carriers.links.host(),
    };
    Some(invitation.to_ics())
}

fn email_of<'a>(carriers: &'a Carriers, kind: MessageKind, to: &'a str, mail: Mail) -> Email<'a> {
    Email {
        id: mail.id,
        host: carriers.links.host(),
        from: &carriers.from,
        to,
        subject: mail.subject,
        text: mail.body,
        html: mail.html.unwrap_or_default(),
        invitation: mail.calendar.zip(method(kind).map(Method::as_str)),
    }
}

async fn write_down(
    connection: &mut PgConnection,
    by: &Actor,
    message: &Taken,
    outcome: Outcome,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let (state, problem) = match outcome {
        Outcome::Sent => (MessageState::Sent, None),
        Outcome::Skipped(problem) => (MessageState::Skipped, Some(problem)),
        Outcome::Failed(problem) => (MessageState::Failed, Some(problem)),
        Outcome::PutOff => {
            tracing::warn!(message.id = %message.id, attempt = message.attempts + 1, "a message was not taken");
            let next = now + pause_after(message.attempts);
            return tables::outbox::put_off(connection, by.clinic, message.id, next).await;
        }
    };
    tables::outbox::settle(connection, by.clinic, message, state, problem, now).await?;
    if state == MessageState::Failed {
        tracing::error!(message.id = %message.id, "a message was given up");
        let event = AuditEvent::new("message.given_up");
        let event = match message.visit {
            Some(visit) => event.appointment(visit.appointment),
            None => event,
        };
        audit::record(connection, by, event).await?;
    }
    Ok(())
}

/// Half a minute after the first failure, then twice as long each time, an hour at most.
fn pause_after(attempts: i32) -> SignedDuration {
    let doublings = u32::try_from(attempts).unwrap_or(0).min(7);
    SignedDuration::from_secs(30 * 2_i64.pow(doublings)).min(SignedDuration::from_hours(1))
}
