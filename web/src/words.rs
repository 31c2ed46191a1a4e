//! Times, names and lengths as people say them.

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use scheduler::{ResourceKind, ResourceView};
use std::sync::LazyLock;

/// `09:30`, on the clinic's wall clock.
pub fn time(at: Timestamp, zone: &TimeZone) -> String {
    let time = zone.to_datetime(at).time();
    format!("{:02}:{:02}", time.hour(), time.minute())
}

/// `Tuesday 24 November`.
pub fn long_date(date: Date) -> String {
    date.strftime("%A %-d %B").to_string()
}

/// `14 Mar 1961`.
pub fn short_date(date: Date) -> String {
    date.strftime("%-d %b %Y").to_string()
}

/// `Tuesday 24 November, 09:30`.
pub fn date_and_time(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%A %-d %B, %H:%M").to_string()
}

/// The day of the clinic in which `at` lies.
pub fn day_of(at: Timestamp, zone: &TimeZone) -> Date {
    zone.to_datetime(at).date()
}

/// What people call the clock of a zone: `London`, of Europe/London.
pub fn zone(zone: &TimeZone) -> String {
    let name = zone.iana_name().unwrap_or("UTC");
    name.rsplit('/').next().unwrap_or(name).replace('_', " ")
}

/// The zones that people name by a place, as IANA names.
pub fn zones() -> &'static [String] {
    static ZONES: LazyLock<Vec<String>> = LazyLock::new(|| {
        const REGIONS: [&str; 10] = [
            "Africa/",
            "America/",
            "Antarctica/",
            "Arctic/",
            "Asia/",
            "Atlantic/",
            "Australia/",
            "Europe/",
            "Indian/",
            "Pacific/",
        ];
        let names = jiff::tz::db().available().map(|name| name.as_str().to_owned());
        let mut zones: Vec<_> = names.filter(|name| REGIONS.iter().any(|region| name.starts_with(region))).collect();
        zones.sort();
        zones
    });
    &ZONES
}

/// Whole minutes, never negative.
pub fn minutes(length: SignedDuration) -> i64 {
    length.as_mins().max(0)
}

/// `under a minute`, `6 min`, `2 h 5 min`.
pub fn length(length: SignedDuration) -> String {
    match minutes(length) {
        0 => "under a minute".to_owned(),
        minutes if minutes < 60 => format!("{minutes} min"),
        minutes if minutes % 60 == 0 => format!("{} h", minutes / 60),
        minutes => format!("{} h {} min", minutes / 60, minutes % 60),
    }
}

/// The first letters of the first and the last name: `MS`. A title is not a name.
pub fn initials(name: &str) -> String {
    let is_title = |word: &&str| !matches!(word.trim_end_matches('.'), "Dr" | "Mr" | "Ms" | "Mrs" | "Prof");
    let mut letters = name.split_whitespace().filter(is_title).filter_map(|word| word.chars().next());
    let first = letters.next();
    let last = letters.next_back();
    first.into_iter().chain(last).flat_map(char::to_uppercase).collect()
}

/// `Lucía Prado, interpreter`; a room or a device by its name.
pub fn resource(one: &ResourceView) -> String {
    match one.kind {
        ResourceKind::Interpreter => format!("{}, interpreter", one.name),
        ResourceKind::Room | ResourceKind::Device => one.name.clone(),
    }
}

/// A language by its name, or by its tag where we know no name.
pub fn language(tag: &str) -> String {
    let name = match tag.split('-').next().unwrap_or(tag) {
        "ar" => "Arabic",
        "bn" => "Bengali",
        "cs" => "Czech",
        "de" => "German",
        "el" => "Greek",
        "en" => "English",
        "es" => "Spanish",
        "fa" => "Persian",
        "fr" => "French",
        "hi" => "Hindi",
        "it" => "Italian",
        "ja" => "Japanese",
        "ku" => "Kurdish",
        "nl" => "Dutch",
        "pa" => "Punjabi",
        "pl" => "Polish",
        "pt" => "Portuguese",
        "ro" => "Romanian",
        "ru" => "Russian",
        "so" => "Somali",
        "ta" => "Tamil",
        "tr" => "Turkish",
        "uk" => "Ukrainian",
        "ur" => "Urdu",
        "vi" => "Vietnamese",
        "yue" => "Cantonese",
        "zh" => "Chinese",
        "bfi" => "British Sign Language",
        _ => return tag.to_owned(),
    };
    name.to_owned()
}

/// `Good morning`, by the clinic's wall clock.
pub fn greeting(at: Timestamp, zone: &TimeZone) -> &'static str {
    match at.to_zoned(zone.clone()).hour() {
        0..12 => "Good morning",
        12..18 => "Good afternoon",
        _ => "Good evening",
    }
}

/// The end of a phone number, enough to tell two people apart: `··· 4471`.
pub fn phone_ending(phone: &str) -> String {
    let digits: Vec<char> = phone.chars().filter(char::is_ascii_digit).collect();
    match digits.len() {
        0..4 => String::new(),
        count => format!("··· {}", digits[count - 4..].iter().collect::<String>()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_leave_the_title_out() {
        assert_eq!(initials("Dr Hannah Osei"), "HO");
        assert_eq!(initials("Maria José da Silva Santos"), "MS");
        assert_eq!(initials("Madonna"), "M");
        assert_eq!(initials(""), "");
    }

    #[test]
    fn zones_are_called_by_their_place() {
        assert_eq!(zone(&TimeZone::get("America/New_York").expect("a zone")), "New York");
        assert!(zones().iter().any(|name| name == "Asia/Ho_Chi_Minh"));
        assert!(zones().iter().all(|name| TimeZone::get(name).is_ok()));
    }

    #[test]
    fn lengths_read_as_people_say_them() {
        let minutes = SignedDuration::from_mins;
        assert_eq!(length(SignedDuration::from_secs(59)), "under a minute");
        assert_eq!(length(minutes(6)), "6 min");
        assert_eq!(length(minutes(120)), "2 h");
        assert_eq!(length(minutes(125)), "2 h 5 min");
        assert_eq!(length(minutes(-5)), "under a minute");
    }

    #[test]
    fn a_phone_number_shows_its_end_only() {
        assert_eq!(phone_ending("+44 7700 904471"), "··· 4471");
        assert_eq!(phone_ending("12"), "");
    }
}
