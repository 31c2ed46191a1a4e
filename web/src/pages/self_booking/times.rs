//! When, and with whom. The time that is chosen is kept from here on.

use super::{
    Notice, begun,
    choose::{self, Choices, Chosen, Wish},
    cookie, phone_link, too_many,
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
    extract::{Query, State},
    http::StatusCode,
    response::{Html, IntoResponse, Redirect, Response},
};
use axum_extra::extract::CookieJar;
use scheduler::self_booking::{self, BeginError, Visitor};
use serde::Deserialize;

#[derive(Template)]
#[template(path = "self_booking/times.html")]
struct TimesPage {
    page: Page,
    clinic: PublicClinic,
    choices: Choices,
    notice: Option<Notice>,
}

impl TimesPage {
    fn phone_link(&self) -> String {
        phone_link(&self.clinic)
    }

    /// The same search from another day on.
    fn days_from(&self, day: &jiff::civil::Date) -> String {
        let with = self.choices.with.map(|id| id.to_string()).unwrap_or_default();
        format!("/clinics/{}/times?type={}&with={with}&day={day}", self.clinic.slug, self.choices.visit_type.id)
    }
}

/// What is looked for. It identifies nobody, so it may stand in an address.
#[derive(Deserialize, Default, Clone)]
#[serde(default)]
pub(crate) struct Search {
    r#type: String,
    with: String,
    day: String,
    /// The button that was pressed.
    choice: String,
}

impl Search {
    fn wish(&self, clinic: &PublicClinic) -> Option<Wish> {
        Some(Wish {
            clinic: clinic.id,
            visit_type: self.r#type.parse().ok()?,
            with: self.with.parse().ok(),
            day: self.day.parse().ok(),
            lost: None,
        })
    }
}

/// The free times.
pub(crate) async fn get(
    State(state): State<WebState>,
    clinic: PublicClinic,
    page: Page,
    Query(search): Query<Search>,
) -> Result<Response, PageError> {
    let Some(wish) = search.wish(&clinic) else { return Ok(to_types(&clinic)) };
    let notice = (!search.day.is_empty() && wish.day.is_none()).then(|| Notice {
        code: "no-such-day",
        what: "There is no such day.".to_owned(),
        then: "Below are the next free times.",
    });
    show(&state, clinic, page, wish, notice).await
}

/// Keeps the time whose button was pressed, and goes on.
pub(crate) async fn post(
    State(state): State<WebState>,
    clinic: PublicClinic,
    PeerAddress(address): PeerAddress,
    jar: CookieJar,
    page: Page,
    Form(search): Form<Search>,
) -> Result<Response, PageError> {
    let Some(wish) = search.wish(&clinic) else { return Ok(to_types(&clinic)) };
    let Ok(chosen) = search.choice.parse::<Chosen>() else {
        let notice = Notice {
            code: "no-such-time",
            what: "This is not a time we know.".to_owned(),
            then: "Choose one of those below.",
        };
        return show(&state, clinic, page, wish, Some(notice)).await;
    };
    let from = crate::extract::household(address);
    let visitor = Visitor { clinic: clinic.id, from: &from };
    let (choice, earlier) = (chosen.with_type(wish.visit_type), begun(&state, &jar));
    let begun = self_booking::begin(&state.db, &*state.clock, &*state.random, visitor, choice, earlier).await;
    match begun {
        Ok(id) => {
            let you = Redirect::to(&format!("/clinics/{}/you", clinic.slug));
            Ok((jar.add(cookie(&state, id)), you).into_response())
        }
        Err(BeginError::TooMany) => too_many(page, &clinic),
        Err(BeginError::Database(error)) => Err(error.into()),
        Err(BeginError::NotOffered | BeginError::NoSuchLink) => Ok(to_types(&clinic)),
        Err(refusal) => {
            let notice = refused(&refusal, chosen, &clinic.zone);
            show(&state, clinic, page, Wish { lost: Some(chosen), ..wish }, Some(notice)).await
        }
    }
}

/// The page with what stands in the way.
pub(super) async fn show(
    state: &WebState,
    clinic: PublicClinic,
    page: Page,
    wish: Wish,
    notice: Option<Notice>,
) -> Result<Response, PageError> {
    let Some(choices) = choose::find(state, &clinic.zone, wish).await? else { return Ok(to_types(&clinic)) };
    let status = if notice.is_some() { StatusCode::CONFLICT } else { StatusCode::OK };
    Ok((status, Html(TimesPage { page, clinic, choices, notice }.render()?)).into_response())
}

/// The refusal as a sentence with the time in it.
pub(super) fn refused(refusal: &BeginError, chosen: Chosen, zone: &jiff::tz::TimeZone) -> Notice {
    let time = words::time(chosen.starts_at, zone);
    let (code, what) = match refusal {
        BeginError::Taken => ("slot-taken", format!("{time} has just been taken.")),
        _ => ("not-a-free-time", format!("{time} cannot be booked.")),
    };
    Notice { code, what, then: "Choose another time." }
}

fn to_types(clinic: &PublicClinic) -> Response {
    Redirect::to(&format!("/clinics/{}", clinic.slug)).into_response()
}
