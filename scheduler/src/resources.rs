//! Interpreters, rooms and devices.

use crate::{tables, views::ResourceView};
use domain::{Actor, Who};
use service::postgres::Db;

/// What may be reserved with a visit, by kind and name. Nothing for a patient.
pub async fn resources(db: &Db, by: &Actor) -> Result<Vec<ResourceView>, sqlx::Error> {
    if matches!(by.who, Who::Patient { .. }) {
        return Ok(Vec::new());
    }
    tables::resources::list(&mut *db.begin(by).await?, by.clinic).await
}
