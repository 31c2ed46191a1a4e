//! A freed time, offered to one patient by a link: *Yes, book it* or *No, thank you*. Opening it changes nothing; mail scanners
//! open links.

use crate::{
    announce,
    errors::PageError,
    page::Page,
    pages::{self_booking::phone_link, state::Chip},
    state::WebState,
    words,
};
use askama::Template;
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{Html, IntoResponse, Redirect, Response},
};
use domain::{Actor, AppointmentId, WaitlistOfferId, WaitlistOfferState};
use jiff::Timestamp;
use scheduler::{AcceptOfferError, ClinicView, DeclineOfferError, WaitlistOfferView};

#[derive(Template)]
#[template(path = "waitlist/offer.html")]
struct OfferPage {
    page: Page,
    clinic: ClinicView,
    offer: WaitlistOfferView,
    /// The link's own token; it is in the address bar already.
    token: String,
    when: String,
    /// `09:45`, or with the day when that is another.
    until: String,
    face: Face,
}

impl OfferPage {
    fn phone_link(&self) -> String {
        phone_link(&self.clinic)
    }
}

/// How the offer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Face {
    Open,
    Accepted,
    Declined,
    /// The time to answer has passed, or the patient is off the list.
    Over,
    /// The patient has another visit then; they may still decline.
    Busy,
}

impl Face {
    fn of(offer: &WaitlistOfferView) -> Self {
        match offer.state {
            WaitlistOfferState::Accepted => Self::Accepted,
            WaitlistOfferState::Declined => Self::Declined,
            _ if offer.is_open => Self::Open,
            _ => Self::Over,
        }
    }

    /// What programs and tests know it by.
    fn code(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Accepted => "accepted",
            Self::Declined => "declined",
            Self::Over => "offer-over",
            Self::Busy => "patient-busy",
        }
    }
}

/// The page. A link that names nothing gets the same answer as any address that is not there.
pub(crate) async fn get(
    State(state): State<WebState>,
    Path(token): Path<String>,
    page: Page,
) -> Result<Response, PageError> {
    let (by, id) = open(&state, &token).await?;
    show(&state, page, &by, id, token, None).await
}

/// *Yes, book it*: the visit, by its own link. Pressed twice it is the same visit.
pub(crate) async fn accept(
    State(state): State<WebState>,
    Path(token): Path<String>,
    page: Page,
) -> Result<Response, PageError> {
    let (by, id) = open(&state, &token).await?;
    match scheduler::accept_offer(&state.db, &*state.clock, &by, id).await {
        Ok(appointment) => booked(&state, &by, appointment).await,
        Err(AcceptOfferError::NotFound) => Err(PageError::NotFound),
        Err(AcceptOfferError::Database(error)) => Err(error.into()),
        Err(AcceptOfferError::Over) => show(&state, page, &by, id, token, Some(Face::Over)).await,
        Err(AcceptOfferError::PatientBusy) => show(&state, page, &by, id, token, Some(Face::Busy)).await,
    }
}

/// *No, thank you*: the time goes to the next, and the patient stays on the list.
pub(crate) async fn decline(
    State(state): State<WebState>,
    Path(token): Path<String>,
    page: Page,
) -> Result<Response, PageError> {
    let (by, id) = open(&state, &token).await?;
    match scheduler::decline_offer(&state.db, &*state.clock, &by, id).await {
        Ok(()) => {
            announce::appointment(&state, &by, AppointmentId(id.0)).await;
            Ok(Redirect::to(&format!("/offer/{token}")).into_response())
        }
        Err(DeclineOfferError::NotFound) => Err(PageError::NotFound),
        Err(DeclineOfferError::Database(error)) => Err(error.into()),
        Err(DeclineOfferError::Over) => show(&state, page, &by, id, token, Some(Face::Over)).await,
    }
}

/// How an offer stands, for the desk.
pub(super) fn chip(offer: &WaitlistOfferView, now: Timestamp) -> Chip {
    let chip = |class, word: String| Chip { class, word };
    match offer.state {
        WaitlistOfferState::Accepted => chip("done", "Accepted".to_owned()),
        WaitlistOfferState::Declined => chip("", "Declined".to_owned()),
        WaitlistOfferState::Withdrawn => chip("", "Taken back".to_owned()),
        WaitlistOfferState::Open if offer.is_open => {
            chip("wait", format!("Offered, {} left", words::length(offer.expires_at.duration_since(now))))
        }
        WaitlistOfferState::Open | WaitlistOfferState::Expired => chip("", "No answer".to_owned()),
    }
}

async fn open(state: &WebState, token: &str) -> Result<(Actor, WaitlistOfferId), PageError> {
    scheduler::open_offer(&state.db, &state.site.keys.offer_link, token).await?.ok_or(PageError::NotFound)
}

async fn booked(state: &WebState, by: &Actor, id: AppointmentId) -> Result<Response, PageError> {
    announce::appointment(state, by, id).await;
    let appointment = scheduler::glance(&state.db, by, id).await?.ok_or(PageError::NotFound)?;
    let link = scheduler::visit_link(&state.site.keys.visit_link, id, appointment.link_version);
    Ok(Redirect::to(&format!("/visit/{}/booked", link.expose())).into_response())
}

/// `refused` is what a press of a button came to.
async fn show(
    state: &WebState,
    page: Page,
    by: &Actor,
    id: WaitlistOfferId,
    token: String,
    refused: Option<Face>,
) -> Result<Response, PageError> {
    let offer = scheduler::offer(&state.db, by, id).await?.ok_or(PageError::NotFound)?;
    let clinic = scheduler::clinic(&state.db, by).await?;
    let zone = &clinic.zone;
    let is_today = words::day_of(offer.expires_at, zone) == words::day_of(state.clock.now(), zone);
    let until = if is_today { words::time } else { words::date_and_time };
    let html = OfferPage {
        page,
        when: words::date_and_time(offer.starts_at, zone),
        until: until(offer.expires_at, zone),
        face: refused.unwrap_or_else(|| Face::of(&offer)),
        clinic,
        offer,
        token,
    };
    let status = if refused.is_some() { StatusCode::CONFLICT } else { StatusCode::OK };
    Ok((status, Html(html.render()?)).into_response())
}
