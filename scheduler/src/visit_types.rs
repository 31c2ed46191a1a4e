//! What may be booked.

use crate::{tables, views::VisitTypeView};
use domain::Actor;
use service::postgres::Db;

/// The clinic's visit types that are offered, by name.
pub async fn visit_types(db: &Db, by: &Actor) -> Result<Vec<VisitTypeView>, sqlx::Error> {
    tables::visit_types::list(&mut *db.begin(by).await?, by.clinic).await
}
