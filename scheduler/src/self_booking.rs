//! Patients book themselves: they choose a time, which is kept for them for a while, say who they are, are sent a link, and
//! confirm. It ends in the same reservations as every other booking.
//!
//! Until the link was confirmed nobody is looked up, so that no answer, and no time it takes, says who is a patient here.

mod begin;
mod confirm;
mod limits;
mod link;
mod request;

pub use begin::{BeginError, Choice, begin, choose_again};
pub use confirm::{ConfirmError, confirm};
pub use link::{browser_token, open_browser, open_link};
pub use request::{ApplicantFieldErrors, ApplicantForm, RequestError, request};

use crate::{
    tables,
    views::{ClinicView, PractitionerView, VisitTypeView},
};
use domain::{Actor, AppointmentId, ClinicId, HoldId, SelfBookingId, VisitTypeId, Who};
use jiff::{SignedDuration, Timestamp, civil::Date};
use service::postgres::Db;

/// How long a chosen time is kept: long enough to type slowly and to wait for a message.
pub const KEPT_FOR: SignedDuration = SignedDuration::from_mins(15);

/// How long the link in the message is good, and what was typed is remembered, from the choice of the first time on.
pub const GOOD_FOR: SignedDuration = SignedDuration::from_hours(24);

/// The languages a patient may name, as BCP 47 tags, each in its own words.
pub const LANGUAGES: [(&str, &str); 20] = [
    ("en", "English"),
    ("ar", "العربية"),
    ("bn", "বাংলা"),
    ("de", "Deutsch"),
    ("es", "Español"),
    ("fa", "فارسی"),
    ("fr", "Français"),
    ("hi", "हिन्दी"),
    ("it", "Italiano"),
    ("pa", "ਪੰਜਾਬੀ"),
    ("pl", "Polski"),
    ("pt", "Português"),
    ("ro", "Română"),
    ("ru", "Русский"),
    ("so", "Soomaali"),
    ("tr", "Türkçe"),
    ("uk", "Українська"),
    ("ur", "اردو"),
    ("vi", "Tiếng Việt"),
    ("zh", "中文"),
];

/// Who books, as they say. Never log one.
#[derive(Clone, PartialEq, Eq)]
pub struct Applicant {
    /// Full name.
    pub name: String,
    /// Date of birth.
    pub birth_date: Date,
    /// Where the link is sent.
    pub email: Option<String>,
    /// Where it is sent when there is no e-mail address.
    pub phone: Option<String>,
    /// One of [`LANGUAGES`].
    pub language: Option<String>,
    /// IANA name of the zone they are in.
    pub time_zone: Option<String>,
}

impl Applicant {
    /// Where the link is sent: whoever opens it has shown that this address is theirs. The other address has shown nothing.
    pub fn reached_at(&self) -> &str {
        self.email.as_deref().or(self.phone.as_deref()).unwrap_or_default()
    }
}

/// Somebody on the public page of a clinic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Visitor<'a> {
    /// The clinic.
    pub clinic: ClinicId,
    /// The household or house they come from, for limits.
    pub from: &'a str,
}

/// How far somebody has come.
#[derive(Clone)]
pub struct SelfBookingView {
    /// Which.
    pub id: SelfBookingId,
    /// With which clinic.
    pub clinic: ClinicId,
    /// What kind of visit.
    pub visit_type: VisitTypeId,
    /// What it is called.
    pub visit_type_name: String,
    /// With whom.
    pub practitioner: PractitionerView,
    /// When it begins.
    pub starts_at: Timestamp,
    /// When it ends.
    pub ends_at: Timestamp,
    /// Until when the time is, or was, kept.
    pub kept_until: Timestamp,
    /// What keeps the time. Nothing once it is over, by the database's clock.
    pub hold: Option<HoldId>,
    /// Who they are, once said.
    pub applicant: Option<Applicant>,
    /// Which link is good; 0 before the first message.
    pub(crate) link_version: i16,
    /// What came of it.
    pub appointment: Option<AppointmentId>,
}

/// On whose behalf patients book who are not known yet.
pub fn actor(clinic: ClinicId) -> Actor {
    Actor { clinic, who: Who::Service("public page") }
}

/// The clinic at a public address.
pub async fn find_clinic(db: &Db, slug: &str) -> Result<Option<ClinicView>, sqlx::Error> {
    let found = tables::clinics::find_by_slug(&mut *db.door().await?, slug).await?;
    let Some(clinic) = found else { return Ok(None) };
    crate::clinic(db, &actor(clinic)).await.map(Some)
}

/// What patients may book by themselves, by name.
pub async fn public_visit_types(db: &Db, clinic: ClinicId) -> Result<Vec<VisitTypeView>, sqlx::Error> {
    let mut types = crate::visit_types(db, &actor(clinic)).await?;
    types.retain(|one| one.is_public && !one.practitioners.is_empty());
    Ok(types)
}

/// How far the owner of a browser's token has come.
pub async fn find(db: &Db, clinic: ClinicId, id: SelfBookingId) -> Result<Option<SelfBookingView>, sqlx::Error> {
    tables::self_bookings::find(&mut *db.begin(&actor(clinic)).await?, clinic, id).await
}
