//! The message is on its way. Nothing is booked before its link was confirmed.

use super::{Visit, phone_link, you};
use crate::{errors::PageError, extract::PublicClinic, page::Page, state::WebState};
use askama::Template;
use axum::{
    extract::State,
    response::{Html, IntoResponse, Redirect, Response},
};
use axum_extra::extract::CookieJar;

#[derive(Template)]
#[template(path = "self_booking/sent.html")]
struct SentPage {
    page: Page,
    clinic: PublicClinic,
    visit: Visit,
    address: String,
}

impl SentPage {
    fn phone_link(&self) -> String {
        phone_link(&self.clinic)
    }
}

/// The page, in the browser that asked.
pub(crate) async fn get(
    State(state): State<WebState>,
    clinic: PublicClinic,
    jar: CookieJar,
    page: Page,
) -> Result<Response, PageError> {
    let view = you::chosen(&state, &clinic, &jar).await?;
    let Some((view, applicant)) = view.and_then(|view| view.applicant.clone().map(|who| (view, who))) else {
        return Ok(Redirect::to(&format!("/clinics/{}", clinic.slug)).into_response());
    };
    let visit = Visit::new(&view, &clinic.zone);
    let address = applicant.reached_at().to_owned();
    Ok(Html(SentPage { page, clinic, visit, address }.render()?).into_response())
}
