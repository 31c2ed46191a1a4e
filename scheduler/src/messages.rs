//! What patients are told: planned in the transaction that decided it, written out and sent by workers.
//!
//! A planned message is a row that says what is to be told and when it is due. Text and address follow from what holds when it
//! is sent, so a message is never older than the visit it is about; one that no longer fits is skipped.

mod deliver;
pub(crate) mod delivery;
mod email;
mod invitation;
mod letter;
mod links;
mod mailbox;
mod short;
mod sms;
mod stale;
mod write;

pub use deliver::{Carriers, deliver_due};
pub(crate) use delivery::Unreached;
pub use delivery::{Delivery, deliveries};
pub use email::Mailer;
pub use invitation::{CalendarFile, Invitation, Method};
pub use links::Links;
pub use mailbox::{Mail, mailbox, mailed};
pub use sms::{Sms, SmsFailure, SmsProvider, SmsWebhook, Taken, Texts};
pub(crate) use stale::VisitNow;

use crate::{
    tables::{self, grounds::Grounds},
    views::PatientView,
};
use domain::{AppointmentId, ClinicId, SeriesId};
use jiff::{SignedDuration, Timestamp};
use sqlx::PgConnection;

/// What a message says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum MessageKind {
    /// The visit is booked. With an invitation for the calendar.
    Confirmation,
    /// The visit is at another time. With a newer invitation.
    Change,
    /// The visit is called off. Takes the invitation back.
    Cancellation,
    /// The visit is near.
    Reminder,
    /// The patient's link, as often as the desk sends it.
    Link,
    /// A time has come free for somebody on the waitlist.
    WaitlistOffer,
    /// Somebody who booked by themselves confirms that the address is theirs.
    SelfBooking,
}

/// How a message travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Channel {
    /// E-mail.
    Email,
    /// Text message.
    Sms,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum MessageState {
    /// Not due yet, or tried again soon.
    Waiting,
    /// Taken by the mail server or the provider of text messages.
    Sent,
    /// No longer right when its time came.
    Skipped,
    /// Refused for good, or given up.
    Failed,
}

/// Why a message was skipped or failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Problem {
    /// The visit has another time by now.
    Moved,
    /// The visit was called off, missed, or took place.
    Over,
    /// The visit has begun.
    Begun,
    /// The scheduler was away for so long that the next reminder says it better.
    Late,
    /// What was offered is no longer on offer.
    Expired,
    /// The patient has no address of this kind any more.
    NoAddress,
    /// This installation sends no text messages.
    NoService,
    /// The server refused it for good.
    Refused,
    /// It was tried for about a day.
    GivenUp,
}

/// The version of what is told of an appointment that never changed: its `sequence`.
const FIRST: i32 = 0;

/// What happened to a visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum News {
    Booked,
    Moved,
    Cancelled,
}

/// A message to be planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Planned {
    pub(crate) kind: MessageKind,
    /// Of a reminder: how long before the visit.
    pub(crate) ahead_minutes: i32,
    pub(crate) due_at: Timestamp,
}

/// Where a message goes that is told to an address.
#[derive(Clone, Copy)]
pub(crate) enum Address<'a> {
    Email(&'a str),
    Phone(&'a str),
}

/// What is told to an address, before there is an appointment.
pub(crate) struct Notice<'a> {
    pub(crate) kind: MessageKind,
    /// Where its link leads, below the public address. Holds a token, so it is blanked once sent.
    pub(crate) path: &'a str,
    /// The time of the visit it is about.
    pub(crate) about: Option<Timestamp>,
    /// From when on it is of no use.
    pub(crate) expires_at: Timestamp,
}

/// Plans what the patient of an appointment is told about `news`: at once, and the reminders that still lie ahead.
///
/// Belongs in the transaction that brought the news, after the appointment's row was written: its `sequence` is the version of
/// the messages, and planning the same version again changes nothing. A visit that has begun needs no word, and a patient
/// without e-mail and phone gets none: the desk rings them, see [`unreached_visits`](crate::unreached_visits()).
pub(crate) async fn plan(
    connection: &mut PgConnection,
    clinic: ClinicId,
    now: Timestamp,
    appointment: AppointmentId,
    news: News,
) -> Result<(), sqlx::Error> {
    let Some(visit) = tables::outbox::visits(connection, clinic, &[appointment]).await?.pop() else {
        return Ok(());
    };
    let starts_at = visit.starts_at.to_jiff();
    let channels = channels(visit.email.is_some(), visit.phone.is_some());
    if starts_at <= now || channels.is_empty() {
        return Ok(());
    }
    let planned = planned(news, now, starts_at, &visit.reminder_minutes);
    tables::outbox::plan(connection, clinic, (appointment, visit.sequence), &channels, &planned, now).await
}

/// The same for what happened at once to several visits of a series: one message tells of all of them, and each has its reminders.
pub(crate) async fn plan_together(
    connection: &mut PgConnection,
    clinic: ClinicId,
    now: Timestamp,
    series: Option<SeriesId>,
    appointments: &[AppointmentId],
    news: News,
) -> Result<(), sqlx::Error> {
    let (Some(series), [_, _, ..]) = (series, appointments) else {
        for id in appointments {
            plan(connection, clinic, now, *id, news).await?;
        }
        return Ok(());
    };
    let mut visits = tables::outbox::visits(connection, clinic, appointments).await?;
    visits.retain(|visit| visit.starts_at.to_jiff() > now);
    let Some(first) = visits.first() else {
        return Ok(());
    };
    let channels = channels(first.email.is_some(), first.phone.is_some());
    if channels.is_empty() {
        return Ok(());
    }
    if news != News::Cancelled {
        for visit in &visits {
            let planned: Vec<_> = reminders(now, visit.starts_at.to_jiff(), &visit.reminder_minutes).collect();
            tables::outbox::plan(connection, clinic, (visit.id, visit.sequence), &channels, &planned, now).await?;
        }
    }
    let told: Vec<_> = visits.iter().map(|visit| (visit.id, visit.sequence)).collect();
    let version = tables::series::next_version(connection, clinic, series).await?;
    tables::outbox::plan_together(connection, clinic, (series, version), kind(news), &channels, &told, now).await
}

/// Plans what the patient of an appointment that was just booked is told, on the grounds on which it was.
pub(crate) async fn plan_new(
    connection: &mut PgConnection,
    clinic: ClinicId,
    now: Timestamp,
    (appointment, starts_at): (AppointmentId, Timestamp),
    grounds: &Grounds,
) -> Result<(), sqlx::Error> {
    let channels = channels(grounds.has_email, grounds.has_phone);
    if channels.is_empty() {
        return Ok(());
    }
    let planned = planned(News::Booked, now, starts_at, &grounds.reminder_minutes);
    tables::outbox::plan(connection, clinic, (appointment, FIRST), &channels, &planned, now).await
}

/// Plans the patient's link, once more than before.
pub(crate) async fn plan_link(
    connection: &mut PgConnection,
    clinic: ClinicId,
    now: Timestamp,
    appointment: AppointmentId,
    patient: &PatientView,
) -> Result<(), sqlx::Error> {
    let channels = channels(patient.email.is_some(), patient.phone.is_some());
    let version = tables::outbox::next_link(connection, clinic, appointment).await?;
    let link = Planned { kind: MessageKind::Link, ahead_minutes: 0, due_at: now };
    tables::outbox::plan(connection, clinic, (appointment, version), &channels, &[link], now).await
}

/// Plans what is told to somebody by address, at once: an offer of the waitlist, or the link that confirms a booking of one's own.
///
/// Each call is one message to each address; whoever may be called twice for the same thing looks to that.
pub(crate) async fn notify(
    connection: &mut PgConnection,
    clinic: ClinicId,
    now: Timestamp,
    to: &[Address<'_>],
    notice: &Notice<'_>,
) -> Result<(), sqlx::Error> {
    for address in to {
        tables::outbox::add(connection, clinic, *address, notice, now).await?;
    }
    Ok(())
}

/// The ways to reach somebody.
fn channels(has_email: bool, has_phone: bool) -> Vec<Channel> {
    has_email.then_some(Channel::Email).into_iter().chain(has_phone.then_some(Channel::Sms)).collect()
}

fn planned(news: News, now: Timestamp, starts_at: Timestamp, reminder_minutes: &[i32]) -> Vec<Planned> {
    let mut planned = vec![Planned { kind: kind(news), ahead_minutes: 0, due_at: now }];
    if news != News::Cancelled {
        planned.extend(reminders(now, starts_at, reminder_minutes));
    }
    planned
}

const fn kind(news: News) -> MessageKind {
    match news {
        News::Booked => MessageKind::Confirmation,
        News::Moved => MessageKind::Change,
        News::Cancelled => MessageKind::Cancellation,
    }
}

/// The reminders whose time has not passed already.
fn reminders(now: Timestamp, starts_at: Timestamp, minutes: &[i32]) -> impl Iterator<Item = Planned> {
    let planned = minutes.iter().map(move |&ahead_minutes| Planned {
        kind: MessageKind::Reminder,
        ahead_minutes,
        due_at: starts_at - SignedDuration::from_mins(ahead_minutes.into()),
    });
    planned.filter(move |reminder| reminder.due_at > now)
}

impl Address<'_> {
    pub(crate) const fn channel(self) -> Channel {
        match self {
            Self::Email(_) => Channel::Email,
            Self::Phone(_) => Channel::Sms,
        }
    }

    pub(crate) const fn as_str(&self) -> &str {
        match self {
            Self::Email(address) | Self::Phone(address) => address,
        }
    }
}

/// The ways to reach a patient, for [`notify`].
pub(crate) fn addresses(patient: &PatientView) -> Vec<Address<'_>> {
    let email = patient.email.as_deref().map(Address::Email);
    email.into_iter().chain(patient.phone.as_deref().map(Address::Phone)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a timestamp")
    }

    #[test]
    fn only_reminders_that_lie_ahead_are_planned() {
        let starts_at = at("2026-11-24T10:00:00Z");
        let ahead =
            |now: &str| reminders(at(now), starts_at, &[1440, 60, 10]).map(|r| r.ahead_minutes).collect::<Vec<_>>();
        assert_eq!(ahead("2026-11-20T10:00:00Z"), [1440, 60, 10]);
        assert_eq!(ahead("2026-11-23T10:00:00Z"), [60, 10]);
        assert_eq!(ahead("2026-11-24T09:30:00Z"), [10]);
        assert!(ahead("2026-11-24T09:55:00Z").is_empty());
    }

    #[test]
    fn a_visit_that_is_called_off_brings_no_reminders() {
        let planned = planned(News::Cancelled, at("2026-11-20T10:00:00Z"), at("2026-11-24T10:00:00Z"), &[1440]);
        assert_eq!(planned.iter().map(|message| message.kind).collect::<Vec<_>>(), [MessageKind::Cancellation]);
    }

    #[test]
    fn a_day_before_is_24_hours_before_whatever_the_clocks_do() {
        // London goes back in the night to 25 October 2026.
        let starts_at = at("2026-10-25T10:00:00Z");
        let due = reminders(at("2026-10-20T10:00:00Z"), starts_at, &[1440]).next().expect("a reminder").due_at;
        assert_eq!(due, at("2026-10-24T10:00:00Z"));
    }
}
