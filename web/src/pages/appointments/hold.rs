//! Keeping the chosen time while the form is filled in. Only the script of the form asks for it.

use super::book::sentence;
use crate::{announce, errors::PageError, extract::Receptionist, refusal::Refusal, state::WebState, words};
use askama::Template;
use axum::{
    Form,
    extract::State,
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};
use domain::{Actor, HoldId, PractitionerId};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use scheduler::{HoldError, HoldRequest, VisitTypeView};
use serde::Deserialize;

/// How long one asking keeps a time: a form takes less, and who was called away does not block it for long.
const LIFETIME: SignedDuration = SignedDuration::from_mins(5);

#[derive(Template)]
#[template(path = "appointments/held.html")]
struct Held {
    /// The hold, and until when, on the clock on the wall.
    kept: Option<(HoldId, String)>,
    for_ms: i128,
    problem: Option<Refusal>,
}

/// What the form has chosen, and what it holds already.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Keep {
    practitioner: String,
    visit_type: String,
    at: String,
    hold: String,
}

/// Lets the former time go and keeps this one; or says that it has just been taken.
pub(crate) async fn post(
    State(state): State<WebState>,
    receptionist: Receptionist,
    Form(form): Form<Keep>,
) -> Result<Response, PageError> {
    let by = receptionist.actor();
    let zone = &receptionist.clinic.zone;
    if let Ok(former) = form.hold.parse() {
        scheduler::release_hold(&state.db, &by, former).await?;
    }
    let types = scheduler::visit_types(&state.db, &by).await?;
    let held = match request(&form, &types) {
        Some(request) => keep(&state, &by, zone, request).await?,
        None => Held { kept: None, for_ms: 0, problem: None },
    };
    // Other desks show what is held, and what was let go.
    announce::desks(&state, &by).await;
    Ok(Html(held.render()?).into_response())
}

async fn keep(state: &WebState, by: &Actor, zone: &TimeZone, request: HoldRequest) -> Result<Held, PageError> {
    match scheduler::hold(&state.db, &*state.clock, &*state.random, by, request, LIFETIME).await {
        Ok(hold) => Ok(Held {
            kept: Some((hold.id, words::time(hold.expires_at, zone))),
            for_ms: LIFETIME.as_millis(),
            problem: None,
        }),
        Err(HoldError::Database(error)) => Err(error.into()),
        Err(refusal) => {
            let practitioners = scheduler::practitioners(&state.db, by).await?;
            let with = practitioners.into_iter().find(|one| one.id == request.practitioner);
            let with = with.map_or_else(|| "this practitioner".to_owned(), |one| one.short);
            let sentence = sentence(&refusal, &words::time(request.starts_at, zone), &with);
            Ok(Held { kept: None, for_ms: 0, problem: Some(Refusal::new(&refusal, sentence)) })
        }
    }
}

/// Lets a time go: the form was left.
pub(crate) async fn release(
    State(state): State<WebState>,
    receptionist: Receptionist,
    Form(form): Form<Keep>,
) -> Result<StatusCode, PageError> {
    if let Ok(hold) = form.hold.parse::<HoldId>() {
        let by = receptionist.actor();
        scheduler::release_hold(&state.db, &by, hold).await?;
        announce::desks(&state, &by).await;
    }
    Ok(StatusCode::NO_CONTENT)
}

fn request(form: &Keep, types: &[VisitTypeView]) -> Option<HoldRequest> {
    let (at, with) = form.at.split_once('~').unwrap_or((&form.at, &form.practitioner));
    let starts_at: Timestamp = at.parse().ok()?;
    let practitioner: PractitionerId = with.parse().ok()?;
    let chosen = form.visit_type.parse().ok();
    let mut offered = types.iter().filter(|one| one.practitioners.contains(&practitioner));
    let visit_type = offered.clone().find(|one| Some(one.id) == chosen).or_else(|| offered.next())?.id;
    Some(HoldRequest { practitioner, visit_type, starts_at, patient: None })
}
