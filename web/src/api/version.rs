//! Versions of appointments: `ETag` in answers, `If-Match` in requests (RFC 9110 §13.1.1).

use super::problem::{Code, Problem};
use axum::{
    extract::FromRequestParts,
    http::{header, request::Parts},
};

/// How a version is written in `ETag`.
pub(crate) fn tag(version: i64) -> String {
    format!("\"{version}\"")
}

/// The versions that a request is meant for; `None` for any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IfMatch(Option<Vec<i64>>);

impl IfMatch {
    fn read(text: &str) -> Self {
        if text.trim() == "*" {
            return Self(None);
        }
        // A weak tag never matches (RFC 9110 §8.8.3.2), and what is no version of ours matches none.
        let versions = text.split(',').filter_map(|tag| tag.trim().strip_prefix('"')?.strip_suffix('"')?.parse().ok());
        Self(Some(versions.collect()))
    }

    /// The version to insist on when `present` is the appointment's.
    pub(crate) fn insist(&self, present: i64) -> Result<Option<i64>, Problem> {
        match &self.0 {
            None => Ok(None),
            Some(versions) if versions.contains(&present) => Ok(Some(present)),
            Some(_) => Err(mismatch()),
        }
    }

    /// Whether any version will do.
    pub(crate) fn is_any(&self) -> bool {
        self.0.is_none()
    }
}

/// The refusal of a request that was meant for another version.
pub(crate) fn mismatch() -> Problem {
    Problem::new(Code::VersionMismatch, "The appointment has been changed since that version. Read it again.")
}

impl<S: Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut values = parts.headers.get_all(header::IF_MATCH).iter().peekable();
        if values.peek().is_none() {
            return Ok(Self(None));
        }
        let all: Vec<_> = values.map(|value| value.to_str().unwrap_or_default()).collect();
        Ok(Self::read(&all.join(",")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_strong_tag_of_the_present_version_matches() {
        assert_eq!(IfMatch::read("*").insist(3).expect("any"), None);
        assert_eq!(IfMatch::read("\"3\"").insist(3).expect("the version"), Some(3));
        assert_eq!(IfMatch::read("\"1\", \"3\"").insist(3).expect("one of them"), Some(3));
        for other in ["\"2\"", "W/\"3\"", "3", "", "\"abc\""] {
            assert!(IfMatch::read(other).insist(3).is_err(), "{other}");
        }
    }
}
