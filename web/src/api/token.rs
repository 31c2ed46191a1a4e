//! Who calls. A handler that needs a desk's token takes a [`Desk`]; a cookie opens nothing here, so no page of another site
//! can make a browser call the API.

use super::problem::{Code, Problem};
use crate::state::WebState;
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};
use domain::{Actor, PractitionerId, Role};
use scheduler::ApiCaller;

/// A program with a good token, whatever its role.
pub(crate) struct Caller(ApiCaller);

impl Caller {
    /// On whose behalf transactions act.
    pub(crate) fn actor(&self) -> &Actor {
        &self.0.actor
    }

    /// Whose appointments alone it sees: a practitioner's program those of the practitioner.
    pub(crate) fn own(&self) -> Option<PractitionerId> {
        self.0.practitioner
    }

    /// The wanted practitioner, as far as the caller may ask for them.
    pub(crate) fn narrowed(&self, wanted: Option<PractitionerId>) -> Result<Option<PractitionerId>, Problem> {
        match (self.own(), wanted) {
            (Some(own), Some(wanted)) if own != wanted => Err(Problem::forbidden()),
            (own, wanted) => Ok(own.or(wanted)),
        }
    }
}

impl FromRequestParts<WebState> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, Problem> {
        let missing = || Problem::new(Code::TokenMissing, "Send the header Authorization: Bearer with an API token.");
        let token = bearer(&parts.headers).ok_or_else(missing)?;
        let unknown = || Problem::new(Code::TokenUnknown, "The token was never made, or it was revoked.");
        let caller = scheduler::api_caller(&state.db, &*state.clock, token).await?.ok_or_else(unknown)?;
        if !state.api_limits.admit(caller.id, state.clock.now()) {
            let detail = "This token calls more often than it may. Wait a moment, then go on more slowly.";
            return Err(Problem::new(Code::TooManyRequests, detail));
        }
        Ok(Self(caller))
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

macro_rules! role {
    ($(#[$doc:meta])* $name:ident, $may:expr) => {
        $(#[$doc])*
        pub(crate) struct $name(ApiCaller);

        impl $name {
            /// On whose behalf transactions act.
            pub(crate) fn actor(&self) -> &Actor {
                &self.0.actor
            }
        }

        impl FromRequestParts<WebState> for $name {
            type Rejection = Problem;

            async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, Problem> {
                let Caller(caller) = Caller::from_request_parts(parts, state).await?;
                let may: fn(Role) -> bool = $may;
                if may(caller.role) { Ok(Self(caller)) } else { Err(Problem::forbidden()) }
            }
        }
    };
}

role! {
    /// A program that may do what a receptionist does.
    Desk, Role::may_run_the_desk
}

role! {
    /// A program that may do what an administrator does.
    Administrator, |role| role == Role::Administrator
}
