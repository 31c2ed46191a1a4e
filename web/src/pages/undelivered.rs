//! Messages: whom none reached, what they do not know, and the number to ring.

use super::desk::undelivered;
use crate::{
    errors::PageError,
    extract::Receptionist,
    page::{Here, Page, Staff},
    state::WebState,
    words,
};
use askama::Template;
use axum::{extract::State, response::Html};
use scheduler::AppointmentView;

#[derive(Template)]
#[template(path = "undelivered.html")]
struct UndeliveredPage {
    page: Page,
    staff: Staff,
    lines: Vec<Line>,
}

/// Somebody to ring.
struct Line {
    appointment: AppointmentView,
    day: String,
    time: String,
    why: &'static str,
}

/// The page.
pub(crate) async fn get(
    State(state): State<WebState>,
    receptionist: Receptionist,
    page: Page,
) -> Result<Html<String>, PageError> {
    let zone = &receptionist.clinic.zone;
    let (unreached, counts) = scheduler::unreached_visits(&state.db, &*state.clock, &receptionist.actor()).await?;
    let line = |(appointment, kind): scheduler::UnreachedVisit| Line {
        day: words::long_date(words::day_of(appointment.starts_at, zone)),
        time: words::time(appointment.starts_at, zone),
        why: undelivered(kind),
        appointment,
    };
    let lines = unreached.into_iter().map(line).collect();
    let staff = Staff::new(&receptionist, Here::Messages).counting(counts);
    Ok(Html(UndeliveredPage { page, staff, lines }.render()?))
}
