//! The waitlist: who would come sooner, in order, and whom a freed time is offered to. It keeps itself up to date.

pub(crate) mod add;
pub(crate) mod offer;
pub(crate) mod withdraw;

use crate::{
    errors::PageError,
    extract::{Receptionist, SignedIn},
    live::{Live, live},
    page::{Here, Page, Staff},
    pages::{patients::chosen::Chosen, state::Chip},
    refusal::Refusal,
    state::WebState,
    tables::sessions,
    words,
};
use add::WaitlistForm;
use askama::Template;
use axum::{
    extract::State,
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};
use domain::WaitlistEntryId;
use jiff::{Timestamp, tz::TimeZone};
use scheduler::{PractitionerView, VisitTypeView, WaitlistEntryView, WaitlistOfferView};
use service::bus::Topic;

#[derive(Template)]
#[template(path = "waitlist/page.html")]
struct WaitlistPage {
    page: Page,
    staff: Staff,
    board: Board,
    who: Chosen,
    form: WaitlistForm,
    visit_types: Vec<VisitTypeView>,
    practitioners: Vec<PractitionerView>,
    problem: Option<Refusal>,
}

/// The part of the page that changes.
#[derive(Template)]
#[template(path = "waitlist/board.html")]
struct Board {
    entries: Vec<Entry>,
}

/// Somebody who waits.
struct Entry {
    id: WaitlistEntryId,
    name: String,
    born: String,
    phone: String,
    /// `Consultation with anybody`.
    what: String,
    /// `24 Nov 2026 to 8 Dec 2026, 08:00 to 12:00`.
    when: String,
    note: String,
    /// `since 24 Nov 2026`.
    since: String,
    offers: Vec<Offer>,
}

/// A time that was offered.
struct Offer {
    time: String,
    with: String,
    chip: Chip,
}

/// The page.
pub(crate) async fn get(
    State(state): State<WebState>,
    receptionist: Receptionist,
    page: Page,
) -> Result<Response, PageError> {
    let today = words::day_of(state.clock.now(), &receptionist.clinic.zone);
    show(&state, &receptionist, page, WaitlistForm::from_day(today), None).await
}

/// The list whenever it changes. It ends with the session, which it does not prolong.
pub(crate) async fn events(
    State(state): State<WebState>,
    receptionist: Receptionist,
) -> Result<impl IntoResponse, PageError> {
    let (session, clinic) = (receptionist.session, receptionist.clinic.id);
    live(&state.clone(), &[Topic::Clinic(clinic)], move || {
        let state = state.clone();
        async move {
            let Some(person) = sessions::resume(&state, session, false).await? else {
                return Ok(Live::Go("/sign-in?ended".to_owned()));
            };
            Ok(Live::Fragment(look(&state, &person).await?.render()?))
        }
    })
}

async fn show(
    state: &WebState,
    receptionist: &Receptionist,
    page: Page,
    form: WaitlistForm,
    problem: Option<Refusal>,
) -> Result<Response, PageError> {
    let by = receptionist.actor();
    let html = WaitlistPage {
        page,
        staff: Staff::at_desk(state, receptionist, Here::Waitlist).await?,
        board: look(state, receptionist).await?,
        who: form.who(state, &by).await?,
        form,
        visit_types: scheduler::visit_types(&state.db, &by).await?,
        practitioners: scheduler::practitioners(&state.db, &by).await?,
        problem,
    };
    let status = html.problem.as_ref().map_or(StatusCode::OK, |problem| problem.code.status());
    Ok((status, Html(html.render()?)).into_response())
}

async fn look(state: &WebState, person: &SignedIn) -> Result<Board, PageError> {
    let (now, zone) = (state.clock.now(), &person.clinic.zone);
    let entries = scheduler::waitlist(&state.db, &person.actor()).await?;
    Ok(Board { entries: entries.into_iter().map(|entry| told(entry, now, zone)).collect() })
}

fn told(entry: WaitlistEntryView, now: Timestamp, zone: &TimeZone) -> Entry {
    let with = entry.practitioner.as_ref().map_or("anybody", |one| &one.title_and_name);
    Entry {
        id: entry.id,
        born: words::short_date(entry.patient.birth_date),
        phone: entry.patient.phone.as_deref().map(words::phone_ending).unwrap_or_default(),
        what: format!("{} with {with}", entry.visit_type.name),
        when: when(&entry),
        since: words::short_date(words::day_of(entry.added_at, zone)),
        offers: entry.offers.iter().map(|offer| offered(offer, now, zone)).collect(),
        name: entry.patient.name,
        note: entry.note,
    }
}

fn when(entry: &WaitlistEntryView) -> String {
    let days = format!("{} to {}", words::short_date(entry.from_date), words::short_date(entry.to_date));
    match (entry.from_minute, entry.to_minute) {
        (0, 1440) => format!("{days}, any time of day"),
        (from, to) => format!("{days}, {} to {}", clock(from), clock(to)),
    }
}

/// Minutes since midnight on the wall's clock.
fn clock(minute: i16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

fn offered(offer: &WaitlistOfferView, now: Timestamp, zone: &TimeZone) -> Offer {
    Offer {
        time: words::date_and_time(offer.starts_at, zone),
        with: offer.practitioner.short.clone(),
        chip: offer::chip(offer, now),
    }
}
