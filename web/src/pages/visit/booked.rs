//! Booked by the patient: when it is, the link to keep, and a file for their calendar.

use super::Visit;
use crate::{errors::PageError, page::Page, state::WebState};
use askama::Template;
use axum::{
    extract::{Path, State},
    http::header,
    response::{Html, IntoResponse, Redirect, Response},
};
use domain::AppointmentState;
use scheduler::messages::{Invitation, Method};

#[derive(Template)]
#[template(path = "visit/booked.html")]
struct BookedPage {
    page: Page,
    visit: Visit,
    /// The link's own token; it is in the address bar already.
    token: String,
    /// The whole link.
    link: String,
}

/// The page; a visit that is not ahead any more has its own.
pub(crate) async fn get(
    State(state): State<WebState>,
    Path(token): Path<String>,
    page: Page,
) -> Result<Response, PageError> {
    let Some(visit) = ahead(&state, &token).await? else {
        return Ok(Redirect::to(&format!("/visit/{token}")).into_response());
    };
    let link = state.site.address_of(&format!("/visit/{token}"));
    Ok(Html(BookedPage { page, visit, token, link }.render()?).into_response())
}

/// The visit as a file for calendars. It names nobody and holds no link, like the one in the message; in a calendar that has that
/// one it is the same entry.
pub(crate) async fn calendar(State(state): State<WebState>, Path(token): Path<String>) -> Result<Response, PageError> {
    let visit = ahead(&state, &token).await?.ok_or(PageError::NotFound)?;
    let host = state.site.public_url.host_str().unwrap_or("localhost");
    let invitation = Invitation {
        method: Method::Request,
        appointment: visit.appointment.id,
        sequence: visit.appointment.sequence,
        starts_at: visit.appointment.starts_at,
        ends_at: visit.appointment.ends_at,
        written_at: state.clock.now(),
        clinic: &visit.clinic.name,
        organizer: &format!("visits@{host}"),
        host,
    };
    let headers = [
        (header::CONTENT_TYPE, "text/calendar; charset=utf-8; method=REQUEST"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"visit.ics\""),
    ];
    Ok((headers, invitation.to_ics()).into_response())
}

async fn ahead(state: &WebState, token: &str) -> Result<Option<Visit>, PageError> {
    let opened = scheduler::open_visit(&state.db, &state.site.keys.visit_link, token).await?;
    let (by, id) = opened.ok_or(PageError::NotFound)?;
    let visit = Visit::find(state, &by, id).await?.ok_or(PageError::NotFound)?;
    Ok((visit.appointment.state == AppointmentState::Booked).then_some(visit))
}
