//! The consultation as the practitioner sees it: the patient on the stage, the chart beside it, and *End visit*.

use super::{Stage, ice_servers_at, join_token, running};
use crate::{
    announce,
    errors::PageError,
    extract::{Id, Practitioner},
    live::{Live, live},
    page::Page,
    pages::state,
    state::WebState,
    words,
};
use askama::Template;
use axum::{
    Json,
    extract::State,
    response::{Html, IntoResponse, Redirect, Response},
};
use domain::{AppointmentState, EncounterId, EncounterState};
use jiff::{Timestamp, Unit, civil::Date, tz::TimeZone};
use scheduler::{AppointmentView, EncounterView, FinishError};
use service::{
    bus::{Happening, Topic},
    ice_servers::IceServer,
};

#[derive(Template)]
#[template(path = "consultation/practitioner.html")]
struct PractitionerConsultation {
    page: Page,
    stage: Stage,
    chart: Chart,
    finish: String,
    events: String,
}

/// Who waits next, above the picture.
#[derive(Template)]
#[template(path = "consultation/next_waits.html")]
struct NextWaits {
    name: Option<String>,
}

/// What is known of the patient.
struct Chart {
    appointment: AppointmentView,
    /// `14 Mar 1961`.
    born: String,
    age: i32,
    /// `Tuesday 24 November, 10:30`.
    when: String,
    length: String,
    readiness: Option<state::Chip>,
}

impl Chart {
    fn new(appointment: AppointmentView, now: Timestamp, zone: &TimeZone) -> Self {
        Self {
            born: words::short_date(appointment.patient.birth_date),
            age: age(appointment.patient.birth_date, words::day_of(now, zone)),
            when: words::date_and_time(appointment.starts_at, zone),
            length: words::length(appointment.ends_at.duration_since(appointment.starts_at)),
            readiness: state::readiness(appointment.readiness),
            appointment,
        }
    }
}

/// The page while the encounter runs, and the day after it.
pub(crate) async fn get(
    State(state): State<WebState>,
    practitioner: Practitioner,
    Id(id): Id<EncounterId>,
    page: Page,
) -> Result<Response, PageError> {
    let by = practitioner.actor();
    let appointment = scheduler::consultation(&state.db, &by, id).await?.ok_or(PageError::NotFound)?;
    let Some(encounter) = running(&appointment) else {
        return Ok(Redirect::to("/day").into_response());
    };
    let now = state.clock.now();
    let (other, own) = (&appointment.patient.name, &appointment.practitioner.title_and_name);
    let stage = Stage {
        join_tokens: format!("/encounters/{id}/join-tokens"),
        ice_servers: ice_servers_at(&state, &format!("/encounters/{id}")),
        next: "/day".to_owned(),
        ..Stage::new(&appointment, encounter, now, other, own)
    };
    let chart = Chart::new(appointment, now, &practitioner.clinic.zone);
    let finish = format!("/encounters/{id}/finish");
    let events = format!("/encounters/{id}/events");
    Ok(Html(PractitionerConsultation { page, stage, chart, finish, events }.render()?).into_response())
}

/// A join token for the practitioner.
pub(crate) async fn join_tokens(
    State(state): State<WebState>,
    practitioner: Practitioner,
    Id(id): Id<EncounterId>,
) -> Result<Response, PageError> {
    join_token(&state, &practitioner.actor(), id).await
}

/// STUN and TURN servers for the practitioner.
pub(crate) async fn ice_servers(
    State(state): State<WebState>,
    practitioner: Practitioner,
    Id(id): Id<EncounterId>,
) -> Result<Json<Vec<IceServer>>, PageError> {
    super::ice_servers(&state, &practitioner.actor(), id).await
}

/// *End visit*, for both. Ending what has ended already is ending it.
pub(crate) async fn finish(
    State(state): State<WebState>,
    practitioner: Practitioner,
    Id(id): Id<EncounterId>,
) -> Result<Redirect, PageError> {
    let by = practitioner.actor();
    let appointment = scheduler::consultation(&state.db, &by, id).await?.ok_or(PageError::NotFound)?;
    match scheduler::finish(&state.db, &*state.clock, &by, id).await {
        Ok(()) => {
            state.bus.publish(Topic::Encounter(id), Happening::EncounterFinished { encounter: id }).await;
            announce::appointment(&state, &by, appointment.id).await;
        }
        Err(FinishError::AlreadyFinished) => {}
        Err(FinishError::NotFound | FinishError::NotYours) => return Err(PageError::NotFound),
        Err(FinishError::Database(error)) => return Err(error.into()),
    }
    Ok(Redirect::to("/day"))
}

/// Who waits next, and the way to the day when the visit has ended elsewhere.
pub(crate) async fn events(
    State(state): State<WebState>,
    practitioner: Practitioner,
    Id(id): Id<EncounterId>,
) -> Result<impl IntoResponse, PageError> {
    let topics = [Topic::Clinic(practitioner.clinic.id), Topic::Encounter(id)];
    live(&state.clone(), &topics, move || {
        let (state, practitioner) = (state.clone(), practitioner.clone());
        async move { look(&state, &practitioner, id).await }
    })
}

async fn look(state: &WebState, practitioner: &Practitioner, id: EncounterId) -> Result<Live, PageError> {
    let today = words::day_of(state.clock.now(), &practitioner.clinic.zone);
    let day = scheduler::day(&state.db, &practitioner.actor(), today, Some(practitioner.id())).await?;
    let is_this = |encounter: &EncounterView| encounter.id == id && encounter.state == EncounterState::Finished;
    if day.iter().filter_map(|appointment| appointment.encounter.as_ref()).any(is_this) {
        return Ok(Live::Go("/day".to_owned()));
    }
    let next = day.into_iter().find(|one| one.state == AppointmentState::Arrived && !one.left);
    Ok(Live::Fragment(NextWaits { name: next.map(|one| one.patient.name) }.render()?))
}

/// Whole years from `born` to `today`.
fn age(born: Date, today: Date) -> i32 {
    born.until((Unit::Year, today)).map_or(0, |span| i32::from(span.get_years()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn somebody_is_a_year_older_on_their_birthday_and_not_before() {
        let born = date(1961, 3, 14);
        assert_eq!(age(born, date(2026, 3, 13)), 64);
        assert_eq!(age(born, date(2026, 3, 14)), 65);
    }
}
