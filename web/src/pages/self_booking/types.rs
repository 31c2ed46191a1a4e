//! The clinic's public page: what patients may book by themselves.

use super::phone_link;
use crate::{errors::PageError, extract::PublicClinic, page::Page, state::WebState};
use askama::Template;
use axum::{extract::State, response::Html};
use scheduler::{VisitTypeView, self_booking};

#[derive(Template)]
#[template(path = "self_booking/types.html")]
struct TypesPage {
    page: Page,
    clinic: PublicClinic,
    visit_types: Vec<VisitTypeView>,
}

impl TypesPage {
    fn phone_link(&self) -> String {
        phone_link(&self.clinic)
    }
}

/// The page.
pub(crate) async fn get(
    State(state): State<WebState>,
    clinic: PublicClinic,
    page: Page,
) -> Result<Html<String>, PageError> {
    let visit_types = self_booking::public_visit_types(&state.db, clinic.id).await?;
    Ok(Html(TypesPage { page, clinic, visit_types }.render()?))
}
