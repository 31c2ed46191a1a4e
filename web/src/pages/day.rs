//! The practitioner's day: the next patient as a card with one button, the day as a list. It keeps itself up to date.

use crate::{
    errors::PageError,
    extract::{Practitioner, SignedIn},
    live::{Live, live},
    page::{Here, Page, Staff},
    pages::state::{self, Chip},
    state::WebState,
    tables::sessions,
    words,
};
use askama::Template;
use axum::{
    extract::State,
    response::{Html, IntoResponse},
};
use domain::{AppointmentState, EncounterState};
use jiff::Timestamp;
use scheduler::{AppointmentView, PractitionerView};
use service::bus::Topic;

#[derive(Template)]
#[template(path = "day.html")]
struct DayPage {
    page: Page,
    staff: Staff,
    today: Today,
}

/// The part of the page that changes.
#[derive(Template)]
#[template(path = "day_today.html")]
struct Today {
    greeting: String,
    sentence: String,
    next: Option<Next>,
    rows: Vec<Row>,
}

/// Who is next.
struct Next {
    appointment: AppointmentView,
    time: String,
    born: String,
    chip: Chip,
    readiness: Option<Chip>,
}

struct Row {
    appointment: AppointmentView,
    time: String,
    chip: Chip,
    is_next: bool,
}

impl Next {
    fn may_be_admitted(&self) -> bool {
        waits(&self.appointment)
    }

    fn running(&self) -> Option<String> {
        running(&self.appointment)
    }
}

impl Row {
    fn is_waiting(&self) -> bool {
        waits(&self.appointment)
    }

    fn is_cancelled(&self) -> bool {
        self.appointment.state == AppointmentState::Cancelled
    }

    /// The consultation that runs, to return to.
    fn running(&self) -> Option<String> {
        running(&self.appointment)
    }
}

/// The page.
pub(crate) async fn get(
    State(state): State<WebState>,
    practitioner: Practitioner,
    page: Page,
) -> Result<Html<String>, PageError> {
    let today = look(&state, &practitioner, practitioner.id()).await?;
    Ok(Html(DayPage { page, staff: Staff::new(&practitioner, Here::MyDay), today }.render()?))
}

/// The same, whenever it changes. It ends with the session, which it does not prolong.
pub(crate) async fn events(
    State(state): State<WebState>,
    practitioner: Practitioner,
) -> Result<impl IntoResponse, PageError> {
    let (id, session, clinic) = (practitioner.id(), practitioner.session, practitioner.clinic.id);
    live(&state.clone(), &[Topic::Clinic(clinic)], move || {
        let state = state.clone();
        async move {
            let Some(person) = sessions::resume(&state, session, false).await? else {
                return Ok(Live::Go("/sign-in?ended".to_owned()));
            };
            Ok(Live::Fragment(look(&state, &person, id).await?.render()?))
        }
    })
}

async fn look(state: &WebState, person: &SignedIn, id: domain::PractitionerId) -> Result<Today, PageError> {
    let by = person.actor();
    let now = state.clock.now();
    let date = words::day_of(now, &person.clinic.zone);
    let practitioners = scheduler::practitioners(&state.db, &by).await?;
    let appointments = scheduler::day(&state.db, &by, date, Some(id)).await?;
    let me = practitioners.into_iter().find(|practitioner| practitioner.id == id).ok_or(PageError::NotFound)?;
    Ok(today(person, &me, appointments, now))
}

fn today(person: &SignedIn, me: &PractitionerView, appointments: Vec<AppointmentView>, now: Timestamp) -> Today {
    let zone = &person.clinic.zone;
    let next = next(&appointments, now).cloned();
    let next_id = next.as_ref().map(|next| next.id);
    Today {
        greeting: format!("{}, {}", words::greeting(now, zone), me.short),
        sentence: format!("{} · {}", words::long_date(words::day_of(now, zone)), counted(&appointments)),
        next: next.map(|appointment| Next {
            time: words::time(appointment.starts_at, zone),
            born: words::short_date(appointment.patient.birth_date),
            chip: state::chip(appointment.standing(), now, zone),
            readiness: waits(&appointment).then(|| state::readiness(appointment.readiness)).flatten(),
            appointment,
        }),
        rows: appointments
            .into_iter()
            .map(|appointment| Row {
                time: words::time(appointment.starts_at, zone),
                chip: state::chip(appointment.standing(), now, zone),
                is_next: next_id == Some(appointment.id),
                appointment,
            })
            .collect(),
    }
}

/// Who waits comes first, in the order of the day; then the visit that runs; then whoever is expected.
fn next(appointments: &[AppointmentView], now: Timestamp) -> Option<&AppointmentView> {
    let expected = |a: &&AppointmentView| a.state == AppointmentState::Booked && a.ends_at > now;
    appointments
        .iter()
        .find(|a| waits(a))
        .or_else(|| appointments.iter().find(|a| running(a).is_some()))
        .or_else(|| appointments.iter().find(expected))
}

fn waits(appointment: &AppointmentView) -> bool {
    appointment.state == AppointmentState::Arrived && !appointment.left
}

fn running(appointment: &AppointmentView) -> Option<String> {
    let encounter = appointment.encounter.as_ref()?;
    (encounter.state == EncounterState::InProgress).then(|| format!("/encounters/{}", encounter.id))
}

/// `9 visits, 2 seen`.
fn counted(appointments: &[AppointmentView]) -> String {
    let visits = appointments.iter().filter(|a| a.state != AppointmentState::Cancelled).count();
    let seen = appointments
        .iter()
        .filter_map(|a| a.encounter.as_ref())
        .filter(|encounter| encounter.state == EncounterState::Finished)
        .count();
    match visits {
        0 => "no visits".to_owned(),
        1 => format!("1 visit, {seen} seen"),
        _ => format!("{visits} visits, {seen} seen"),
    }
}
