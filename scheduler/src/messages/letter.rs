//! What each message says: one place for every channel.
//!
//! A message tells when and with which clinic, and where to press. For whom, with whom and what about is told on the page it leads
//! to, not on the way there.

use super::MessageKind;
use crate::views::ClinicView;
use domain::Redacted;
use jiff::{Timestamp, tz::TimeZone};

/// From this long before the visit on, a reminder asks to try camera and microphone: later there is no time to mend anything.
const CHECK_FROM_MINUTES: i32 = 120;

/// What a message is made from.
pub(crate) struct Facts<'a> {
    pub(crate) kind: MessageKind,
    pub(crate) ahead_minutes: i32,
    pub(crate) clinic: &'a ClinicView,
    /// When the visit begins, where there is one.
    pub(crate) starts_at: Option<Timestamp>,
    /// Until when an offer is good.
    pub(crate) expires_at: Option<Timestamp>,
    /// The zone of whoever reads it, where it is known.
    pub(crate) zone: Option<&'a TimeZone>,
    /// Where the message leads: the visit, or what its path names.
    pub(crate) link: Option<Redacted<String>>,
    /// Where the patient answers.
    pub(crate) answer: Option<Redacted<String>>,
}

/// A message before it takes the form of its channel.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Letter {
    pub(crate) subject: String,
    pub(crate) lines: Vec<Line>,
    /// All of it in as few characters as a text message has.
    pub(crate) short: String,
}

/// A paragraph of a letter.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    Words(String),
    Link { label: &'static str, address: Redacted<String> },
}

/// Words that introduce a link.
const OPEN: &str = "Open your visit";
const CHECK: &str = "Try your camera and microphone now";
const ANSWER: &str = "Say that you will come, or cancel";
const SEE_OFFER: &str = "Take or decline this time";
const CONFIRM: &str = "Confirm your visit";
const ONLY_YOURS: &str = "The link is for you only. Please do not pass it on.";

/// Writes the letter.
pub(crate) fn letter(facts: &Facts<'_>) -> Letter {
    let clinic = &facts.clinic.name;
    match facts.kind {
        MessageKind::Confirmation => {
            let told = format!("Your video visit with {clinic} is booked for {}.", facts.when());
            facts.about_visit(format!("Your video visit with {clinic}"), told, "is booked for")
        }
        MessageKind::Change => {
            let told =
                format!("Your video visit with {clinic} has a new time: {}. The link stays the same.", facts.when());
            facts.about_visit(format!("New time for your video visit with {clinic}"), told, "has a new time:")
        }
        MessageKind::Reminder => {
            let told = format!("Your video visit with {clinic} is on {}.", facts.when());
            facts.about_visit(format!("Reminder: your video visit with {clinic}"), told, "is on")
        }
        MessageKind::Link => {
            let told = format!("You have a video visit with {clinic} on {}.", facts.when());
            facts.about_visit(format!("Your video visit with {clinic}"), told, "is on")
        }
        MessageKind::Cancellation => facts.cancellation(),
        MessageKind::WaitlistOffer => facts.offer(),
        MessageKind::SelfBooking => facts.own_booking(),
    }
}

impl Facts<'_> {
    /// A visit that will take place: when, the link, and the answer.
    fn about_visit(&self, subject: String, told: String, short: &str) -> Letter {
        let mut lines = vec![Line::Words(told)];
        if self.asks_for_check() {
            lines.extend(self.check().map(|address| Line::Link { label: CHECK, address }));
        }
        lines.push(Line::Words(
            "When it is time, open this link on a phone or computer with a camera and microphone.".to_owned(),
        ));
        lines.extend(self.link.clone().map(|address| Line::Link { label: OPEN, address }));
        lines.push(Line::Words(ONLY_YOURS.to_owned()));
        lines.extend(self.answer.clone().map(|address| Line::Link { label: ANSWER, address }));
        lines.push(Line::Words(format!("If you cannot come, call us: {}", self.clinic.phone)));
        let opening =
            if self.asks_for_check() { "Try camera and microphone, and open it then" } else { "Open it then" };
        let (link, answer) = (shown(self.link.as_ref()), shown(self.answer.as_ref()));
        let (clinic, when) = (&self.clinic.name, self.short_when());
        let short = format!("{clinic}: your video visit {short} {when}. {opening}: {link} Coming, or cancel: {answer}");
        Letter { subject, lines, short }
    }

    fn cancellation(&self) -> Letter {
        let (clinic, phone) = (&self.clinic.name, &self.clinic.phone);
        let told = format!("Your video visit with {clinic} on {} is cancelled.", self.when());
        let lines = vec![Line::Words(told), Line::Words(format!("For another time, call us: {phone}"))];
        let when = self.short_when();
        let short = format!("{clinic}: your video visit on {when} is cancelled. For another time, call {phone}");
        Letter { subject: format!("Cancelled: your video visit with {clinic}"), lines, short }
    }

    fn offer(&self) -> Letter {
        let clinic = &self.clinic.name;
        let until = self.expires_at.map(|at| self.spoken(at, "%H:%M on %A %-d %B")).unwrap_or_default();
        let told = format!("A time has come free at {clinic}: {}. It is kept for you until {until}.", self.when());
        let mut lines = vec![Line::Words(told)];
        lines.extend(self.link.clone().map(|address| Line::Link { label: SEE_OFFER, address }));
        lines.push(Line::Words("If you do nothing, it goes to the next person. You stay on the list.".to_owned()));
        let link = shown(self.link.as_ref());
        let short = format!("{clinic}: {} has come free. Kept for you until {until}: {link}", self.short_when());
        Letter { subject: format!("A time has come free at {clinic}"), lines, short }
    }

    fn own_booking(&self) -> Letter {
        let clinic = &self.clinic.name;
        let told = format!("You asked {clinic} for a video visit on {}.", self.when());
        let mut lines = vec![Line::Words(told)];
        lines.extend(self.link.clone().map(|address| Line::Link { label: CONFIRM, address }));
        let until = self.expires_at.map(|at| self.spoken(at, "%H:%M")).unwrap_or_default();
        lines.push(Line::Words(format!("The time is kept for you until {until}.")));
        lines.push(Line::Words("If it was not you, do nothing: nothing is booked.".to_owned()));
        let link = shown(self.link.as_ref());
        let short = format!("{clinic}: confirm your video visit on {} until {until}: {link}", self.short_when());
        Letter { subject: format!("Please confirm your video visit with {clinic}"), lines, short }
    }

    fn asks_for_check(&self) -> bool {
        self.kind == MessageKind::Reminder && self.ahead_minutes >= CHECK_FROM_MINUTES
    }

    /// The visit's page before its time is the device check.
    fn check(&self) -> Option<Redacted<String>> {
        self.link.as_ref().map(|link| Redacted::new(format!("{}#check", link.expose())))
    }

    /// `Tuesday 24 November 2026 at 10:00`.
    fn when(&self) -> String {
        self.starts_at.map(|at| self.spoken(at, "%A %-d %B %Y at %H:%M")).unwrap_or_default()
    }

    /// `Tue 24 Nov, 10:00`.
    fn short_when(&self) -> String {
        self.starts_at.map(|at| self.spoken(at, "%a %-d %b, %H:%M")).unwrap_or_default()
    }

    /// An instant on the wall clock of whoever reads it, which is named where it is not the clinic's.
    fn spoken(&self, at: Timestamp, format: &str) -> String {
        let zone = self.zone.unwrap_or(&self.clinic.zone);
        let time = at.to_zoned(zone.clone()).strftime(format).to_string();
        let is_named = zone.iana_name() != self.clinic.zone.iana_name();
        if is_named { format!("{time} ({} time)", place(zone)) } else { time }
    }
}

fn shown(address: Option<&Redacted<String>>) -> &str {
    address.map_or("", |address| address.expose())
}

/// `Asia/Ho_Chi_Minh` as people call it: `Ho Chi Minh`.
fn place(zone: &TimeZone) -> String {
    zone.iana_name().and_then(|name| name.rsplit('/').next()).unwrap_or("UTC").replace('_', " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::ClinicId;
    use jiff::SignedDuration;
    use uuid::Uuid;

    fn clinic() -> ClinicView {
        ClinicView {
            id: ClinicId(Uuid::from_u128(1)),
            name: "Riverside Family Clinic".to_owned(),
            zone: TimeZone::get("Europe/London").expect("a zone"),
            phone: "020 7946 0000".to_owned(),
            early: SignedDuration::from_mins(30),
            late: SignedDuration::from_mins(15),
        }
    }

    fn facts<'a>(kind: MessageKind, clinic: &'a ClinicView, zone: Option<&'a TimeZone>) -> Facts<'a> {
        let at = |text: &str| text.parse::<Timestamp>().expect("a timestamp");
        Facts {
            kind,
            ahead_minutes: 1440,
            clinic,
            starts_at: Some(at("2026-11-24T10:00:00Z")),
            expires_at: Some(at("2026-11-23T09:30:00Z")),
            zone,
            link: Some(Redacted::new("https://clinic.example/visit/token".to_owned())),
            answer: Some(Redacted::new("https://clinic.example/answer/token".to_owned())),
        }
    }

    fn said(letter: &Letter) -> String {
        let words = letter.lines.iter().map(|line| match line {
            Line::Words(words) => words.clone(),
            Line::Link { label, address } => format!("{label} {}", address.expose()),
        });
        words.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_time_is_the_patients_and_its_zone_is_named_when_it_is_not_the_clinics() {
        let clinic = clinic();
        let hanoi = TimeZone::get("Asia/Ho_Chi_Minh").expect("a zone");
        let letter = letter(&facts(MessageKind::Confirmation, &clinic, Some(&hanoi)));
        assert!(said(&letter).contains("Tuesday 24 November 2026 at 17:00 (Ho Chi Minh time)"), "{}", said(&letter));
        assert!(letter.short.contains("Tue 24 Nov, 17:00 (Ho Chi Minh time)"), "{}", letter.short);
        for zone in [None, Some(&clinic.zone)] {
            let letter = super::letter(&facts(MessageKind::Confirmation, &clinic, zone));
            assert!(said(&letter).contains("Tuesday 24 November 2026 at 10:00."), "{}", said(&letter));
        }
    }

    #[test]
    fn only_a_reminder_long_before_asks_to_try_the_devices() {
        let clinic = clinic();
        let mut facts = facts(MessageKind::Reminder, &clinic, None);
        assert!(said(&letter(&facts)).contains("https://clinic.example/visit/token#check"));
        facts.ahead_minutes = 60;
        assert!(!said(&letter(&facts)).contains("#check"));
    }

    #[test]
    fn a_cancellation_has_no_link_and_an_offer_says_until_when_it_is_good() {
        let clinic = clinic();
        let cancelled = letter(&facts(MessageKind::Cancellation, &clinic, None));
        assert!(!said(&cancelled).contains("https://") && !cancelled.short.contains("https://"));
        let offer = letter(&facts(MessageKind::WaitlistOffer, &clinic, None));
        assert!(said(&offer).contains("until 09:30 on Monday 23 November"), "{}", said(&offer));
    }
}
