//! How much of a series is meant.

use serde::Deserialize;
use utoipa::ToSchema;

/// How much of a series a change concerns.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Scope {
    #[default]
    This,
    ThisAndFollowing,
    Series,
}

impl From<Scope> for domain::Scope {
    fn from(scope: Scope) -> Self {
        match scope {
            Scope::This => Self::This,
            Scope::ThisAndFollowing => Self::ThisAndFollowing,
            Scope::Series => Self::Series,
        }
    }
}
