//! Workers send what is due, whatever fails in between.
//!
//! Exactly once, and what that costs. A row of the outbox is taken with `for update skip locked`, so it has one worker at a time, and
//! the mark is written in the transaction that took it. In the demo the mailbox is written in the same transaction: exactly once, whatever
//! dies. A mail server or a provider of text messages is outside of any transaction: if the process dies after they took the
//! message and before the commit, it is sent again. Between a reminder twice and none at all we choose twice; both carry the
//! message's own id (`Message-ID`, `webhook-id`), by which a provider, or a reader's mail program, knows the second for the first.

use super::{
    CalendarFile, Channel, Invitation, Links, Mail, Mailer, MessageKind, MessageState, Method, Problem, Sms, Texts,
    email::{self, Email},
    letter::{Facts, Letter, letter},
    stale::{Due, objection},
    write,
};
use crate::{
    back_off::pause_after,
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

/// How long after the first failure a message is tried again.
const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(30);

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
    let about = about(&mut tx, by.clinic, &message, now).await?;
    let outcome = match &about {
        Err(problem) => Outcome::Skipped(*problem),
        Ok(visits) => send(&mut tx, carriers, by.clinic, &message, visits, now).await?,
    };
    write_down(&mut tx, by, &message, about.unwrap_or_default().first(), outcome, now).await?;
    tx.commit().await?;
    Ok(Some(outcome))
}

/// The visits that the message still tells of rightly, none when it is about no visit; or why it is not sent.
async fn about(
    connection: &mut PgConnection,
    clinic: ClinicId,
    message: &Taken,
    now: Timestamp,
) -> Result<Result<Vec<TakenVisit>, Problem>, sqlx::Error> {
    if !message.is_about_series {
        let objection = objection(&due(message, message.version, message.visit), now);
        return Ok(objection.map_or_else(|| Ok(message.visit.into_iter().collect()), Err));
    }
    let mut over = Problem::Over;
    let mut visits = tables::outbox::visits_of(connection, clinic, message.id).await?;
    visits.retain(|(version, visit)| {
        let objection = objection(&due(message, *version, Some(*visit)), now);
        over = objection.unwrap_or(over);
        objection.is_none()
    });
    let visits: Vec<_> = visits.into_iter().map(|(_, visit)| visit).collect();
    if visits.is_empty() {
        return Ok(Err(over));
    }
    let told: Vec<_> = visits.iter().map(|visit| visit.appointment).collect();
    tables::outbox::told_only_of(connection, clinic, message.id, &told).await?;
    Ok(Ok(visits))
}

fn due(message: &Taken, version: i32, visit: Option<TakenVisit>) -> Due<'_> {
    Due {
        kind: message.kind,
        ahead_minutes: message.ahead_minutes,
        version,
        due_at: message.due_at,
        expires_at: message.expires_at,
        visit: visit.map(|visit| visit.now),
        reminder_minutes: &message.reminder_minutes,
    }
}

/// Writes the message out and gives it to whoever carries it.
async fn send(
    connection: &mut PgConnection,
    carriers: &Carriers,
    clinic: ClinicId,
    message: &Taken,
    visits: &[TakenVisit],
    now: Timestamp,
) -> Result<Outcome, sqlx::Error> {
    let Some(to) = &message.to else {
        return Ok(Outcome::Skipped(Problem::NoAddress));
    };
    let clinic = tables::clinics::get(connection, clinic).await?;
    let mail = written(carriers, &clinic, message, visits, to, now);
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
fn written(
    carriers: &Carriers,
    clinic: &ClinicView,
    message: &Taken,
    visits: &[TakenVisit],
    to: &str,
    now: Timestamp,
) -> Mail {
    let links = &carriers.links;
    let first = visits.first();
    let visit = first.map(|visit| links.visit(visit.appointment, visit.link_version));
    let letter = letter(&Facts {
        kind: message.kind,
        ahead_minutes: message.ahead_minutes,
        clinic,
        starts_at: first.map(|visit| visit.now.starts_at).or(message.starts_at),
        expires_at: message.expires_at,
        zone: message.zone.as_ref(),
        link: visit.or_else(|| message.path.as_deref().map(|path| links.address_of(path))),
        answer: first.map(|visit| links.answer(visit.appointment, visit.link_version)),
        together: visits
            .iter()
            .map(|visit| (visit.now.starts_at, links.visit(visit.appointment, visit.link_version)))
            .collect(),
    });
    let is_email = message.channel == Channel::Email;
    let Letter { subject, short, .. } = &letter;
    Mail {
        id: message.id,
        channel: message.channel,
        appointment: first.map(|visit| visit.appointment),
        recipient: to.to_owned(),
        subject: if is_email { subject.clone() } else { String::new() },
        body: if is_email { write::text(&letter, &clinic.name) } else { short.clone() },
        html: is_email.then(|| write::html(&letter, &clinic.name)),
        invitations: if is_email { invitations(carriers, clinic, message, visits, now) } else { Vec::new() },
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

fn invitations(
    carriers: &Carriers,
    clinic: &ClinicView,
    message: &Taken,
    visits: &[TakenVisit],
    now: Timestamp,
) -> Vec<CalendarFile> {
    let Some(method) = method(message.kind) else { return Vec::new() };
    let zone = message.zone.as_ref().unwrap_or(&clinic.zone);
    let file = |visit: &TakenVisit| {
        let invitation = Invitation {
            method,
            appointment: visit.appointment,
            sequence: visit.now.sequence,
            starts_at: visit.now.starts_at,
            ends_at: visit.ends_at,
            written_at: now,
            clinic: &clinic.name,
            organizer: carriers.from.email.as_ref(),
            host: carriers.links.host(),
        };
        invitation.file(visits.len() == 1, zone)
    };
    visits.iter().map(file).collect()
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
        method: method(kind).map_or("", Method::as_str),
        invitations: mail.invitations,
    }
}

async fn write_down(
    connection: &mut PgConnection,
    by: &Actor,
    message: &Taken,
    visit: Option<&TakenVisit>,
    outcome: Outcome,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let (state, problem) = match outcome {
        Outcome::Sent => (MessageState::Sent, None),
        Outcome::Skipped(problem) => (MessageState::Skipped, Some(problem)),
        Outcome::Failed(problem) => (MessageState::Failed, Some(problem)),
        Outcome::PutOff => {
            tracing::warn!(message.id = %message.id, attempt = message.attempts + 1, "a message was not taken");
            let next = now + pause_after(message.attempts, FIRST_PAUSE);
            return tables::outbox::put_off(connection, by.clinic, message.id, next).await;
        }
    };
    tables::outbox::settle(connection, by.clinic, message, state, problem, now).await?;
    if state == MessageState::Failed {
        tracing::error!(message.id = %message.id, "a message was given up");
        let event = AuditEvent::new("message.given_up");
        let event = match visit {
            Some(visit) => event.appointment(visit.appointment),
            None => event,
        };
        audit::record(connection, by, event).await?;
    }
    Ok(())
}
