//! Where the clinic's public page is: an administrator gives it its address.

use crate::{
    errors::PageError,
    extract::Administrator,
    page::{Here, Page, Staff},
    refusal::{Code, Refusal},
    state::WebState,
};
use askama::Template;
use axum::{
    Form,
    extract::{RawQuery, State},
    http::StatusCode,
    response::{Html, IntoResponse, Redirect, Response},
};
use scheduler::public_page::SetSlugError;
use serde::Deserialize;

#[derive(Template)]
#[template(path = "public_page.html")]
struct PublicPage {
    page: Page,
    staff: Staff,
    /// What stands before the part that is chosen.
    before: String,
    /// The address as it is, if there is one.
    address: Option<String>,
    slug: String,
    is_saved: bool,
    refusal: Option<Refusal>,
}

/// The part of the address as typed.
#[derive(Deserialize)]
pub(crate) struct Address {
    #[serde(default)]
    slug: String,
}

/// The form, with the address as it is.
pub(crate) async fn get(
    State(state): State<WebState>,
    administrator: Administrator,
    page: Page,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    show(&state, &administrator, page, None, query.as_deref() == Some("saved")).await
}

/// Gives the page its address, or says what stands in the way.
pub(crate) async fn post(
    State(state): State<WebState>,
    administrator: Administrator,
    page: Page,
    Form(typed): Form<Address>,
) -> Result<Response, PageError> {
    let refusal = match scheduler::public_page::set_slug(&state.db, &administrator.actor(), &typed.slug).await {
        Ok(()) => return Ok(Redirect::to("/public-page?saved").into_response()),
        Err(SetSlugError::NotAllowed) => return Err(PageError::Forbidden),
        Err(SetSlugError::Database(error)) => return Err(error.into()),
        Err(SetSlugError::Malformed) => {
            Refusal::invalid("Use small letters, digits and single hyphens between them, at most 80 in all.")
        }
        Err(SetSlugError::Taken) => {
            Refusal::new(Code::AddressTaken, "Another clinic has this address. Choose another.")
        }
    };
    show(&state, &administrator, page, Some((typed.slug, refusal)), false).await
}

async fn show(
    state: &WebState,
    administrator: &Administrator,
    page: Page,
    refused: Option<(String, Refusal)>,
    is_saved: bool,
) -> Result<Response, PageError> {
    let (typed, refusal) = refused.unzip();
    let present = scheduler::public_page::slug(&state.db, &administrator.actor()).await?;
    let status = refusal.as_ref().map_or(StatusCode::OK, |refusal| refusal.code.status());
    let html = PublicPage {
        page,
        staff: Staff::at_desk(state, administrator, Here::Schedules).await?,
        before: state.site.address_of("/clinics/"),
        address: present.as_deref().map(|slug| state.site.address_of(&format!("/clinics/{slug}"))),
        slug: typed.or(present).unwrap_or_default(),
        is_saved,
        refusal,
    };
    Ok((status, Html(html.render()?)).into_response())
}
