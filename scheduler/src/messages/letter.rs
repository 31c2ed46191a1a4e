//! What each message says: one place for every channel.
//!
//! A message tells when and with which clinic, and where to press. For whom, with whom and what about is told on the page it leads
//! to, not on the way there.

use super::{
    MessageKind,
    short::{self, Short},
};
use crate::views::ClinicView;
use domain::Redacted;
use jiff::{Timestamp, tz::TimeZone};
use std::borrow::Cow;

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
    /// Of several visits that are told of together: when each begins, and its link. In order; the fields above are the first one's.
    pub(crate) together: Vec<(Timestamp, Redacted<String>)>,
}

/// A message before it takes the form of its channel.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Letter {
    pub(crate) subject: String,
    pub(crate) lines: Vec<Line>,
    /// All of it in one text message.
    pub(crate) short: String,
}

/// A paragraph of a letter.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    Words(String),
    Link { label: Cow<'static, str>, address: Redacted<String> },
}

/// How a time is written: in a letter, in a text message, and among others in one.
const LONG: &str = "%A %-d %B %Y at %H:%M";
const SHORT: &str = "%a %-d %b, %H:%M";
const SHORTER: &str = "%-d %b %H:%M";

/// Words that introduce a link.
const OPEN: &str = "Open your visit";
const CHECK: &str = "Try your camera and microphone now";
const ANSWER: &str = "Say that you will come, or cancel";
const SEE_OFFER: &str = "Take or decline this time";
const CONFIRM: &str = "Confirm your visit";
const ONLY_YOURS: &str = "The link is for you only. Please do not pass it on.";
const ONLY_YOURS_ALL: &str = "The links are for you only. Please do not pass them on.";

fn press(label: &'static str, address: Redacted<String>) -> Line {
    Line::Link { label: label.into(), address }
}

/// Writes the letter.
pub(crate) fn letter(facts: &Facts<'_>) -> Letter {
    let clinic = &facts.clinic.name;
    if facts.together.len() > 1 {
        return facts.several();
    }
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
            lines.extend(self.check().map(|address| press(CHECK, address)));
        }
        lines.push(Line::Words(
            "When it is time, open this link on a phone or computer with a camera and microphone.".to_owned(),
        ));
        lines.extend(self.link.clone().map(|address| press(OPEN, address)));
        lines.push(Line::Words(ONLY_YOURS.to_owned()));
        lines.extend(self.answer.clone().map(|address| press(ANSWER, address)));
        lines.push(Line::Words(format!("If you cannot come, call us: {}", self.clinic.phone)));
        // The page of the link leads to the answer: there is no room for two.
        let opening = if self.asks_for_check() { "Check camera, join or cancel:" } else { "Join or cancel:" };
        let when = self.short_when();
        let says = vec![format!("your video visit {short} {when}. {opening}"), format!("video visit {when}.")];
        Letter { subject, lines, short: self.short(says, self.link.as_ref()) }
    }

    /// Visits of a series that were booked, moved or called off together.
    fn several(&self) -> Letter {
        let (clinic, count) = (&self.clinic.name, self.together.len());
        let visits = format!("{count} video visits");
        let (subject, told, short) = match self.kind {
            MessageKind::Cancellation => (
                format!("Cancelled: your {visits} with {clinic}"),
                format!("Your {visits} with {clinic} are cancelled:"),
                format!("your {visits} are cancelled"),
            ),
            MessageKind::Change => (
                format!("New times for your video visits with {clinic}"),
                format!("{count} of your video visits with {clinic} have new times. The links stay the same:"),
                format!("new times for {visits}"),
            ),
            _ => (
                format!("Your {visits} with {clinic}"),
                format!("Your {visits} with {clinic} are booked:"),
                format!("your {visits} are booked"),
            ),
        };
        let mut lines = vec![Line::Words(told)];
        let takes_place = self.kind != MessageKind::Cancellation;
        for (at, link) in &self.together {
            let when = self.spoken(*at, LONG);
            lines.push(if takes_place {
                Line::Link { label: when.into(), address: link.clone() }
            } else {
                Line::Words(when)
            });
        }
        let phone = &self.clinic.phone;
        if takes_place {
            let how = "When it is time, open its link on a phone or computer with a camera and microphone. \
                       Before that you can say there that you will come, or cancel.";
            lines.extend([how, ONLY_YOURS_ALL].map(|words| Line::Words(words.to_owned())));
            lines.push(Line::Words(format!("If you cannot come, call us: {phone}")));
        } else {
            lines.push(Line::Words(format!("For other times, call us: {phone}")));
        }
        let (ending, link) =
            if takes_place { ("The next:".to_owned(), self.link.as_ref()) } else { (format!("Call {phone}"), None) };
        let says = vec![
            format!("{short}: {}. {ending}", self.all_short()),
            format!("{short}, {} to {}. {ending}", self.short_when(), self.last_short()),
            format!("{short}. {ending}"),
        ];
        Letter { subject, lines, short: self.short(says, link) }
    }

    /// Made to fit in a text message.
    fn short(&self, says: Vec<String>, link: Option<&Redacted<String>>) -> String {
        short::fit(&Short { clinic: &self.clinic.name, says, link })
    }

    fn cancellation(&self) -> Letter {
        let (clinic, phone) = (&self.clinic.name, &self.clinic.phone);
        let told = format!("Your video visit with {clinic} on {} is cancelled.", self.when());
        let lines = vec![Line::Words(told), Line::Words(format!("For another time, call us: {phone}"))];
        let when = self.short_when();
        let says = vec![
            format!("your video visit on {when} is cancelled. For another time, call {phone}"),
            format!("video visit {when} cancelled. Call {phone}"),
        ];
        let subject = format!("Cancelled: your video visit with {clinic}");
        Letter { subject, lines, short: self.short(says, None) }
    }

    fn offer(&self) -> Letter {
        let clinic = &self.clinic.name;
        let until = self.expires_at.map(|at| self.spoken(at, "%H:%M on %A %-d %B")).unwrap_or_default();
        let told = format!("A time has come free at {clinic}: {}. It is kept for you until {until}.", self.when());
        let mut lines = vec![Line::Words(told)];
        lines.extend(self.link.clone().map(|address| press(SEE_OFFER, address)));
        lines.push(Line::Words("If you do nothing, it goes to the next person. You stay on the list.".to_owned()));
        let (when, until) = (self.short_when(), self.expires_at.map(|at| self.spoken(at, SHORT)).unwrap_or_default());
        let says = vec![format!("{when} has come free. Kept for you until {until}:"), format!("{when} is free:")];
        let subject = format!("A time has come free at {clinic}");
        Letter { subject, lines, short: self.short(says, self.link.as_ref()) }
    }

    fn own_booking(&self) -> Letter {
        let clinic = &self.clinic.name;
        let told = format!("You asked {clinic} for a video visit on {}.", self.when());
        let mut lines = vec![Line::Words(told)];
        lines.extend(self.link.clone().map(|address| press(CONFIRM, address)));
        let until = self.expires_at.map(|at| self.spoken(at, "%H:%M")).unwrap_or_default();
        lines.push(Line::Words(format!("The time is kept for you until {until}.")));
        lines.push(Line::Words("If it was not you, do nothing: nothing is booked.".to_owned()));
        let when = self.short_when();
        let says = vec![format!("confirm your video visit on {when} until {until}:"), format!("confirm {when}:")];
        let subject = format!("Please confirm your video visit with {clinic}");
        Letter { subject, lines, short: self.short(says, self.link.as_ref()) }
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
        self.starts_at.map(|at| self.spoken(at, LONG)).unwrap_or_default()
    }

    /// `Tue 24 Nov, 10:00`.
    fn short_when(&self) -> String {
        self.starts_at.map(|at| self.spoken(at, SHORT)).unwrap_or_default()
    }

    /// `24 Nov 10:00, 1 Dec 10:00, 8 Dec 10:00`; the place of the clock stands once, at the end.
    fn all_short(&self) -> String {
        let [others @ .., (last, _)] = self.together.as_slice() else { return String::new() };
        let others: String = others.iter().map(|(at, _)| self.written(*at, SHORTER) + ", ").collect();
        format!("{others}{}", self.spoken(*last, SHORTER))
    }

    /// The day of the last of several visits: `12 Jan`.
    fn last_short(&self) -> String {
        self.together.last().map(|(at, _)| self.written(*at, "%-d %b")).unwrap_or_default()
    }

    /// An instant on the wall clock of whoever reads it, which is named where it is not the clinic's.
    fn spoken(&self, at: Timestamp, format: &str) -> String {
        let time = self.written(at, format);
        let zone = self.readers_zone();
        let is_named = zone.iana_name() != self.clinic.zone.iana_name();
        if is_named { format!("{time} ({} time)", place(zone)) } else { time }
    }

    fn written(&self, at: Timestamp, format: &str) -> String {
        at.to_zoned(self.readers_zone().clone()).strftime(format).to_string()
    }

    fn readers_zone(&self) -> &TimeZone {
        self.zone.unwrap_or(&self.clinic.zone)
    }
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
            together: Vec::new(),
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
    fn visits_of_a_series_stand_in_one_letter_each_with_its_link_and_in_one_text_message() {
        let clinic = clinic();
        let at = |text: &str| text.parse::<Timestamp>().expect("a timestamp");
        let visit = |number: usize| {
            let starts_at =
                at("2026-11-24T10:00:00Z") + SignedDuration::from_hours(24 * 7 * i64::try_from(number).expect("few"));
            (starts_at, Redacted::new(format!("https://clinic.example/visit/token-{number}")))
        };
        let of = |kind, count| {
            let together: Vec<_> = (0..count).map(visit).collect();
            letter(&Facts { link: Some(together[0].1.clone()), together, ..facts(kind, &clinic, None) })
        };
        let three = of(MessageKind::Confirmation, 3);
        assert_eq!(three.subject, "Your 3 video visits with Riverside Family Clinic");
        assert!(
            said(&three).contains("Tuesday 8 December 2026 at 10:00 https://clinic.example/visit/token-2"),
            "{}",
            said(&three)
        );
        assert_eq!(
            three.short,
            "Riverside Family Clinic: your 3 video visits are booked: 24 Nov 10:00, 1 Dec 10:00, 8 Dec 10:00. \
             The next: https://clinic.example/visit/token-0"
        );
        let many = of(MessageKind::Change, 30);
        assert_eq!(many.lines.iter().filter(|line| matches!(line, Line::Link { .. })).count(), 30);
        assert!(
            many.short.contains("new times for 30 video visits, Tue 24 Nov, 10:00 to 15 Jun. The next: https://"),
            "{}",
            many.short
        );
        let cancelled = of(MessageKind::Cancellation, 2);
        assert!(
            !said(&cancelled).contains("https://") && !cancelled.short.contains("https://"),
            "{}",
            said(&cancelled)
        );
        assert!(said(&cancelled).contains("Tuesday 1 December 2026 at 10:00"), "{}", said(&cancelled));
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
