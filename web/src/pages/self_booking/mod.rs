//! Patients book themselves: what kind of visit, when, who they are, and a link that confirms. Plain forms, one thing a page.
//!
//! What identifies a person travels in bodies only, and is kept with the row that this browser's cookie names.

pub(crate) mod choose;
pub(crate) mod confirm;
pub(crate) mod sent;
pub(crate) mod times;
pub(crate) mod types;
pub(crate) mod you;

use crate::{cookies, errors::PageError, page::Page, state::WebState, words};
use askama::Template;
use axum::{
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};
use axum_extra::extract::{CookieJar, cookie::Cookie};
use domain::SelfBookingId;
use jiff::{Timestamp, tz::TimeZone};
use scheduler::{
    ClinicView,
    self_booking::{self, SelfBookingView},
};

/// The cookie that names what this browser has begun.
const COOKIE: &str = "self-booking";

/// What this browser has begun, at whichever clinic.
fn begun(state: &WebState, jar: &CookieJar) -> Option<SelfBookingId> {
    let cookie = jar.get(&cookies::name(&state.site, COOKIE))?;
    self_booking::open_browser(&state.site.keys.self_booking, cookie.value())
}

fn cookie(state: &WebState, id: SelfBookingId) -> Cookie<'static> {
    let token = self_booking::browser_token(&state.site.keys.self_booking, id);
    cookies::cookie(&state.site, COOKIE, token.into_inner())
}

/// What stands in the way, in a sentence, with a code that does not change when the sentence does.
pub(crate) struct Notice {
    pub(crate) code: &'static str,
    pub(crate) what: String,
    pub(crate) then: &'static str,
}

/// The visit that somebody is about to book, in words.
pub(crate) struct Visit {
    pub(crate) starts_at: Timestamp,
    /// `Tuesday 24 November, 09:30`.
    pub(crate) when: String,
    /// `Consultation, 30 min`.
    pub(crate) what: String,
    /// `Dr Hannah Osei`.
    pub(crate) with: String,
    /// `09:45`.
    pub(crate) kept_until: String,
    /// That moment, to be said on the reader's own clock.
    pub(crate) kept_until_at: Timestamp,
    pub(crate) is_kept: bool,
}

impl Visit {
    fn new(view: &SelfBookingView, zone: &TimeZone) -> Self {
        let length = words::length(view.ends_at.duration_since(view.starts_at));
        Self {
            starts_at: view.starts_at,
            when: words::date_and_time(view.starts_at, zone),
            what: format!("{}, {length}", view.visit_type_name),
            with: view.practitioner.title_and_name.clone(),
            kept_until: words::time(view.kept_until, zone),
            kept_until_at: view.kept_until,
            is_kept: view.hold.is_some(),
        }
    }
}

/// A phone number as a link for telephones.
pub(crate) fn phone_link(clinic: &ClinicView) -> String {
    let digits = clinic.phone.chars().filter(|c| c.is_ascii_digit() || *c == '+');
    format!("tel:{}", digits.collect::<String>())
}

#[derive(Template)]
#[template(path = "self_booking/too_many.html")]
struct TooManyPage<'a> {
    page: Page,
    clinic: &'a ClinicView,
}

impl TooManyPage<'_> {
    fn phone_link(&self) -> String {
        phone_link(self.clinic)
    }
}

/// Too much was asked for; who it was is not said, since it is not known.
fn too_many(page: Page, clinic: &ClinicView) -> Result<Response, PageError> {
    let html = TooManyPage { page, clinic }.render()?;
    Ok((StatusCode::TOO_MANY_REQUESTS, Html(html)).into_response())
}
