//! *Not you?*: somebody opened another person's link. It says what to do, and nothing about whose it was.

use crate::{errors::PageError, page::Page};
use askama::Template;
use axum::response::Html;

#[derive(Template)]
#[template(path = "visit/not_you.html")]
struct NotYouPage {
    page: Page,
}

/// The page.
pub(crate) async fn get(page: Page) -> Result<Html<String>, PageError> {
    Ok(Html(NotYouPage { page }.render()?))
}
