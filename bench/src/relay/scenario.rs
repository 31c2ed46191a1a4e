//! What is measured: who is in a room, what they send and whom they receive, and how many rooms are a full load.

use super::target::{Limits, Picture, Receives, Seat};
use std::{fmt, str::FromStr};

/// One of the scenarios.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scenario {
    /// Practitioner and patient, sound and picture.
    S1,
    /// Ten who all see each other, pictures in three encodings.
    S2,
    /// Practitioner, patient, and an interpreter who is heard and sees both.
    S3,
    /// Practitioner and patient, sound only.
    S4,
    /// Everybody joins at once while others talk.
    S5,
    /// Practitioner and patient, while the path loses, delays and reorders.
    S6,
    /// Practitioner and patient, while the path to each narrows and widens again.
    S7,
    /// Rooms come and go.
    S8,
}

/// How a scenario meets a target: the seats of one room, and what the target cannot do of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    /// Everybody, without the number of the room.
    pub seats: Vec<Seat>,
    /// What is not as the scenario wants it.
    pub notes: Vec<String>,
}

impl Scenario {
    /// All of them.
    pub const ALL: [Self; 8] = [Self::S1, Self::S2, Self::S3, Self::S4, Self::S5, Self::S6, Self::S7, Self::S8];

    /// In words.
    pub const fn title(self) -> &'static str {
        match self {
            Self::S1 => "One to one, sound and picture",
            Self::S2 => "Ten in a gallery, three sizes of each picture",
            Self::S3 => "Three, one of them an interpreter",
            Self::S4 => "One to one, sound alone",
            Self::S5 => "Many join while others talk",
            Self::S6 => "Packets are lost",
            Self::S7 => "The path narrows and widens again",
            Self::S8 => "People come and go for long",
        }
    }

    /// How many rooms are a full load: on the slow machine of docs/performance.md about two thirds of a core of our relay, and less
    /// than three quarters of the generator's.
    const fn full_rooms(self) -> usize {
        match self {
            Self::S1 => 192,
            Self::S2 => 12,
            Self::S3 => 96,
            Self::S4 => 400,
            Self::S5 | Self::S8 => 48,
            // The path is on the generator's core too.
            Self::S6 | Self::S7 => 16,
        }
    }

    /// The same for rooms like `room`: as many people, where fewer of them fit into one.
    pub fn rooms_like(self, room: &Room) -> usize {
        let people = self.full_rooms() * self.room(Limits::NONE).seats.len();
        (people / room.seats.len().max(1)).max(1)
    }

    /// The room as a target with these limits can have it.
    pub fn room(self, limits: Limits) -> Room {
        let (wanted, picture) = match self {
            Self::S1 | Self::S5 | Self::S6 | Self::S8 => (2, Picture::One),
            // So that a server could send less.
            Self::S7 => (2, Picture::Simulcast),
            Self::S2 => (10, Picture::Simulcast),
            Self::S3 => (3, Picture::One),
            Self::S4 => (2, Picture::No),
        };
        let mut notes = Vec::new();
        let people = wanted.min(limits.participants);
        if people < wanted {
            notes.push(format!("{people} in a room instead of {wanted}: it takes no more"));
        }
        let picture = match picture {
            Picture::Simulcast if !limits.simulcast => {
                notes.push("one encoding instead of three: it has no simulcast".to_owned());
                Picture::One
            }
            other => other,
        };
        let publishes = |number: usize| if self == Self::S3 && number == 2 { Picture::No } else { picture };
        let seat = |number: usize| {
            let others = (0..people).filter(|other| *other != number);
            let seen = others.filter(|other| publishes(*other) != Picture::No).count();
            Seat {
                room: 0,
                participant: u32::try_from(number).unwrap_or(u32::MAX),
                audio: true,
                picture: publishes(number),
                receives: Receives { audio: people - 1, video: seen },
            }
        };
        Room { seats: (0..people).map(seat).collect(), notes }
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl FromStr for Scenario {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|scenario| scenario.to_string().eq_ignore_ascii_case(name));
        found.ok_or_else(|| {
            let known: Vec<String> = Self::ALL.map(|scenario| format!("{scenario} ({})", scenario.title())).to_vec();
            format!("there is no scenario {name}; there are {}", known.join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_receives_all_others_and_nobody_themselves() {
        let visit = Scenario::S1.room(Limits::NONE);
        assert!(visit.seats.iter().all(|seat| seat.receives == Receives { audio: 1, video: 1 }));
        let three = Scenario::S3.room(Limits::NONE);
        let seen: Vec<usize> = three.seats.iter().map(|seat| seat.receives.video).collect();
        assert_eq!(seen, [1, 1, 2], "the interpreter is not seen");
        assert!(three.seats.iter().all(|seat| seat.receives.audio == 2));
        assert!(three.notes.is_empty());
    }

    #[test]
    fn what_a_target_cannot_do_is_said() {
        let gallery = Scenario::S2.room(Limits { participants: 5, simulcast: false });
        assert_eq!((gallery.seats.len(), gallery.notes.len()), (5, 2));
        assert!(gallery.seats.iter().all(|seat| seat.picture == Picture::One && seat.receives.video == 4));
        let of_ten = Scenario::S2.room(Limits::NONE);
        assert_eq!(Scenario::S2.rooms_like(&gallery), 2 * Scenario::S2.rooms_like(&of_ten), "as many people");
        assert_eq!("s4".parse(), Ok(Scenario::S4));
        assert!("S9".parse::<Scenario>().is_err());
    }
}
