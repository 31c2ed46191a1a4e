//! What programs send: bodies, parameters and ids in paths. Whatever cannot be read is refused with the field that is wrong.

use super::problem::{Code, Problem};
use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Path, Query, Request},
    http::{StatusCode, header, request::Parts},
};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::{Deserialize, Deserializer, de::DeserializeOwned, de::Error as _};
use serde_json::Value;
use std::str::FromStr;
use utoipa::openapi::{
    KnownFormat, ObjectBuilder, RefOr, Schema, SchemaFormat,
    schema::{AnyOfBuilder, SchemaType, Type},
};

/// A JSON body, whole and without fields that nobody knows.
pub(crate) struct Body<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_json(&request) {
            let detail = "Send the body as JSON, with the header Content-Type: application/json.";
            return Err(Problem::new(Code::UnsupportedMediaType, detail));
        }
        let bytes = Bytes::from_request(request, state).await.map_err(|refusal| {
            if axum::response::IntoResponse::into_response(refusal).status() == StatusCode::PAYLOAD_TOO_LARGE {
                Problem::new(Code::TooLarge, "The body may have 64 KiB at most.")
            } else {
                Problem::new(Code::Malformed, "The body ended before it was whole.")
            }
        })?;
        let value: Value = serde_json::from_slice(&bytes).map_err(|error| {
            let place = format!("The body is not JSON: see line {}, column {}.", error.line(), error.column());
            Problem::new(Code::Malformed, place)
        })?;
        refuse_nul(&value, "")?;
        serde_path_to_error::deserialize(value).map(Self).map_err(|error| {
            let path = error.path().to_string();
            let field = if path == "." { "body" } else { &path };
            Problem::fields([(field.to_owned(), sentence(&error.into_inner().to_string()))])
        })
    }
}

fn is_json(request: &Request) -> bool {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let kind = kind.split(';').next().unwrap_or("").trim();
    kind.eq_ignore_ascii_case("application/json")
}

/// Refuses a character that Postgres cannot keep in a text, and names the field that holds it.
fn refuse_nul(value: &Value, path: &str) -> Result<(), Problem> {
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match value {
        Value::String(text) if text.contains('\0') => {
            Err(Problem::fields([(path.to_owned(), "A text must not hold the character U+0000.".to_owned())]))
        }
        Value::Array(values) => values.iter().try_for_each(|value| refuse_nul(value, path)),
        Value::Object(fields) => fields.iter().try_for_each(|(name, value)| refuse_nul(value, &below(name))),
        _ => Ok(()),
    }
}

/// The parameters of a query, without any that nobody knows: a filter that is misspelt must not be left out.
pub(crate) struct Params<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = Query::<T>::try_from_uri(&parts.uri).map_err(|refusal| {
            let text = refusal.body_text();
            let text = text.strip_prefix("Failed to deserialize query string: ").unwrap_or(&text);
            let (field, what) = text.split_once(": ").unwrap_or(("query", text));
            Problem::fields([(field.to_owned(), sentence(what))])
        })?;
        Ok(Self(query.0))
    }
}

/// The id that is the path's one parameter. What is no id at all is answered like an id of nothing.
pub(crate) struct Id<T>(pub(crate) T);

impl<T: FromStr + Send, S: Sync + Send> FromRequestParts<S> for Id<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(text) = Path::<String>::from_request_parts(parts, state).await.map_err(|_| Problem::not_found())?;
        text.parse().map(Self).map_err(|_| Problem::not_found())
    }
}

/// What serde says, as a sentence. It may quote what was sent, to whoever sent it.
pub(crate) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str().trim_end_matches('.'))
}

/// The years that a calendar of a clinic is about. Others are slips, and some of them no database can keep.
const YEARS: std::ops::RangeInclusive<i16> = 1900..=2200;

/// An instant by RFC 3339.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Instant(pub(crate) Timestamp);

impl FromStr for Instant {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // In a query an unescaped `+` is read as a space.
        let text = text.replace(' ', "+");
        let at: Timestamp = text.parse().map_err(|_| "a time is written like 2026-11-24T09:30:00Z, with its offset")?;
        let year = TimeZone::UTC.to_datetime(at).year();
        if YEARS.contains(&year) { Ok(Self(at)) } else { Err("the year must lie between 1900 and 2200") }
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// A day of the calendar, `2026-11-24`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Day(pub(crate) Date);

impl FromStr for Day {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_written_so = text.len() == 10;
        let date = text.parse().ok().filter(|_| is_written_so).ok_or("a day is written like 2026-11-24")?;
        let day: Date = date;
        if YEARS.contains(&day.year()) { Ok(Self(day)) } else { Err("the year must lie between 1900 and 2200") }
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// An end of a stretch of time: an instant, or a whole day of the clinic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bound {
    /// Exactly then.
    Instant(Timestamp),
    /// The day, included.
    Day(Date),
}

/// How a [`Bound`] is written, for the description.
pub(crate) struct BoundText;

impl utoipa::ToSchema for BoundText {}

impl utoipa::PartialSchema for BoundText {
    fn schema() -> RefOr<Schema> {
        let text = |format| {
            let kind = SchemaType::Type(Type::String);
            ObjectBuilder::new().schema_type(kind).format(Some(SchemaFormat::KnownFormat(format))).build()
        };
        AnyOfBuilder::new().item(text(KnownFormat::DateTime)).item(text(KnownFormat::Date)).into()
    }
}

impl Bound {
    /// When a stretch that begins with it begins.
    pub(crate) fn first(self, zone: &TimeZone) -> Timestamp {
        match self {
            Self::Instant(at) => at,
            Self::Day(day) => start_of(day, zone),
        }
    }

    /// When a stretch that ends with it ends.
    pub(crate) fn last(self, zone: &TimeZone) -> Timestamp {
        match self {
            Self::Instant(at) => at,
            Self::Day(day) => start_of(day.tomorrow().unwrap_or(Date::MAX), zone),
        }
    }
}

fn start_of(day: Date, zone: &TimeZone) -> Timestamp {
    zone.to_timestamp(day.at(0, 0, 0, 0)).unwrap_or(Timestamp::MAX)
}

impl<'de> Deserialize<'de> for Bound {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let day = text.parse::<Day>().map(|day| Self::Day(day.0));
        day.or_else(|_| text.parse::<Instant>().map(|instant| Self::Instant(instant.0))).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_survives_a_query_that_did_not_escape_it() {
        let written: Instant = "2026-11-24T10:30:00+01:00".parse().expect("an instant");
        let read: Instant = "2026-11-24T10:30:00 01:00".parse().expect("an instant");
        assert_eq!(written, read);
    }

    #[test]
    fn a_time_without_offset_or_in_no_century_of_ours_is_refused() {
        for text in ["2026-11-24T10:30:00", "2026-11-24", "0001-01-01T00:00:00Z", "9999-01-01T00:00:00Z", "soon", ""] {
            assert!(text.parse::<Instant>().is_err(), "{text}");
        }
    }
}
