//! The visit as an entry for a calendar (RFC 5545, sent as RFC 5546 says).
//!
//! Calendars are shared, synchronised and read over shoulders: the entry says that there is a video visit, with which clinic and
//! when. It names neither patient nor practitioner, no type of visit, no reason, and holds no link, since the link opens the visit.
//!
//! RFC 5546 §3.2.2 says of a REQUEST that an ATTENDEE "MUST be present". It would be the patient's address, written into every
//! calendar that takes the entry; it is left out, and calendars take the entry as one without an answer. We ask for the answer by
//! the page of the message instead.

use domain::AppointmentId;
use icalendar::{Calendar, Class, Component as _, Event, EventStatus, Property};
use jiff::{Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};

/// What an entry asks of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// To take the visit in, or to move it to where it is now.
    Request,
    /// To take it out.
    Cancel,
}

impl Method {
    /// As in `METHOD` and in the media type's parameter.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Request => "REQUEST",
            Self::Cancel => "CANCEL",
        }
    }
}

/// An entry for a calendar. Later ones of the same appointment have the same UID and a higher SEQUENCE, so that the calendar
/// moves or removes what it has instead of adding to it.
#[derive(Debug, Clone, Copy)]
pub struct Invitation<'a> {
    /// What it asks for.
    pub method: Method,
    /// Which visit. Random, so that it says nothing.
    pub appointment: AppointmentId,
    /// How often the visit was changed.
    pub sequence: i32,
    /// When it begins.
    pub starts_at: Timestamp,
    /// When it ends.
    pub ends_at: Timestamp,
    /// When the entry was written.
    pub written_at: Timestamp,
    /// The clinic's name.
    pub clinic: &'a str,
    /// The clinic's sender of e-mail, an address alone.
    pub organizer: &'a str,
    /// The host of the installation, which makes the UID one of a kind.
    pub host: &'a str,
}

/// An entry as a file of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalendarFile {
    /// `visit.ics`.
    pub name: String,
    /// What is in it.
    pub text: String,
}

impl Invitation<'_> {
    /// The text of the `.ics` file: the entry of this visit, and of no other.
    ///
    /// Visits that are told of together have a file each. RFC 5546 §3.2.2 and §3.2.5 say of the entries of one REQUEST or CANCEL that
    /// "all components MUST have the same UID", and each visit has its own, since it is moved and called off alone later. Outlook takes
    /// the first entry of a file and drops the others (MS-STANOICAL 2.2.175).
    pub fn to_ics(&self) -> String {
        let mut calendar = Calendar::empty();
        for (name, value) in
            [("VERSION", "2.0"), ("PRODID", "-//Bedside//Video visits//EN"), ("METHOD", self.method.as_str())]
        {
            calendar.append_property(Property::new(name, value));
        }
        calendar.push(self.event());
        calendar.to_string()
    }

    /// The file as it comes with a message. Where several come, each is named for its time on the clock of whoever reads it.
    pub(crate) fn file(&self, is_only: bool, zone: &TimeZone) -> CalendarFile {
        let starts_at = self.starts_at.to_zoned(zone.clone());
        let name = if is_only { "visit.ics".to_owned() } else { starts_at.strftime("visit-%F-%H%M.ics").to_string() };
        CalendarFile { name, text: self.to_ics() }
    }

    /// The entry. All times are UTC: no calendar needs to know a zone of ours.
    fn event(&self) -> Event {
        let mut organizer = Property::new("ORGANIZER", format!("mailto:{}", self.organizer));
        organizer.add_parameter("CN", &one_line(self.clinic).replace('"', "'"));
        let status = match self.method {
            Method::Request => EventStatus::Confirmed,
            Method::Cancel => EventStatus::Cancelled,
        };
        Event::new()
            .uid(&format!("{}@{}", self.appointment, self.host))
            .add_property("DTSTAMP", utc(self.written_at))
            .add_property("DTSTART", utc(self.starts_at))
            .add_property("DTEND", utc(self.ends_at))
            .add_property("SEQUENCE", self.sequence.to_string())
            .summary(&format!("Video visit, {}", one_line(self.clinic)))
            .description("The link to the visit is in the message from the clinic.")
            .class(Class::Private)
            .status(status)
            .append_property(organizer)
            .done()
    }
}

/// `20261124T100000Z`.
fn utc(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// A name with a line break in it would begin a line of its own choosing.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_name_cannot_write_lines_of_its_own() {
        let invitation = Invitation {
            method: Method::Request,
            appointment: AppointmentId(Uuid::from_u128(1)),
            sequence: 0,
            starts_at: Timestamp::UNIX_EPOCH,
            ends_at: Timestamp::UNIX_EPOCH,
            written_at: Timestamp::UNIX_EPOCH,
            clinic: "Clinic\r\nATTENDEE:mailto:x@example.org\"; A, B",
            organizer: "visits@clinic.example",
            host: "clinic.example",
        };
        let text = invitation.to_ics();
        assert!(!text.lines().any(|line| line.starts_with("ATTENDEE")), "{text}");
    }
}
