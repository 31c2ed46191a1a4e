//! The bare address: everybody's own page, or the way in.

use crate::{errors::PageError, extract::SignedIn};
use axum::response::Redirect;
use domain::Role;

/// To the desk, the day, or the sign-in.
pub(crate) async fn get(person: Result<SignedIn, PageError>) -> Result<Redirect, PageError> {
    match person {
        Ok(person) => Ok(Redirect::to(home(person.role))),
        Err(error) => Err(error),
    }
}

/// Where a day of work begins.
pub(crate) const fn home(role: Role) -> &'static str {
    match role {
        Role::Receptionist | Role::Administrator => "/desk",
        Role::Practitioner => "/day",
    }
}
