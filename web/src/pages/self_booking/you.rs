//! Who you are: as little as is needed to know a person again, and an address for the link.

use super::{
    Notice, Visit, begun,
    choose::{Chosen, Wish},
    phone_link, times, too_many,
};
use crate::{
    errors::PageError,
    extract::{PeerAddress, PublicClinic},
    page::Page,
    state::WebState,
    words,
};
use askama::Template;
use axum::{
    Form,
    extract::State,
    http::StatusCode,
    response::{Html, IntoResponse, Redirect, Response},
};
use axum_extra::extract::CookieJar;
use scheduler::self_booking::{
    self, Applicant, ApplicantFieldErrors, ApplicantForm, LANGUAGES, RequestError, SelfBookingView, Visitor,
};
use serde::Deserialize;

#[derive(Template)]
#[template(path = "self_booking/you.html")]
struct YouPage {
    page: Page,
    clinic: PublicClinic,
    visit: Visit,
    typed: Typed,
    errors: ApplicantFieldErrors,
    zones: &'static [String],
    zone_words: String,
}

impl YouPage {
    fn phone_link(&self) -> String {
        phone_link(&self.clinic)
    }

    fn has_errors(&self) -> bool {
        self.errors != ApplicantFieldErrors::default()
    }
}

/// The fields as typed.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Typed {
    name: String,
    birth_date: String,
    email: String,
    phone: String,
    language: String,
    time_zone: String,
}

impl Typed {
    fn form(&self) -> ApplicantForm {
        ApplicantForm {
            name: self.name.clone(),
            birth_date: self.birth_date.clone(),
            email: self.email.clone(),
            phone: self.phone.clone(),
            language: self.language.clone(),
            time_zone: self.time_zone.clone(),
        }
    }
}

impl From<&Applicant> for Typed {
    fn from(applicant: &Applicant) -> Self {
        let applicant = applicant.clone();
        Self {
            name: applicant.name,
            birth_date: words::short_date(applicant.birth_date),
            email: applicant.email.unwrap_or_default(),
            phone: applicant.phone.unwrap_or_default(),
            language: applicant.language.unwrap_or_default(),
            time_zone: applicant.time_zone.unwrap_or_default(),
        }
    }
}

/// The form, with what this browser has said before.
pub(crate) async fn get(
    State(state): State<WebState>,
    clinic: PublicClinic,
    jar: CookieJar,
    page: Page,
) -> Result<Response, PageError> {
    let Some(view) = chosen(&state, &clinic, &jar).await? else { return Ok(to_types(&clinic)) };
    let typed = view.applicant.as_ref().map(Typed::from).unwrap_or_default();
    show(clinic, page, &view, typed, ApplicantFieldErrors::default())
}

/// Sends the link. The answer is the same whoever it is.
pub(crate) async fn post(
    State(state): State<WebState>,
    clinic: PublicClinic,
    PeerAddress(address): PeerAddress,
    jar: CookieJar,
    page: Page,
    Form(typed): Form<Typed>,
) -> Result<Response, PageError> {
    let Some(view) = chosen(&state, &clinic, &jar).await? else { return Ok(to_types(&clinic)) };
    let from = crate::extract::household(address);
    let visitor = Visitor { clinic: clinic.id, from: &from };
    let key = &state.site.keys.self_booking;
    let asked =
        self_booking::request(&state.db, &*state.clock, &*state.random, key, visitor, view.id, &typed.form()).await;
    match asked {
        Ok(()) => Ok(Redirect::to(&format!("/clinics/{}/sent", clinic.slug)).into_response()),
        Err(RequestError::Fields(errors)) => show(clinic, page, &view, typed, errors),
        Err(RequestError::TooMany) => too_many(page, &clinic),
        Err(RequestError::NothingChosen) => Ok(to_types(&clinic)),
        Err(RequestError::TimeGone) => {
            let (wish, notice) = gone(&view, &clinic);
            times::show(&state, clinic, page, wish, Some(notice)).await
        }
        Err(RequestError::Database(error)) => Err(error.into()),
    }
}

/// What this browser has chosen at this clinic and not booked yet.
pub(super) async fn chosen(
    state: &WebState,
    clinic: &PublicClinic,
    jar: &CookieJar,
) -> Result<Option<SelfBookingView>, PageError> {
    let Some(id) = begun(state, jar) else { return Ok(None) };
    Ok(self_booking::find(&state.db, clinic.id, id).await?.filter(|view| view.appointment.is_none()))
}

fn show(
    clinic: PublicClinic,
    page: Page,
    view: &SelfBookingView,
    typed: Typed,
    errors: ApplicantFieldErrors,
) -> Result<Response, PageError> {
    let is_right = errors == ApplicantFieldErrors::default();
    let status = if is_right { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let (visit, zone_words) = (Visit::new(view, &clinic.zone), words::zone(&clinic.zone));
    let html = YouPage { page, clinic, visit, typed, errors, zones: words::zones(), zone_words }.render()?;
    Ok((status, Html(html)).into_response())
}

/// The time was kept no longer, and somebody else has it.
fn gone(view: &SelfBookingView, clinic: &PublicClinic) -> (Wish, Notice) {
    let lost = Chosen { practitioner: view.practitioner.id, starts_at: view.starts_at };
    let wish = Wish { clinic: clinic.id, visit_type: view.visit_type, with: None, day: None, lost: Some(lost) };
    let (time, until) = (words::time(view.starts_at, &clinic.zone), words::time(view.kept_until, &clinic.zone));
    let notice = Notice {
        code: "hold-expired",
        what: format!("{time} was kept for you until {until}, and has been taken since."),
        then: "What you entered is kept. Choose another time.",
    };
    (wish, notice)
}

fn to_types(clinic: &PublicClinic) -> Response {
    Redirect::to(&format!("/clinics/{}", clinic.slug)).into_response()
}
