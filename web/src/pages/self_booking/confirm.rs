//! The link in the message: what will be booked, and *Book this visit*. Opening it changes nothing; mail scanners open links.

use super::{
    Notice, Visit,
    choose::{self, Choices, Chosen, Wish},
    phone_link, times, too_many,
};
use crate::{announce, errors::PageError, extract::PeerAddress, page::Page, state::WebState, words};
use askama::Template;
use axum::{
    Form,
    extract::{Path, State},
    http::StatusCode,
    response::{Html, IntoResponse, Redirect, Response},
};
use domain::AppointmentId;
use scheduler::{
    ClinicView,
    self_booking::{self, BeginError, ConfirmError, SelfBookingView},
};
use serde::Deserialize;

#[derive(Template)]
#[template(path = "self_booking/confirm.html")]
struct ConfirmPage {
    page: Page,
    clinic: ClinicView,
    /// The link's own token; it is in the address bar already.
    token: String,
    visit: Visit,
    name: String,
    is_booked: bool,
    notice: Option<Notice>,
    /// Other times, when the one chosen is gone.
    choices: Option<Choices>,
}

impl ConfirmPage {
    fn phone_link(&self) -> String {
        phone_link(&self.clinic)
    }
}

/// The button that was pressed.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Pressed {
    choice: String,
}

/// What will be booked. A link that names nothing gets the same answer as any address that is not there.
pub(crate) async fn get(
    State(state): State<WebState>,
    Path(token): Path<String>,
    page: Page,
) -> Result<Response, PageError> {
    let view = open(&state, &token).await?;
    show(&state, page, token, &view, None, false).await
}

/// Books, once.
pub(crate) async fn post(
    State(state): State<WebState>,
    Path(token): Path<String>,
    page: Page,
) -> Result<Response, PageError> {
    let key = &state.site.keys.self_booking;
    let refusal = match self_booking::confirm(&state.db, &*state.clock, &*state.random, key, &token).await {
        Ok(id) => return booked(&state, &token, id).await,
        Err(ConfirmError::NoSuchLink) => return Err(PageError::NotFound),
        Err(ConfirmError::Database(error)) => return Err(error.into()),
        Err(refusal) => refusal,
    };
    let view = open(&state, &token).await?;
    let clinic = scheduler::clinic(&state.db, &self_booking::actor(view.clinic)).await?;
    let time = words::time(view.starts_at, &clinic.zone);
    let kept = "What you entered is kept. Choose another time.";
    let notice = match refusal {
        ConfirmError::Booked(_) => Notice {
            code: "link-used",
            what: "This link was used before.".to_owned(),
            then: "It books one visit only, the one below.",
        },
        ConfirmError::PatientBusy => Notice {
            code: "patient-busy",
            what: format!("You have another visit with this clinic at {time}."),
            then: kept,
        },
        _ if view.hold.is_none() => Notice {
            code: "hold-expired",
            what: format!(
                "{time} was kept for you until {}, and has been taken since.",
                words::time(view.kept_until, &clinic.zone)
            ),
            then: kept,
        },
        _ => Notice { code: "not-a-free-time", what: format!("{time} can no longer be booked."), then: kept },
    };
    show(&state, page, token, &view, Some(notice), view.appointment.is_none()).await
}

/// Keeps another time instead of the one that is gone. The link stays good.
pub(crate) async fn choose(
    State(state): State<WebState>,
    Path(token): Path<String>,
    PeerAddress(address): PeerAddress,
    page: Page,
    Form(pressed): Form<Pressed>,
) -> Result<Response, PageError> {
    let view = open(&state, &token).await?;
    let clinic = scheduler::clinic(&state.db, &self_booking::actor(view.clinic)).await?;
    let Ok(chosen) = pressed.choice.parse::<Chosen>() else {
        let notice = Notice {
            code: "no-such-time",
            what: "This is not a time we know.".to_owned(),
            then: "Choose one of those below.",
        };
        return show(&state, page, token, &view, Some(notice), true).await;
    };
    let (key, from) = (&state.site.keys.self_booking, crate::extract::household(address));
    let choice = chosen.with_type(view.visit_type);
    let kept = self_booking::choose_again(&state.db, &*state.clock, &*state.random, key, &token, &from, choice).await;
    match kept {
        Ok(()) => Ok(Redirect::to(&format!("/bookings/{token}")).into_response()),
        Err(BeginError::TooMany) => too_many(page, &clinic),
        Err(BeginError::Database(error)) => Err(error.into()),
        Err(BeginError::NoSuchLink) => Err(PageError::NotFound),
        Err(refusal) => {
            let notice = times::refused(&refusal, chosen, &clinic.zone);
            show(&state, page, token, &view, Some(notice), true).await
        }
    }
}

async fn open(state: &WebState, token: &str) -> Result<SelfBookingView, PageError> {
    let key = &state.site.keys.self_booking;
    self_booking::open_link(&state.db, key, token).await?.ok_or(PageError::NotFound)
}

/// Tells open desks, and shows the visit by its own link.
async fn booked(state: &WebState, token: &str, id: AppointmentId) -> Result<Response, PageError> {
    let clinic = open(state, token).await?.clinic;
    let by = self_booking::actor(clinic);
    announce::appointment(state, &by, id).await;
    let appointment = scheduler::glance(&state.db, &by, id).await?.ok_or(PageError::NotFound)?;
    let link = scheduler::visit_link(&state.site.keys.visit_link, id, appointment.link_version);
    Ok(Redirect::to(&format!("/visit/{}/booked", link.expose())).into_response())
}

async fn show(
    state: &WebState,
    page: Page,
    token: String,
    view: &SelfBookingView,
    notice: Option<Notice>,
    is_lost: bool,
) -> Result<Response, PageError> {
    let clinic = scheduler::clinic(&state.db, &self_booking::actor(view.clinic)).await?;
    let lost = Chosen { practitioner: view.practitioner.id, starts_at: view.starts_at };
    let wish = Wish { clinic: view.clinic, visit_type: view.visit_type, with: None, day: None, lost: Some(lost) };
    let choices = if is_lost { choose::find(state, &clinic.zone, wish).await? } else { None };
    let status = if notice.is_some() { StatusCode::CONFLICT } else { StatusCode::OK };
    let html = ConfirmPage {
        page,
        token,
        visit: Visit::new(view, &clinic.zone),
        clinic,
        name: view.applicant.as_ref().map(|applicant| applicant.name.clone()).unwrap_or_default(),
        is_booked: view.appointment.is_some(),
        notice,
        choices,
    };
    Ok((status, Html(html.render()?)).into_response())
}
