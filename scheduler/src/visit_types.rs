//! What may be booked: the types of visit, and the receptionist who adds, changes and retires them.

use crate::{
    change_schedule::runs_the_desk,
    patients::{NOT_TEXT, is_text},
    tables,
    views::VisitTypeView,
};
use domain::{Actor, Clock, PractitionerId, Random, VisitTypeId};
use serde_json::json;
use service::{
    audit::{self, AuditEvent},
    postgres::{Db, refused_by},
};
use std::{ops::RangeInclusive, str::FromStr};

/// A type of visit as it was typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VisitTypeFields {
    /// `Follow-up`.
    pub name: String,
    /// Its length.
    pub minutes: String,
    /// Kept free before it.
    pub buffer_before_minutes: String,
    /// Kept free after it.
    pub buffer_after_minutes: String,
    /// How long before the start it must be booked at least.
    pub min_notice_minutes: String,
    /// How many days ahead it may be booked at most.
    pub horizon_days: String,
    /// Until how long before the start patients may cancel by themselves.
    pub cancel_notice_minutes: String,
    /// Patients may book it by themselves.
    pub is_public: bool,
    /// Ids of those who offer it.
    pub practitioners: Vec<String>,
}

/// What is wrong with each field; `None` where nothing is. Sentences for the person who typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VisitTypeErrors {
    /// About the name.
    pub name: Option<&'static str>,
    /// About the length.
    pub minutes: Option<&'static str>,
    /// About the time before.
    pub buffer_before_minutes: Option<&'static str>,
    /// About the time after.
    pub buffer_after_minutes: Option<&'static str>,
    /// About the notice.
    pub min_notice_minutes: Option<&'static str>,
    /// About the horizon.
    pub horizon_days: Option<&'static str>,
    /// About cancelling.
    pub cancel_notice_minutes: Option<&'static str>,
    /// About those who offer it.
    pub practitioners: Option<&'static str>,
}

/// Why a type of visit was not saved.
#[derive(Debug, thiserror::Error)]
pub enum SaveVisitTypeError {
    /// Some fields need correcting.
    #[error("some fields need correcting")]
    Fields(Box<VisitTypeErrors>),
    /// Not a type of this clinic, or retired meanwhile.
    #[error("there is no such type of visit")]
    NotFound,
    /// Only the desk changes what may be booked.
    #[error("only the desk changes what may be booked")]
    NotAllowed,
    /// Postgres failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// The clinic's visit types that are offered, by name.
pub async fn visit_types(db: &Db, by: &Actor) -> Result<Vec<VisitTypeView>, sqlx::Error> {
    tables::visit_types::list(&mut *db.begin(by).await?, by.clinic).await
}

/// Adds a type of visit, or changes one. What is booked already keeps its length.
pub async fn save_visit_type(
    db: &Db,
    random: &dyn Random,
    by: &Actor,
    id: Option<VisitTypeId>,
    fields: &VisitTypeFields,
) -> Result<VisitTypeId, SaveVisitTypeError> {
    if !runs_the_desk(by) {
        return Err(SaveVisitTypeError::NotAllowed);
    }
    let mut tx = db.begin(by).await?;
    let known = tables::practitioners::list(&mut tx, by.clinic).await?;
    let is_known = |id: &PractitionerId| known.iter().any(|one| one.id == *id);
    let new_id = id.unwrap_or_else(|| VisitTypeId(random.uuid()));
    let wanted = read(new_id, fields, is_known).map_err(SaveVisitTypeError::Fields)?;
    let written = match id {
        Some(id) if tables::visit_types::find(&mut tx, by.clinic, id).await?.is_none() => {
            return Err(SaveVisitTypeError::NotFound);
        }
        Some(_) => tables::visit_types::change(&mut tx, by.clinic, &wanted).await,
        None => tables::visit_types::add(&mut tx, by.clinic, &wanted).await,
    };
    written.map_err(|error| match refused_by(&error) {
        Some(tables::visit_types::NAME_KEY) => SaveVisitTypeError::Fields(Box::new(VisitTypeErrors {
            name: Some("There is a type of visit of this name already."),
            ..VisitTypeErrors::default()
        })),
        _ => error.into(),
    })?;
    tables::visit_types::withdraw(&mut tx, by.clinic, new_id).await?;
    for practitioner in &wanted.practitioners {
        tables::visit_types::offer(&mut tx, by.clinic, new_id, *practitioner).await?;
    }
    let action = if id.is_some() { "visit_type.changed" } else { "visit_type.added" };
    audit::record(&mut tx, by, AuditEvent::new(action).detail(json!({ "visit_type": new_id }))).await?;
    tx.commit().await?;
    Ok(new_id)
}

/// Takes a type of visit out of what may be booked. What is booked already stays. `false` when it is not there.
pub async fn retire_visit_type(
    db: &Db,
    clock: &dyn Clock,
    by: &Actor,
    id: VisitTypeId,
) -> Result<bool, SaveVisitTypeError> {
    if !runs_the_desk(by) {
        return Err(SaveVisitTypeError::NotAllowed);
    }
    let mut tx = db.begin(by).await?;
    if !tables::visit_types::retire(&mut tx, by.clinic, id, clock.now()).await? {
        return Ok(false);
    }
    audit::record(&mut tx, by, AuditEvent::new("visit_type.retired").detail(json!({ "visit_type": id }))).await?;
    tx.commit().await?;
    Ok(true)
}

const NO_LENGTH: &str = "Enter a number of minutes from 5 to 480.";
const NO_BUFFER: &str = "Enter a number of minutes from 0 to 120.";

fn read(
    id: VisitTypeId,
    fields: &VisitTypeFields,
    is_known: impl Fn(&PractitionerId) -> bool,
) -> Result<VisitTypeView, Box<VisitTypeErrors>> {
    let mut errors = Box::<VisitTypeErrors>::default();
    let name = fields.name.split_whitespace().collect::<Vec<_>>().join(" ");
    if name.is_empty() {
        errors.name = Some("Enter a name, like Follow-up.");
    } else if name.chars().count() > 100 {
        errors.name = Some("This name is too long: at most 100 characters are kept.");
    } else if !is_text(&name) {
        errors.name = Some(NOT_TEXT);
    }
    let practitioners: Vec<_> = fields.practitioners.iter().filter_map(|id| id.parse().ok()).filter(is_known).collect();
    if practitioners.len() != fields.practitioners.len() {
        errors.practitioners = Some("One of these practitioners is not known here. Choose again.");
    }
    let view = VisitTypeView {
        id,
        name,
        minutes: number(&fields.minutes, 5..=480, NO_LENGTH, &mut errors.minutes),
        buffer_before_minutes: number(
            &fields.buffer_before_minutes,
            0..=120,
            NO_BUFFER,
            &mut errors.buffer_before_minutes,
        ),
        buffer_after_minutes: number(
            &fields.buffer_after_minutes,
            0..=120,
            NO_BUFFER,
            &mut errors.buffer_after_minutes,
        ),
        min_notice_minutes: number(
            &fields.min_notice_minutes,
            0..=129_600,
            "Choose one of these.",
            &mut errors.min_notice_minutes,
        ),
        horizon_days: number(
            &fields.horizon_days,
            1..=730,
            "Enter a number of days from 1 to 730.",
            &mut errors.horizon_days,
        ),
        cancel_notice_minutes: number(
            &fields.cancel_notice_minutes,
            0..=43_200,
            "Choose one of these.",
            &mut errors.cancel_notice_minutes,
        ),
        is_public: fields.is_public,
        practitioners,
    };
    if *errors == VisitTypeErrors::default() { Ok(view) } else { Err(errors) }
}

/// The number typed, when it lies within a range; otherwise the range's first and a sentence.
fn number<T: FromStr + PartialOrd + Copy>(
    typed: &str,
    range: RangeInclusive<T>,
    sentence: &'static str,
    error: &mut Option<&'static str>,
) -> T {
    typed.trim().parse().ok().filter(|number| range.contains(number)).unwrap_or_else(|| {
        *error = Some(sentence);
        *range.start()
    })
}
