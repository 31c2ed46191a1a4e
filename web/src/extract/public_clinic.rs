//! The clinic whose public page somebody opened, by its name in the path.

use crate::{errors::PageError, state::WebState};
use axum::{
    extract::{FromRequestParts, Path},
    http::request::Parts,
};
use scheduler::{ClinicView, self_booking};
use std::{collections::HashMap, ops::Deref};

/// A clinic with a public page.
#[derive(Clone)]
pub struct PublicClinic {
    clinic: ClinicView,
    /// Its name in the path.
    pub slug: String,
}

impl Deref for PublicClinic {
    type Target = ClinicView;

    fn deref(&self) -> &ClinicView {
        &self.clinic
    }
}

impl From<(ClinicView, String)> for PublicClinic {
    fn from((clinic, slug): (ClinicView, String)) -> Self {
        Self { clinic, slug }
    }
}

impl FromRequestParts<WebState> for PublicClinic {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, PageError> {
        let path = Path::<HashMap<String, String>>::from_request_parts(parts, state).await;
        let Path(mut path) = path.map_err(|_| PageError::NotFound)?;
        let slug = path.remove("slug").ok_or(PageError::NotFound)?;
        let clinic = self_booking::find_clinic(&state.db, &slug).await?.ok_or(PageError::NotFound)?;
        Ok(Self { clinic, slug })
    }
}
