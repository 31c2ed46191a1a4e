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

impl Invitation<'_> {
    /// The text of the `.ics` file.
    pub fn to_ics(&self) -> String {
        Self::together(std::slice::from_ref(self))
    }

    /// One file with an entry for each of some visits that are told of together, all by the first one's method.
    ///
    /// RFC 5546 §3.2.2 and §3.2.5 say of the entries of one REQUEST or CANCEL that "all components MUST have the same UID". Visits of a
    /// series have each their own, since each is moved and called off alone later. Sixty files in one mail would be opened by nobody;
    /// calendars take every entry of the one.
    pub fn together(invitations: &[Self]) -> String {
        let method = invitations.first().map_or(Method::Request, |first| first.method);
        let mut calendar = Calendar::empty();
        for (name, value) in
            [("VERSION", "2.0"), ("PRODID", "-//Bedside//Video visits//EN"), ("METHOD", method.as_str())]
        {
            calendar.append_property(Property::new(name, value));
        }
        for invitation in invitations {
            calendar.push(invitation.event());
        }
        calendar.to_string()
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
