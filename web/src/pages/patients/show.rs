//! One patient at the desk: how to reach them, what lies ahead, what was lately.

use crate::{
    errors::PageError,
    extract::{Id, Receptionist},
    page::{Here, Page, Staff},
    pages::state::{self, Chip},
    state::WebState,
    words,
};
use askama::Template;
use axum::{extract::State, response::Html};
use domain::PatientId;
use jiff::SignedDuration;
use scheduler::{AppointmentView, PatientView};

/// How far back the page looks: what somebody who rings may still mean.
const LATELY: SignedDuration = SignedDuration::from_hours(24 * 90);

#[derive(Template)]
#[template(path = "patients/show.html")]
struct PatientPage {
    page: Page,
    staff: Staff,
    patient: PatientView,
    lists: [List; 2],
}

/// Some of the patient's appointments.
struct List {
    heading: &'static str,
    lines: Vec<Line>,
    /// What it says when there are none.
    none: &'static str,
}

/// One appointment in a list.
struct Line {
    appointment: AppointmentView,
    day: String,
    time: String,
    chip: Chip,
}

/// The page. Opening it is an event of the history.
pub(crate) async fn get(
    State(state): State<WebState>,
    receptionist: Receptionist,
    Id(id): Id<PatientId>,
    page: Page,
) -> Result<Html<String>, PageError> {
    let (by, now, zone) = (receptionist.actor(), state.clock.now(), &receptionist.clinic.zone);
    let patient = scheduler::patient(&state.db, &by, id).await?.ok_or(PageError::NotFound)?;
    let appointments = scheduler::appointments_of(&state.db, &by, id, now - LATELY).await?;
    let line = |appointment: AppointmentView| Line {
        day: appointment.starts_at.to_zoned(zone.clone()).strftime("%a %-d %b %Y").to_string(),
        time: words::time(appointment.starts_at, zone),
        chip: state::chip(appointment.standing(), now, zone),
        appointment,
    };
    let (ahead, mut lately): (Vec<_>, Vec<_>) = appointments.into_iter().partition(|one| one.ends_at > now);
    lately.reverse();
    let html = PatientPage {
        page,
        staff: Staff::at_desk(&state, &receptionist, Here::Patients).await?,
        patient,
        lists: [
            List { heading: "Ahead", lines: ahead.into_iter().map(line).collect(), none: "Nothing is booked." },
            List {
                heading: "In the last three months",
                lines: lately.into_iter().map(line).collect(),
                none: "No visit.",
            },
        ],
    };
    Ok(Html(html.render()?))
}
