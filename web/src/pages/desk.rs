//! The front desk: the day by practitioner on a grid of time, and who waits, longest first. It keeps itself up to date.

use crate::{
    errors::PageError,
    extract::{Receptionist, SignedIn},
    live::{Live, live},
    page::{Here, Page, Staff},
    pages::state::{self, Chip},
    state::WebState,
    tables::sessions,
    words,
};
use askama::Template;
use axum::{
    extract::{Query, State},
    response::{Html, IntoResponse},
};
use calendar::Calendar;
use domain::AppointmentState;
use jiff::{SignedDuration, Timestamp, civil::Date};
use scheduler::{AppointmentView, PractitionerView, Slot};
use serde::Deserialize;
use service::bus::Topic;

mod calendar;

/// From here on somebody who waits needs a word from the desk.
const LONG_WAIT: SignedDuration = SignedDuration::from_mins(20);

#[derive(Template)]
#[template(path = "desk.html")]
struct DeskPage {
    page: Page,
    staff: Staff,
    heading: String,
    long_date: String,
    date: Date,
    yesterday: Date,
    tomorrow: Date,
    board: Board,
}

/// The part of the page that changes.
#[derive(Template)]
#[template(path = "desk_board.html")]
struct Board {
    is_today: bool,
    calendar: Calendar,
    waiting: Vec<Waiting>,
    to_ring: Vec<ToRing>,
    cancelled: Vec<Waiting>,
}

/// Somebody in the waiting room, or whose visit was called off.
struct Waiting {
    appointment: AppointmentView,
    time: String,
    chip: Chip,
    turn: String,
    readiness: Option<Chip>,
}

/// Somebody who needs a call, and why.
struct ToRing {
    appointment: AppointmentView,
    time: String,
    why: &'static str,
}

/// Which day; without it the present one.
#[derive(Deserialize)]
pub(crate) struct Day {
    date: Option<Date>,
}

/// The page.
pub(crate) async fn get(
    State(state): State<WebState>,
    receptionist: Receptionist,
    Query(day): Query<Day>,
    page: Page,
) -> Result<Html<String>, PageError> {
    let today = words::day_of(state.clock.now(), &receptionist.clinic.zone);
    let date = day.date.unwrap_or(today);
    let html = DeskPage {
        page,
        staff: Staff::new(&receptionist, Here::Today),
        heading: if date == today { "Today".to_owned() } else { date.strftime("%A").to_string() },
        long_date: words::long_date(date),
        date,
        yesterday: date.yesterday().unwrap_or(date),
        tomorrow: date.tomorrow().unwrap_or(date),
        board: look(&state, &receptionist, date).await?,
    };
    Ok(Html(html.render()?))
}

/// The same, whenever it changes. It ends with the session, which it does not prolong.
pub(crate) async fn events(
    State(state): State<WebState>,
    receptionist: Receptionist,
    Query(day): Query<Day>,
) -> Result<impl IntoResponse, PageError> {
    let (session, clinic) = (receptionist.session, receptionist.clinic.id);
    live(&state.clone(), &[Topic::Clinic(clinic)], move || {
        let state = state.clone();
        async move {
            let Some(person) = sessions::resume(&state, session, false).await? else {
                return Ok(Live::Go("/sign-in?ended".to_owned()));
            };
            let today = words::day_of(state.clock.now(), &person.clinic.zone);
            Ok(Live::Fragment(look(&state, &person, day.date.unwrap_or(today)).await?.render()?))
        }
    })
}

async fn look(state: &WebState, person: &SignedIn, date: Date) -> Result<Board, PageError> {
    let (by, now) = (person.actor(), state.clock.now());
    let appointments = scheduler::day(&state.db, &by, date, None).await?;
    let mut columns: Vec<(PractitionerView, Vec<Slot>)> = Vec::new();
    for practitioner in scheduler::practitioners(&state.db, &by).await? {
        let free = scheduler::free_slots(&state.db, &*state.clock, &by, practitioner.id, None, date).await?;
        columns.push((practitioner, free));
    }
    let zone = &person.clinic.zone;
    Ok(Board {
        is_today: date == words::day_of(now, zone),
        waiting: waiting(&appointments, now, zone),
        to_ring: to_ring(&appointments, now, zone),
        cancelled: appointments
            .iter()
            .filter(|a| a.state == AppointmentState::Cancelled)
            .map(|a| row(a, now, zone))
            .collect(),
        calendar: Calendar::new(date, zone, now, columns, &appointments),
    })
}

/// Who waits, longest first.
fn waiting(appointments: &[AppointmentView], now: Timestamp, zone: &jiff::tz::TimeZone) -> Vec<Waiting> {
    let mut waiting: Vec<_> = appointments.iter().filter(|a| a.state == AppointmentState::Arrived && !a.left).collect();
    waiting.sort_by_key(|a| a.arrived_at);
    waiting.into_iter().map(|a| row(a, now, zone)).collect()
}

fn row(appointment: &AppointmentView, now: Timestamp, zone: &jiff::tz::TimeZone) -> Waiting {
    let waited = now.duration_since(appointment.arrived_at.unwrap_or(now));
    Waiting {
        time: words::time(appointment.starts_at, zone),
        chip: Chip { class: if waited >= LONG_WAIT { "alert" } else { "wait" }, word: words::length(waited) },
        turn: match appointment.ahead {
            0 => "next".to_owned(),
            1 => "one before".to_owned(),
            ahead => format!("{ahead} before"),
        },
        readiness: state::readiness(appointment.readiness),
        appointment: appointment.clone(),
    }
}

fn to_ring(appointments: &[AppointmentView], now: Timestamp, zone: &jiff::tz::TimeZone) -> Vec<ToRing> {
    let ring = |appointment: &AppointmentView| {
        Some(ToRing {
            why: reason_to_ring(appointment, now)?,
            time: words::time(appointment.starts_at, zone),
            appointment: appointment.clone(),
        })
    };
    appointments.iter().filter_map(ring).collect()
}

/// The sentence that says what is wrong and what to say.
fn reason_to_ring(appointment: &AppointmentView, now: Timestamp) -> Option<&'static str> {
    use scheduler::Readiness;
    if state::is_late(appointment, now) {
        return Some("The time has come and nobody is here. Ask whether the link arrived.");
    }
    if appointment.state != AppointmentState::Arrived {
        return None;
    }
    match appointment.readiness {
        _ if appointment.left => Some("Left the waiting room. Opening the link again takes the same place."),
        Readiness::NoWebrtc => Some("The browser cannot do video. “Open the link in Chrome, Firefox or Safari.”"),
        Readiness::Nothing => {
            Some("Camera and microphone were refused. “Press the lock beside the address, then allow both.”")
        }
        Readiness::CameraOnly => {
            Some("Microphone was refused. “Press the lock beside the address, then Microphone, Allow.”")
        }
        Readiness::NotChecked | Readiness::CameraAndMicrophone | Readiness::MicrophoneOnly => None,
    }
}
