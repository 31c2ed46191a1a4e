//! The address of the clinic's public page, where patients book themselves.

use crate::tables::{self, clinics::SLUG_KEY};
use domain::{Actor, Role, Who};
use serde_json::json;
use service::{
    audit::{self, AuditEvent},
    postgres::{Db, refused_by},
};

/// The longest last part of the address, in characters.
pub const MAX_SLUG_CHARS: usize = 80;

/// Why the address stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum SetSlugError {
    /// Only an administrator changes it.
    #[error("only an administrator changes the public address")]
    NotAllowed,
    /// Not small letters, digits and single hyphens between them.
    #[error("the public address has small letters, digits and hyphens")]
    Malformed,
    /// Another clinic of this installation has it.
    #[error("another clinic has this public address")]
    Taken,
    /// Postgres failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// The last part of the address, if the clinic has one.
pub async fn slug(db: &Db, by: &Actor) -> Result<Option<String>, sqlx::Error> {
    tables::clinics::slug(&mut *db.begin(by).await?, by.clinic).await
}

/// Gives the clinic another address at once; the former leads nowhere from then on.
pub async fn set_slug(db: &Db, by: &Actor, slug: &str) -> Result<(), SetSlugError> {
    if !matches!(by.who, Who::Account { role: Role::Administrator, .. }) {
        return Err(SetSlugError::NotAllowed);
    }
    let slug = slug.trim();
    if !is_well_formed(slug) {
        return Err(SetSlugError::Malformed);
    }
    let mut tx = db.begin(by).await?;
    tables::clinics::set_slug(&mut tx, by.clinic, slug).await.map_err(|error| match refused_by(&error) {
        Some(SLUG_KEY) => SetSlugError::Taken,
        _ => error.into(),
    })?;
    audit::record(&mut tx, by, AuditEvent::new("clinic.public_address_set").detail(json!({ "slug": slug }))).await?;
    tx.commit().await?;
    Ok(())
}

/// What the constraint `clinics_slug_form` demands.
fn is_well_formed(slug: &str) -> bool {
    let is_part = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    slug.len() <= MAX_SLUG_CHARS && slug.split('-').all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_small_letters_digits_and_single_hyphens() {
        assert!(is_well_formed("riverside-family-clinic-2"));
        for wrong in ["", "-a", "a-", "a--b", "Riverside", "a b", "ä", "a/b", "a\0", &"a".repeat(81)] {
            assert!(!is_well_formed(wrong), "{wrong}");
        }
    }
}
