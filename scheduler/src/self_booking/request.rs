//! Somebody says who they are, and is sent the link that confirms. Nobody is looked up.

use super::{
    Applicant, GOOD_FOR, LANGUAGES, SelfBookingView, Visitor, actor,
    begin::{BeginError, Choice, take},
    limits, link,
};
use crate::{
    messages::{self, Address, MessageKind, Notice},
    patients::{self, NewPatient, PatientFieldErrors},
    tables::{self, self_bookings::Kept},
};
use domain::{Clock, Random, SelfBookingId};
use jiff::{Timestamp, tz::TimeZone};
use service::{
    audit::{self, AuditEvent},
    keys::SelfBookingKey,
    postgres::Db,
};

/// The fields as typed.
#[derive(Clone, Default)]
pub struct ApplicantForm {
    /// Full name.
    pub name: String,
    /// Date of birth, in any notation the desk understands.
    pub birth_date: String,
    /// This or a phone number is needed.
    pub email: String,
    /// This or an e-mail address is needed.
    pub phone: String,
    /// A tag of [`LANGUAGES`], or nothing.
    pub language: String,
    /// An IANA name, or nothing for the clinic's zone.
    pub time_zone: String,
}

/// What is wrong with each field; `None` where nothing is. Sentences for the person who typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApplicantFieldErrors {
    /// About the name.
    pub name: Option<&'static str>,
    /// About the date of birth.
    pub birth_date: Option<&'static str>,
    /// About the e-mail address.
    pub email: Option<&'static str>,
    /// About the phone number.
    pub phone: Option<&'static str>,
    /// About the language.
    pub language: Option<&'static str>,
    /// About the time zone.
    pub time_zone: Option<&'static str>,
}

/// Why no link was sent.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// Some fields need correcting.
    #[error("some fields need correcting")]
    Fields(ApplicantFieldErrors),
    /// No time was chosen, or what was chosen is booked.
    #[error("no time is chosen")]
    NothingChosen,
    /// The time was kept no longer, and somebody else has it. Who was named stays.
    #[error("the time is no longer kept, and has been taken")]
    TimeGone,
    /// Too many messages were asked for: to this address, from there, or at this clinic.
    #[error("too many messages were asked for")]
    TooMany,
    /// Postgres failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Notes who books and writes the message with the link. The answer and its time are the same whoever they are.
pub async fn request(
    db: &Db,
    clock: &dyn Clock,
    random: &dyn Random,
    key: &SelfBookingKey,
    visitor: Visitor<'_>,
    id: SelfBookingId,
    form: &ApplicantForm,
) -> Result<(), RequestError> {
    let clinic = visitor.clinic;
    let applicant = check(form, clock.now()).map_err(RequestError::Fields)?;
    let mut tx = db.begin(&actor(clinic)).await?;
    let chosen = tables::self_bookings::lock(&mut tx, clinic, id).await?;
    let chosen = chosen.filter(|view| view.appointment.is_none()).ok_or(RequestError::NothingChosen)?;
    tables::self_bookings::name(&mut tx, clinic, id, &applicant).await?;
    tx.commit().await?;
    if chosen.hold.is_none() {
        keep_again(db, clock, random, &chosen).await?;
    }
    write(db, clock, key, visitor, &chosen, &applicant).await
}

/// The same time once more, when nobody has taken it meanwhile.
async fn keep_again(
    db: &Db,
    clock: &dyn Clock,
    random: &dyn Random,
    chosen: &SelfBookingView,
) -> Result<(), RequestError> {
    let choice =
        Choice { visit_type: chosen.visit_type, practitioner: chosen.practitioner.id, starts_at: chosen.starts_at };
    let held = match take(db, clock, random, chosen.clinic, choice).await {
        Ok(held) => held,
        Err(BeginError::Database(error)) => return Err(error.into()),
        Err(_) => return Err(RequestError::TimeGone),
    };
    let kept = Kept {
        visit_type: choice.visit_type,
        practitioner: choice.practitioner,
        starts_at: choice.starts_at,
        ends_at: chosen.ends_at,
        hold: held.id,
        until: held.expires_at,
    };
    let mut tx = db.begin(&actor(chosen.clinic)).await?;
    tables::self_bookings::keep(&mut tx, chosen.clinic, chosen.id, &kept).await?;
    tx.commit().await?;
    Ok(())
}

async fn write(
    db: &Db,
    clock: &dyn Clock,
    key: &SelfBookingKey,
    visitor: Visitor<'_>,
    chosen: &SelfBookingView,
    applicant: &Applicant,
) -> Result<(), RequestError> {
    let Visitor { clinic, from } = visitor;
    let (by, now) = (actor(clinic), clock.now());
    let mut tx = db.begin(&by).await?;
    if limits::is_message_too_many(&mut tx, clinic, from, applicant.reached_at(), now).await? {
        tracing::warn!("too many messages were asked for by patients who book themselves");
        return Err(RequestError::TooMany);
    }
    let version = tables::self_bookings::renew_link(&mut tx, clinic, chosen.id).await?;
    let path = link::link_path(key, chosen.id, version);
    let to = match &applicant.email {
        Some(email) => Address::Email(email),
        None => Address::Phone(applicant.phone.as_deref().unwrap_or_default()),
    };
    let notice = Notice {
        kind: MessageKind::SelfBooking,
        path: path.expose(),
        about: Some(chosen.starts_at),
        expires_at: now + GOOD_FOR,
    };
    messages::notify(&mut tx, clinic, now, &[to], &notice).await?;
    audit::record(&mut tx, &by, AuditEvent::new("self_booking.requested")).await?;
    tx.commit().await?;
    Ok(())
}

fn check(form: &ApplicantForm, now: Timestamp) -> Result<Applicant, ApplicantFieldErrors> {
    let new = NewPatient {
        name: form.name.clone(),
        birth_date: form.birth_date.clone(),
        phone: form.phone.clone(),
        email: form.email.clone(),
    };
    let (language, time_zone) = (language(&form.language), time_zone(&form.time_zone));
    let has_address = !form.email.trim().is_empty() || !form.phone.trim().is_empty();
    let errors = ApplicantFieldErrors {
        language: language.as_ref().err().copied(),
        time_zone: time_zone.as_ref().err().copied(),
        email: (!has_address).then_some("Enter an e-mail address or a phone number: the link is sent there."),
        ..ApplicantFieldErrors::default()
    };
    match patients::check(&new, now) {
        Ok(checked) if errors == ApplicantFieldErrors::default() => Ok(Applicant {
            name: checked.name,
            birth_date: checked.birth_date,
            email: checked.email,
            phone: checked.phone,
            language: language.unwrap_or_default(),
            time_zone: time_zone.unwrap_or_default(),
        }),
        Ok(_) => Err(errors),
        Err(PatientFieldErrors { name, birth_date, phone, email }) => {
            Err(ApplicantFieldErrors { name, birth_date, phone, email: errors.email.or(email), ..errors })
        }
    }
}

fn language(tag: &str) -> Result<Option<String>, &'static str> {
    match tag.trim() {
        "" => Ok(None),
        tag if LANGUAGES.iter().any(|(known, _)| *known == tag) => Ok(Some(tag.to_owned())),
        _ => Err("Choose a language from the list."),
    }
}

fn time_zone(name: &str) -> Result<Option<String>, &'static str> {
    match name.trim() {
        "" => Ok(None),
        name if name.len() <= 64 && TimeZone::get(name).is_ok() => Ok(Some(name.to_owned())),
        _ => Err("We do not know this time zone. Choose one from the list."),
    }
}
