//! What the receptionist types into the search field: words of a name, a date of birth, digits of a phone number.

use jiff::{ToSpan as _, civil::Date};

/// The most words looked at; more would not find more people.
const MAX_WORDS: usize = 8;

/// The years in which somebody may be born; what lies outside is a slip.
const BIRTH_YEARS: std::ops::RangeInclusive<i16> = 1850..=2200;

/// A search, read. Every part that is there must match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Query {
    /// Patterns for `like` against `name_key`, one per word.
    pub(crate) names: Vec<String>,
    /// One of these dates of birth.
    pub(crate) birth_dates: Vec<Date>,
    /// Digits within the phone number.
    pub(crate) phone: Option<String>,
    /// The same digits may be a year of birth instead: "santos 1961".
    pub(crate) birth_year: Option<i16>,
}

impl Query {
    /// `None` when nothing that could be searched for was typed.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let mut query = Self { names: Vec::new(), birth_dates: Vec::new(), phone: None, birth_year: None };
        let text: String = text.chars().take(200).map(|c| if c.is_control() { ' ' } else { c }).collect();
        let mut digits = String::new();
        let mut words = text.split_whitespace().take(MAX_WORDS).collect::<Vec<_>>();
        if let Some(at) = words.windows(3).position(|three| spelled(three).is_some()) {
            query.birth_dates.extend(spelled(&words[at..at + 3]));
            words.drain(at..at + 3);
        }
        for word in words {
            let dates = dates(word);
            if !dates.is_empty() {
                query.birth_dates.extend(dates);
            } else if word.chars().any(char::is_alphabetic) {
                query.names.push(format!("% {}%", fold(word)));
            } else {
                digits.push_str(&self::digits(word));
            }
        }
        // A number in international notation and one from home share their last digits.
        query.birth_year = digits.parse().ok().filter(|year| BIRTH_YEARS.contains(year));
        query.phone = (digits.len() >= 3).then(|| digits.trim_start_matches('0').to_owned());
        let is_empty = query.names.is_empty() && query.birth_dates.is_empty() && query.phone.is_none();
        (!is_empty).then_some(query)
    }
}

/// What `name_key` holds: each word folded, after a space.
pub(crate) fn name_key(name: &str) -> String {
    name.split_whitespace().map(|word| format!(" {}", fold(word))).collect()
}

/// The digits of a text.
pub(crate) fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// Every day of a year.
pub(crate) fn days_of(year: i16) -> Vec<Date> {
    let first = Date::new(year, 1, 1).expect("a year of birth is a year of the calendar");
    first.series(1.day()).take_while(|day| day.year() == year).collect()
}

/// The dates that a text may mean, the likelier first: `1961-03-14`, `14.3.1961`, `14/03/1961`, `03/14/1961`, `14031961`,
/// `19610314`, `14 Mar 1961`.
pub(crate) fn dates(text: &str) -> Vec<Date> {
    let words: Vec<&str> = text.split_whitespace().collect();
    if let Some(date) = spelled(&words) {
        return vec![date];
    }
    let parts: Vec<&str> = text.split(['-', '.', '/', ' ']).filter(|part| !part.is_empty()).collect();
    if !parts.iter().all(|part| part.len() <= 8 && part.bytes().all(|byte| byte.is_ascii_digit())) {
        return Vec::new();
    }
    let candidates = match parts.as_slice() {
        [year, month, day] if year.len() == 4 => vec![(*year, *month, *day)],
        [first, second, year] if year.len() == 4 => vec![(*year, *second, *first), (*year, *first, *second)],
        [all] if all.len() == 8 => {
            vec![(&all[..4], &all[4..6], &all[6..]), (&all[4..], &all[2..4], &all[..2])]
        }
        _ => Vec::new(),
    };
    let mut dates: Vec<Date> = candidates.into_iter().filter_map(date).collect();
    dates.dedup();
    dates
}

fn date((year, month, day): (&str, &str, &str)) -> Option<Date> {
    let date = Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()?;
    BIRTH_YEARS.contains(&date.year()).then_some(date)
}

/// `14 Mar 1961` or `14 March 1961`, as our own pages write it.
fn spelled(words: &[&str]) -> Option<Date> {
    const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let [day, month, year] = words else { return None };
    let month = month.get(..3)?.to_lowercase();
    let month = MONTHS.iter().position(|known| *known == month)? + 1;
    date((year, &month.to_string(), day.trim_end_matches('.')))
}

/// Lower-case letters and digits without their marks, so that "tomas" finds Tomás.
///
/// Covers the Latin letters of European names; other scripts are compared as they are. Nothing that means
/// something to `like` remains.
fn fold(word: &str) -> String {
    let mut folded = String::with_capacity(word.len());
    for letter in word.chars().flat_map(char::to_lowercase) {
        match unmarked(letter) {
            Some(plain) => folded.push_str(plain),
            // Hyphens, apostrophes and combining marks: typed or not, the name is the same.
            None if letter.is_alphanumeric() => folded.push(letter),
            None => {}
        }
    }
    folded
}

/// A small Latin letter of European names without its marks. `None` for any other.
pub(crate) fn unmarked(letter: char) -> Option<&'static str> {
    Some(match letter {
        'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' | 'ā' | 'ă' | 'ą' => "a",
        'ç' | 'ć' | 'č' => "c",
        'ď' | 'đ' | 'ð' => "d",
        'è' | 'é' | 'ê' | 'ë' | 'ē' | 'ę' | 'ě' | 'ė' => "e",
        'ğ' | 'ģ' => "g",
        'ì' | 'í' | 'î' | 'ï' | 'ī' | 'ı' => "i",
        'ķ' => "k",
        'ł' | 'ľ' | 'ļ' => "l",
        'ñ' | 'ń' | 'ň' | 'ņ' => "n",
        'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ø' | 'ő' | 'ō' => "o",
        'ř' => "r",
        'ś' | 'š' | 'ş' | 'ș' => "s",
        'ť' | 'ţ' | 'ț' => "t",
        'ù' | 'ú' | 'û' | 'ü' | 'ū' | 'ů' | 'ű' | 'ų' => "u",
        'ý' | 'ÿ' => "y",
        'ź' | 'ż' | 'ž' => "z",
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'þ' => "th",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        text.parse().expect("a date")
    }

    #[test]
    fn a_date_of_birth_is_understood_in_several_notations() {
        for text in [
            "1961-03-14",
            "14.3.1961",
            "14/03/1961",
            "03/14/1961",
            "14-03-1961",
            "14031961",
            "19610314",
            "14 Mar 1961",
            "14. march 1961",
        ] {
            assert_eq!(dates(text), [date("1961-03-14")], "{text}");
        }
    }

    #[test]
    fn a_date_that_may_be_read_two_ways_finds_both_and_day_first_is_likelier() {
        assert_eq!(dates("03/04/1961"), [date("1961-04-03"), date("1961-03-04")]);
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in ["", "31/02/1961", "12", "1961", "maria", "07946 0123", "99999999"] {
            assert_eq!(dates(text), Vec::<Date>::new(), "{text}");
        }
    }

    #[test]
    fn name_date_and_phone_may_be_typed_together() {
        let query = Query::read("San mar 14/03/1961 0123").expect("a query");
        assert_eq!(query.names, ["% san%", "% mar%"]);
        assert_eq!(query.birth_dates, [date("1961-03-14")]);
        assert_eq!(query.phone.as_deref(), Some("123"));
    }

    #[test]
    fn a_date_as_our_pages_write_it_is_not_taken_for_a_name() {
        let query = Query::read("santos 14 Mar 1961").expect("a query");
        assert_eq!(
            (query.names, query.birth_dates, query.phone),
            (vec!["% santos%".to_owned()], vec![date("1961-03-14")], None)
        );
    }

    #[test]
    fn four_digits_may_be_a_year_of_birth_or_the_end_of_a_phone_number() {
        let query = Query::read("santos 1961").expect("a query");
        assert_eq!((query.birth_year, query.phone.as_deref()), (Some(1961), Some("1961")));
        assert_eq!((days_of(1960).len(), days_of(1961).len()), (366, 365));
        assert_eq!(Query::read("7946 0211").expect("a query").birth_year, None);
    }

    #[test]
    fn marks_do_not_matter() {
        assert_eq!(name_key("Tomás  O'Réy-Groß"), " tomas oreygross");
        assert_eq!(Query::read("TOMAS").expect("a query").names, ["% tomas%"]);
    }

    #[test]
    fn nothing_to_search_for_is_no_query() {
        for text in ["", "  ", "%", "_", "12"] {
            assert_eq!(Query::read(text), None, "{text}");
        }
    }
}
