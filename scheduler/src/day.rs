//! A day's appointments, for the front desk and for a practitioner.

use crate::{tables, views::AppointmentView};
use domain::{Actor, PractitionerId, Who};
use jiff::civil::Date;
use service::postgres::Db;

/// The appointments of a day of the clinic, of one practitioner or of all, in order. Nothing for a patient.
pub async fn day(
    db: &Db,
    by: &Actor,
    date: Date,
    practitioner: Option<PractitionerId>,
) -> Result<Vec<AppointmentView>, sqlx::Error> {
    if matches!(by.who, Who::Patient { .. }) {
        return Ok(Vec::new());
    }
    let mut tx = db.begin(by).await?;
    let clinic = tables::clinics::get(&mut tx, by.clinic).await?;
    let (from, to) = crate::availability::bounds(date, &clinic.zone);
    tables::views::between(&mut tx, &clinic, from, to, practitioner.as_slice()).await
}
