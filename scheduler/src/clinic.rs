//! The clinic and its practitioners.

use crate::{
    tables,
    views::{ClinicView, PractitionerView},
};
use domain::Actor;
use service::postgres::Db;

/// The clinic of whoever acts.
pub async fn clinic(db: &Db, by: &Actor) -> Result<ClinicView, sqlx::Error> {
    tables::clinics::get(&mut *db.begin(by).await?, by.clinic).await
}

/// Its practitioners, by family name.
pub async fn practitioners(db: &Db, by: &Actor) -> Result<Vec<PractitionerView>, sqlx::Error> {
    tables::practitioners::list(&mut *db.begin(by).await?, by.clinic).await
}
