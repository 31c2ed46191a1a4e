//! A letter as one text message: what does not fit is said in fewer words, then the clinic's name is shortened; a link stays whole.
//!
//! One message holds 160 characters of the GSM alphabet (3GPP TS 23.038 §6.2.1, where some count twice), or 70 of any other. A longer one is
//! sent as several, and each is paid for.

use crate::patients::search::unmarked;
use domain::Redacted;

/// What a text message says, before it is made to fit.
pub(crate) struct Short<'a> {
    /// Who says it.
    pub(crate) clinic: &'a str,
    /// What, in words that grow fewer.
    pub(crate) says: Vec<String>,
    /// Where to press; stands at the end.
    pub(crate) link: Option<&'a Redacted<String>>,
}

/// The most septets of one message.
const MOST_SEPTETS: usize = 160;

/// The most UTF-16 units of one message with a letter that the GSM alphabet lacks.
const MOST_UNITS: usize = 70;

/// Stands for a clinic of whose name nothing fits.
const UNNAMED: &str = "Your clinic";

/// The alphabet, as the table has it.
const ALPHABET: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
    ¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";

/// Written with an escape before them.
const EXTENSION: &str = "^{}\\[~]|€\u{c}";

/// The text of the message.
pub(crate) fn fit(short: &Short<'_>) -> String {
    let name = written(short.clinic);
    let whole = short.says.iter().map(|says| format!("{name}{}", rest(says, short.link)));
    if let Some(text) = whole.into_iter().find(|text| is_one_message(text)) {
        return text;
    }
    let fewest = short.says.last().map(|says| rest(says, short.link)).unwrap_or_default();
    let name = shortened(&name, &fewest).unwrap_or_else(|| UNNAMED.to_owned());
    format!("{name}{fewest}")
}

fn rest(says: &str, link: Option<&Redacted<String>>) -> String {
    match link {
        Some(link) => format!(": {says} {}", link.expose()),
        None => format!(": {says}"),
    }
}

/// As much of a name as fits before `rest`; `None` when that is nothing.
fn shortened(name: &str, rest: &str) -> Option<String> {
    let ends: Vec<usize> = name.char_indices().map(|(at, _)| at).filter(|at| *at > 0).collect();
    let cuts = ends.into_iter().rev().map(|end| format!("{}.", name[..end].trim_end()));
    cuts.into_iter().find(|cut| is_one_message(&format!("{cut}{rest}")))
}

fn is_one_message(text: &str) -> bool {
    match septets(text) {
        Some(septets) => septets <= MOST_SEPTETS,
        None => text.encode_utf16().count() <= MOST_UNITS,
    }
}

/// How many septets a text takes; `None` when the alphabet lacks a letter of it.
fn septets(text: &str) -> Option<usize> {
    text.chars()
        .map(|letter| if ALPHABET.contains(letter) { Some(1) } else { EXTENSION.contains(letter).then_some(2) })
        .sum()
}

/// A name in letters that the alphabet has, as far as leaving out their marks does that: `Łódź` is read as `Lodz`.
fn written(name: &str) -> String {
    let mut written = String::with_capacity(name.len());
    for letter in name.chars() {
        let mut lower = letter.to_lowercase();
        let plain = lower.next().and_then(unmarked).filter(|_| septets(letter.encode_utf8(&mut [0; 4])).is_none());
        match plain {
            Some(plain) if letter.is_uppercase() => written.push_str(&plain.to_uppercase()),
            Some(plain) => written.push_str(plain),
            None => written.push(letter),
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link() -> Redacted<String> {
        Redacted::new(format!("https://bedside.example/visit/{}", "A".repeat(46)))
    }

    fn said(clinic: &str, link: Option<&Redacted<String>>) -> String {
        let says =
            ["your video visit is booked for Tue 24 Nov, 10:00. Join or cancel:", "video visit Tue 24 Nov, 10:00"];
        fit(&Short { clinic, says: says.map(str::to_owned).to_vec(), link })
    }

    #[test]
    fn a_short_name_and_all_the_words_fit() {
        let text = said("riverside", Some(&link()));
        assert!(
            text.starts_with("riverside: your video visit is booked for Tue 24 Nov, 10:00. Join or cancel: https://")
        );
        assert!(septets(&text).is_some_and(|septets| septets <= 160), "{text}");
    }

    #[test]
    fn a_longer_name_takes_fewer_words_and_a_very_long_one_is_cut() {
        let text = said("Riverside Family Clinic", Some(&link()));
        assert!(text.starts_with("Riverside Family Clinic: video visit Tue 24 Nov, 10:00 https://"), "{text}");
        for length in 24..200 {
            let name: String = "The Practice of Doctors Osei, Marsh, Voss and Their Many Colleagues by the River "
                .chars()
                .cycle()
                .take(length)
                .collect();
            let text = said(&name, Some(&link()));
            assert!(septets(&text).is_some_and(|septets| septets <= 160), "{text}");
            assert!(text.ends_with(link().expose()) && text.contains("Tue 24 Nov, 10:00"), "{text}");
            assert!(text.starts_with("The Practice of Doctors"), "{text}");
        }
    }

    #[test]
    fn marks_that_the_alphabet_lacks_are_left_out_of_a_name_and_the_others_stay() {
        assert_eq!(written("Łódź Ärzte"), "Lodz Ärzte");
        assert!(said("Přerov", Some(&link())).starts_with("Prerov: your video visit"));
    }

    #[test]
    fn other_letters_leave_seventy_characters() {
        let text = said("Клиника у реки", None);
        assert_eq!(text, "Клиника у реки: video visit Tue 24 Nov, 10:00");
        for length in 4..120 {
            let name: String = "Клиника у самой реки ".chars().cycle().take(length).collect();
            let text = said(&name, None);
            assert!(septets(&text).is_none() && text.encode_utf16().count() <= 70, "{text}");
            assert!(text.ends_with(": video visit Tue 24 Nov, 10:00"), "{text}");
        }
        // A link alone is longer than that: without the name the message is one of 160.
        let text = said("Клиника у реки", Some(&link()));
        assert!(text.starts_with("Your clinic: video visit") && text.ends_with(link().expose()), "{text}");
        assert!(septets(&text).is_some_and(|septets| septets <= 160), "{text}");
    }

    #[test]
    fn brackets_and_the_euro_count_twice() {
        assert_eq!(septets("[€]"), Some(6));
        let text = said(&"[]".repeat(60), Some(&link()));
        assert!(septets(&text).is_some_and(|septets| septets <= 160), "{text}");
    }

    #[test]
    fn a_link_that_is_too_long_stays_whole() {
        let long = Redacted::new(format!("https://bedside.example/{}", "a".repeat(300)));
        assert!(said("riverside", Some(&long)).ends_with(long.expose()));
    }
}
