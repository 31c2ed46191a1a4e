//! Light or dark: a choice of this browser, nobody else's business.

use crate::{cookies, page::THEME_COOKIE, state::Site};
use axum::{
    Form,
    extract::State,
    response::{IntoResponse, Redirect},
};
use axum_extra::extract::CookieJar;
use serde::Deserialize;
use std::sync::Arc;

#[derive(Deserialize)]
pub(crate) struct Choice {
    theme: String,
}

/// Keeps the choice and goes to the front page.
pub(crate) async fn post(
    State(site): State<Arc<Site>>,
    jar: CookieJar,
    Form(choice): Form<Choice>,
) -> impl IntoResponse {
    let cookie = match choice.theme.as_str() {
        theme @ ("light" | "dark") => cookies::cookie(&site, THEME_COOKIE, theme.to_owned()),
        _ => cookies::forgotten(&site, THEME_COOKIE),
    };
    (jar.add(cookie), Redirect::to("/"))
}
