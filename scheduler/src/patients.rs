//! Patients are found while the receptionist types, and added.

pub(crate) mod search;

use crate::{
    tables,
    views::{AppointmentView, PatientView},
};
use domain::{Actor, Clock, PatientId, Random, Who};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use search::Query;
use service::{
    audit::{self, AuditEvent},
    postgres::Db,
};
use sqlx::PgConnection;

/// The most patients one search shows.
pub const MAX_FOUND: i64 = 20;

/// A patient to add, as typed.
#[derive(Clone, Default)]
pub struct NewPatient {
    /// Full name.
    pub name: String,
    /// Date of birth in any notation [`find_patients`] understands.
    pub birth_date: String,
    /// Optional.
    pub phone: String,
    /// Optional, but links are sent there.
    pub email: String,
}

/// What is wrong with each field; `None` where nothing is. Sentences for the person who typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PatientFieldErrors {
    /// About the name.
    pub name: Option<&'static str>,
    /// About the date of birth.
    pub birth_date: Option<&'static str>,
    /// About the phone number.
    pub phone: Option<&'static str>,
    /// About the e-mail address.
    pub email: Option<&'static str>,
}

/// Why a patient was not added.
#[derive(Debug, thiserror::Error)]
pub enum AddPatientError {
    /// Some fields need correcting.
    #[error("some fields need correcting")]
    Fields(PatientFieldErrors),
    /// Postgres failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// At most [`MAX_FOUND`] patients whose name words begin like the query's words, or who were born then, or whose phone number holds the digits.
pub async fn find_patients(db: &Db, by: &Actor, query: &str) -> Result<Vec<PatientView>, sqlx::Error> {
    let Some(query) = Query::read(query) else {
        return Ok(Vec::new());
    };
    if matches!(by.who, Who::Patient { .. }) {
        return Ok(Vec::new());
    }
    let mut tx = db.begin(by).await?;
    let phone = query.phone.as_deref();
    let mut found =
        tables::patients::search(&mut tx, by.clinic, &query.names, &query.birth_dates, phone, MAX_FOUND).await?;
    if let Some(year) = query.birth_year {
        let days = search::days_of(year);
        let born = tables::patients::search(&mut tx, by.clinic, &query.names, &days, None, MAX_FOUND).await?;
        found.extend(born);
        found.sort_by(|a, b| (&a.name, a.id).cmp(&(&b.name, b.id)));
        found.dedup_by_key(|patient| patient.id);
        found.truncate(usize::try_from(MAX_FOUND).expect("a small number"));
    }
    Ok(found)
}

/// One patient, opened by staff: the audit trail says so.
pub async fn patient(db: &Db, by: &Actor, id: PatientId) -> Result<Option<PatientView>, sqlx::Error> {
    if matches!(by.who, Who::Patient { .. }) {
        return Ok(None);
    }
    let mut tx = db.begin(by).await?;
    let Some(view) = tables::patients::find(&mut tx, by.clinic, id).await? else {
        return Ok(None);
    };
    audit::record(&mut tx, by, AuditEvent::new("patient.read").patient(id)).await?;
    tx.commit().await?;
    Ok(Some(view))
}

/// The zone a patient lives by, when they have told us: nothing is said of who they are.
pub async fn patient_zone(db: &Db, by: &Actor, id: PatientId) -> Result<Option<TimeZone>, sqlx::Error> {
    if matches!(by.who, Who::Patient { .. }) {
        return Ok(None);
    }
    let name = tables::patients::time_zone(&mut *db.begin(by).await?, by.clinic, id).await?;
    Ok(name.and_then(|name| TimeZone::get(&name).ok()))
}

/// A patient's appointments that start from `from` on, in order. Whoever opens the patient has been written down by [`patient`].
pub async fn appointments_of(
    db: &Db,
    by: &Actor,
    patient: PatientId,
    from: Timestamp,
) -> Result<Vec<AppointmentView>, sqlx::Error> {
    if matches!(by.who, Who::Patient { .. }) {
        return Ok(Vec::new());
    }
    tables::views::of_patient(&mut *db.begin(by).await?, by.clinic, patient, from).await
}

/// Adds a patient to the clinic.
pub async fn add_patient(
    db: &Db,
    clock: &dyn Clock,
    random: &dyn Random,
    by: &Actor,
    new: NewPatient,
) -> Result<PatientId, AddPatientError> {
    let mut tx = db.begin(by).await?;
    let id = insert(&mut tx, clock, random, by, new).await?;
    audit::record(&mut tx, by, AuditEvent::new("patient.added").patient(id)).await?;
    tx.commit().await?;
    Ok(id)
}

/// Checks a patient's fields and writes the row.
pub(crate) async fn insert(
    connection: &mut PgConnection,
    clock: &dyn Clock,
    random: &dyn Random,
    by: &Actor,
    new: NewPatient,
) -> Result<PatientId, AddPatientError> {
    let now = clock.now();
    let new = check(&new, now).map_err(AddPatientError::Fields)?;
    let id = PatientId(random.uuid());
    let row = tables::patients::New {
        id,
        name: &new.name,
        birth_date: new.birth_date,
        phone: new.phone.as_deref(),
        email: new.email.as_deref(),
        name_key: &search::name_key(&new.name),
        phone_key: &search::digits(new.phone.as_deref().unwrap_or_default()),
        added_at: now,
    };
    tables::patients::add(connection, by.clinic, &row).await?;
    Ok(id)
}

/// A patient whose fields make sense.
pub(crate) struct Checked {
    pub(crate) name: String,
    pub(crate) birth_date: Date,
    pub(crate) phone: Option<String>,
    pub(crate) email: Option<String>,
}

pub(crate) fn check(new: &NewPatient, now: Timestamp) -> Result<Checked, PatientFieldErrors> {
    let (name, birth_date) = (name(&new.name), birth_date(&new.birth_date, now));
    let (phone, email) = (phone(&new.phone), email(&new.email));
    match (name, birth_date, phone, email) {
        (Ok(name), Ok(birth_date), Ok(phone), Ok(email)) => Ok(Checked { name, birth_date, phone, email }),
        (name, birth_date, phone, email) => Err(PatientFieldErrors {
            name: name.err(),
            birth_date: birth_date.err(),
            phone: phone.err(),
            email: email.err(),
        }),
    }
}

/// What is said of a text that holds a control character.
pub(crate) const NOT_TEXT: &str = "This holds a character that is no text. Type it instead of pasting it.";

/// Whether a text can be kept: Postgres has no place for U+0000, and people none for other control characters.
pub(crate) fn is_text(text: &str) -> bool {
    !text.chars().any(|c| c.is_control() && !c.is_whitespace())
}

fn name(text: &str) -> Result<String, &'static str> {
    let name = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match name.chars().count() {
        0 => Err("Enter the full name."),
        _ if !is_text(&name) => Err(NOT_TEXT),
        1..=200 => Ok(name),
        _ => Err("Shorten the name to 200 characters."),
    }
}

fn birth_date(text: &str, now: Timestamp) -> Result<Date, &'static str> {
    const UNREADABLE: &str = "Enter the date of birth as day, month, year, like 14/03/1961.";
    let today = now.to_zoned(TimeZone::UTC).date();
    let date = *search::dates(text.trim()).first().ok_or(UNREADABLE)?;
    match date.year() {
        _ if date > today => Err("The date of birth lies in the future."),
        ..=1899 => Err(UNREADABLE),
        _ => Ok(date),
    }
}

fn phone(text: &str) -> Result<Option<String>, &'static str> {
    let phone = text.trim();
    let is_phone = phone.chars().all(|c| c.is_ascii_digit() || "+-() ./".contains(c));
    match (phone.len(), search::digits(phone).len()) {
        (0, _) => Ok(None),
        (..=40, 5..) if is_phone => Ok(Some(phone.to_owned())),
        _ => Err("Enter a phone number, like +44 20 7946 0123."),
    }
}

fn email(text: &str) -> Result<Option<String>, &'static str> {
    let email = text.trim();
    if email.is_empty() {
        return Ok(None);
    }
    if email.len() > 254 || email.parse::<lettre::Address>().is_err() {
        return Err("Enter an e-mail address, like name@example.org.");
    }
    Ok(Some(email.to_owned()))
}
