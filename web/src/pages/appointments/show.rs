//! One appointment: how it stands, the patient's link, cancelling, and what happened to it.

use super::{attendance::Attendance, messages::Messages};
use crate::{
    errors::PageError,
    extract::{Id, Receptionist},
    page::{Here, Page, Staff},
    pages::state::{self, Chip},
    refusal::Refusal,
    state::{Site, WebState},
    words,
};
use askama::Template;
use axum::{
    extract::{RawQuery, State},
    http::StatusCode,
    response::{Html, IntoResponse as _, Response},
};
use domain::{AppointmentId, AppointmentState, Redacted, Source};
use scheduler::{AppointmentView, AuditView};

#[derive(Template)]
#[template(path = "appointments/show.html")]
struct AppointmentPage {
    page: Page,
    staff: Staff,
    appointment: AppointmentView,
    chip: Chip,
    when: String,
    length: String,
    born: String,
    link: Redacted<String>,
    messages: Messages,
    resources: Vec<String>,
    series: Option<SeriesOf>,
    attendance: Attendance,
    history: Vec<Event>,
    notes: Notes,
}

impl AppointmentPage {
    /// Where it came from, if not from the desk.
    fn origin(&self) -> Option<&'static str> {
        match self.appointment.source {
            Source::Patient => Some("by the patient, on the clinic’s page"),
            Source::Waitlist => Some("by the patient, from the waitlist"),
            Source::WalkIn => Some("when the patient walked in"),
            Source::Api => Some("by a program"),
            Source::Desk | Source::Series => None,
        }
    }

    /// Nobody is in the visit yet, so it can still go elsewhere.
    fn is_movable(&self) -> bool {
        self.appointment.state.reschedule().is_ok()
    }

    /// Cancelled, missed or over: the link opens nothing but a friendly page.
    fn is_ahead(&self) -> bool {
        matches!(self.appointment.state, AppointmentState::Booked | AppointmentState::Arrived)
    }
}

/// The series of which it is a visit.
struct SeriesOf {
    /// `Every week on Tuesday, 6 times`.
    words: String,
    visits: Vec<Sibling>,
}

/// A visit of the series.
struct Sibling {
    id: AppointmentId,
    when: String,
    /// Called off.
    is_off: bool,
    /// The one on the page.
    is_this: bool,
}

/// What the page says besides how things stand.
#[derive(Default)]
pub(crate) struct Notes {
    /// The link has just been sent.
    pub(crate) is_sent: bool,
    /// Something was refused.
    pub(crate) problem: Option<Refusal>,
    /// The reason as typed.
    pub(crate) reason: String,
    /// How much of the series was to be cancelled.
    pub(crate) scope: String,
    /// The reason for which it was not missed, as typed.
    pub(crate) outcome_reason: String,
}

struct Event {
    time: String,
    day: String,
    actor: String,
    role: String,
    phrase: &'static str,
}

/// The page, for those who run the desk.
pub(crate) async fn get(
    State(state): State<WebState>,
    receptionist: Receptionist,
    Id(id): Id<AppointmentId>,
    page: Page,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let notes = Notes { is_sent: query.as_deref() == Some("sent"), ..Notes::default() };
    render(&state, &receptionist, page, id, notes).await
}

/// The page with `notes`. Reading it is an event in the history that it shows.
pub(crate) async fn render(
    state: &WebState,
    receptionist: &Receptionist,
    page: Page,
    id: AppointmentId,
    notes: Notes,
) -> Result<Response, PageError> {
    let status = notes.problem.as_ref().map_or(StatusCode::OK, |problem| problem.code.status());
    let by = receptionist.actor();
    let appointment = scheduler::appointment(&state.db, &by, id).await?.ok_or(PageError::NotFound)?;
    let mut history = scheduler::history(&state.db, &by, Some(id)).await?;
    // Who looks twice is told of once; the clinic's history has both.
    history.dedup_by(|earlier, later| earlier.actor == later.actor && earlier.action == later.action);
    let presences = scheduler::presences(&state.db, &by, id).await?;
    let deliveries = scheduler::deliveries(&state.db, &by, id).await?;
    let zone = &receptionist.clinic.zone;
    let html = AppointmentPage {
        page,
        staff: Staff::at_desk(state, receptionist, Here::Today).await?,
        chip: state::chip(appointment.standing(), state.clock.now(), zone),
        when: words::date_and_time(appointment.starts_at, zone),
        length: words::length(appointment.ends_at.duration_since(appointment.starts_at)),
        born: words::short_date(appointment.patient.birth_date),
        link: visit_link(&state.site, &appointment),
        messages: Messages::new(&deliveries, state.clock.now(), zone),
        resources: appointment.resources.iter().map(words::resource).collect(),
        series: series(state, receptionist, &appointment).await?,
        attendance: Attendance::new(&appointment, &presences, notes.outcome_reason.clone(), zone),
        history: history.into_iter().map(|event| told(event, zone)).collect(),
        appointment,
        notes,
    };
    Ok((status, Html(html.render()?)).into_response())
}

async fn series(
    state: &WebState,
    receptionist: &Receptionist,
    appointment: &AppointmentView,
) -> Result<Option<SeriesOf>, PageError> {
    let Some(id) = appointment.series else { return Ok(None) };
    let Some(series) = scheduler::series(&state.db, &receptionist.actor(), id).await? else { return Ok(None) };
    let zone = &receptionist.clinic.zone;
    let sibling = |visit: &scheduler::SeriesVisit| Sibling {
        id: visit.id,
        when: words::date_and_time(visit.starts_at, zone),
        is_off: visit.state == AppointmentState::Cancelled,
        is_this: visit.id == appointment.id,
    };
    Ok(Some(SeriesOf { words: series.recurrence, visits: series.visits.iter().map(sibling).collect() }))
}

/// The address that the patient opens.
pub(crate) fn visit_link(site: &Site, appointment: &AppointmentView) -> Redacted<String> {
    let token = scheduler::visit_link(&site.keys.visit_link, appointment.id, appointment.link_version);
    Redacted::new(site.address_of(&format!("/visit/{}", token.expose())))
}

fn told(event: AuditView, zone: &jiff::tz::TimeZone) -> Event {
    Event {
        time: words::time(event.at, zone),
        day: words::short_date(words::day_of(event.at, zone)),
        actor: event.actor,
        role: event.role,
        phrase: event.phrase,
    }
}
