//! Lists page by page. A cursor says after which item the next page begins, so that what is written meanwhile moves nothing.

use super::problem::{Code, Problem};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned, de::Error as _};
use utoipa::ToSchema;

/// The most items of one page.
pub(crate) const MAX_LIMIT: usize = 200;

/// The items of one page when nothing is said.
const DEFAULT_LIMIT: usize = 50;

/// A page of a list.
#[derive(Serialize, ToSchema)]
pub(crate) struct Page<T> {
    /// In a fixed order.
    pub(crate) items: Vec<T>,
    /// What to send as `cursor` for the next page; null when this is the last one.
    #[schema(required)]
    pub(crate) next: Option<String>,
}

impl<T> Page<T> {
    /// A page of what was read, at most one item more than `limit` so that a next page is known of.
    pub(crate) fn new<P: Serialize>(mut read: Vec<T>, limit: usize, place: impl Fn(&T) -> P) -> Self {
        let is_more = read.len() > limit;
        read.truncate(limit);
        let next = read.last().filter(|_| is_more).map(|last| cursor(&place(last)));
        Self { items: read, next }
    }

    /// Shows each item otherwise.
    pub(crate) fn map<U>(self, show: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(show).collect(), next: self.next }
    }

    /// A page out of a whole list, by ids, after the one that the cursor names.
    pub(crate) fn of_all<I: Ord + Copy + Serialize + DeserializeOwned>(
        mut all: Vec<T>,
        cursor: Option<&str>,
        limit: usize,
        id: impl Fn(&T) -> I,
    ) -> Result<Self, Problem> {
        let after: Option<I> = place(cursor)?;
        all.retain(|item| after.is_none_or(|after| id(item) > after));
        all.sort_by_key(|item| id(item));
        Ok(Self::new(all, limit, id))
    }
}

fn cursor(place: &impl Serialize) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(place).expect("ids and times are JSON"))
}

/// The place that a cursor names.
pub(crate) fn place<P: DeserializeOwned>(cursor: Option<&str>) -> Result<Option<P>, Problem> {
    let Some(text) = cursor else { return Ok(None) };
    let read = URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let unknown = || Problem::field(Code::Invalid, "cursor", "Send the value of next from the page before, as it is.");
    read.map(Some).ok_or_else(unknown)
}

/// How many items a page may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limit(pub(crate) usize);

impl Default for Limit {
    fn default() -> Self {
        Self(DEFAULT_LIMIT)
    }
}

impl Limit {
    /// One more than asked for, to learn whether there is a next page.
    pub(crate) fn and_one(self) -> i64 {
        i64::try_from(self.0 + 1).expect("a small number")
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let limit = usize::deserialize(deserializer)?;
        if (1..=MAX_LIMIT).contains(&limit) { Ok(Self(limit)) } else { Err(D::Error::custom("give 1 to 200")) }
    }
}
