//! What the patient was told and will be told, as a list on the appointment's page.

use crate::{pages::state::Chip, words};
use askama::Template;
use jiff::{Timestamp, tz::TimeZone};
use scheduler::{
    Delivery,
    messages::{Channel, MessageKind, MessageState, Problem},
};

/// The list. Rendered into the page by its own template.
#[derive(Template)]
#[template(path = "appointments/messages.html")]
pub(crate) struct Messages {
    told: Vec<Told>,
}

struct Told {
    what: String,
    channel: &'static str,
    chip: Chip,
    when: String,
}

impl Messages {
    /// The messages of an appointment as they stand at `now`.
    pub(crate) fn new(deliveries: &[Delivery], now: Timestamp, zone: &TimeZone) -> Self {
        Self { told: deliveries.iter().map(|delivery| told(delivery, now, zone)).collect() }
    }
}

fn told(delivery: &Delivery, now: Timestamp, zone: &TimeZone) -> Told {
    Told {
        what: what(delivery),
        channel: match delivery.channel {
            Channel::Email => "E-mail",
            Channel::Sms => "Text message",
        },
        chip: chip(delivery, now),
        when: words::date_and_time(delivery.at, zone),
    }
}

/// `Reminder, 24 h before`.
fn what(delivery: &Delivery) -> String {
    match delivery.kind {
        MessageKind::Confirmation => "Confirmation".to_owned(),
        MessageKind::Change => "Change of time".to_owned(),
        MessageKind::Cancellation => "Cancellation".to_owned(),
        MessageKind::Reminder => {
            let ahead = jiff::SignedDuration::from_mins(delivery.ahead_minutes.into());
            format!("Reminder, {} before", words::length(ahead))
        }
        MessageKind::Link => "Visit link".to_owned(),
        MessageKind::WaitlistOffer => "Offer from the waitlist".to_owned(),
        MessageKind::SelfBooking => "Own booking".to_owned(),
    }
}

fn chip(delivery: &Delivery, now: Timestamp) -> Chip {
    let (class, word) = match delivery.state {
        MessageState::Sent => ("done", "Sent"),
        MessageState::Waiting if delivery.attempts > 0 => ("alert", "Not taken yet, tried again"),
        MessageState::Waiting if delivery.at <= now => ("wait", "On its way"),
        MessageState::Waiting => ("", "Planned"),
        MessageState::Skipped => ("", "Not sent"),
        MessageState::Failed => ("alert", "Not delivered"),
    };
    let why = delivery.problem.map_or("", why);
    let word = if why.is_empty() { word.to_owned() } else { format!("{word}: {why}") };
    Chip { class, word }
}

/// Why a message was not sent, after "Not sent" or "Not delivered".
const fn why(problem: Problem) -> &'static str {
    match problem {
        Problem::Moved => "the visit was moved",
        Problem::Over => "the visit was over or called off",
        Problem::Begun => "the visit had begun",
        Problem::Late => "too late, the next one says it",
        Problem::Expired => "the offer was over",
        Problem::NoAddress => "no address is known",
        Problem::NoService => "no text messages are sent here",
        Problem::Refused => "the address was refused",
        Problem::GivenUp => "given up after a day",
    }
}
