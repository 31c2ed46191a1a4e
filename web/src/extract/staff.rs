//! Who is signed in. A handler for receptionists takes a [`Receptionist`]; nobody else gets as far as its first line.

use crate::{cookies, errors::PageError, state::WebState, tables};
use axum::{extract::FromRequestParts, http::request::Parts};
use axum_extra::extract::CookieJar;
use domain::{AccountId, Actor, PractitionerId, Role, Who};
use scheduler::ClinicView;
use std::ops::Deref;

/// The name of the cookie of those who sign in, before any prefix.
pub const STAFF_COOKIE: &str = "bedside";

/// Somebody who signed in, whatever their role.
#[derive(Clone)]
pub struct SignedIn {
    /// Their account.
    pub account: AccountId,
    /// What they are in the clinic.
    pub role: Role,
    /// What they are called.
    pub name: String,
    /// Whom they sign in as, if a practitioner.
    pub practitioner: Option<PractitionerId>,
    /// The clinic they belong to.
    pub clinic: ClinicView,
    /// The session, as the table knows it.
    pub session: tables::sessions::TokenHash,
}

impl SignedIn {
    /// On whose behalf transactions act.
    pub fn actor(&self) -> Actor {
        Actor { clinic: self.clinic.id, who: Who::Account { id: self.account, role: self.role } }
    }
}

impl FromRequestParts<WebState> for SignedIn {
    type Rejection = PageError;

    /// Asking for anything but a stream of events counts as being there, and puts the automatic sign-out off.
    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, PageError> {
        let jar = CookieJar::from_headers(&parts.headers);
        let cookie = jar.get(&cookies::name(&state.site, STAFF_COOKIE)).ok_or(PageError::SignInFirst)?;
        let session = tables::sessions::hash(cookie.value());
        let is_there = !parts.uri.path().ends_with("/events");
        tables::sessions::resume(state, session, is_there).await?.ok_or(PageError::SessionEnded)
    }
}

macro_rules! role {
    ($(#[$doc:meta])* $name:ident, $may:expr) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name(SignedIn);

        impl Deref for $name {
            type Target = SignedIn;

            fn deref(&self) -> &SignedIn {
                &self.0
            }
        }

        impl FromRequestParts<WebState> for $name {
            type Rejection = PageError;

            async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, PageError> {
                let person = SignedIn::from_request_parts(parts, state).await?;
                let may: fn(&SignedIn) -> bool = $may;
                if may(&person) { Ok(Self(person)) } else { Err(PageError::Forbidden) }
            }
        }
    };
}

role! {
    /// Somebody who may run the desk: a receptionist, or an administrator in their place.
    Receptionist, |person| person.role.may_run_the_desk()
}

role! {
    /// Somebody who signs in as a practitioner.
    Practitioner, |person| person.role == Role::Practitioner && person.practitioner.is_some()
}

role! {
    /// Somebody who may read the whole history.
    Administrator, |person| person.role == Role::Administrator
}

impl Practitioner {
    /// Whom they sign in as.
    pub fn id(&self) -> PractitionerId {
        self.practitioner.expect("a Practitioner is made of an account that signs in as one")
    }
}
