//! The consultation, from both sides: one stage, the chart beside it for the practitioner.

pub(crate) mod patient;
pub(crate) mod practitioner;

use crate::{errors::PageError, state::WebState, words};
use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use domain::{Actor, EncounterId, EncounterState};
use jiff::Timestamp;
use scheduler::{
    AppointmentView, EncounterView,
    join_tokens::{self, MintError},
};
use serde_json::json;
use service::ice_servers::IceServer;

/// What `consultation/stage.html` needs, whoever looks.
pub(crate) struct Stage {
    /// Where the page asks for join tokens.
    join_tokens: String,
    /// Where the page asks for STUN and TURN servers, if there are any.
    ice_servers: Option<String>,
    /// Where the page goes when the visit has ended.
    next: String,
    /// Who is awaited on the stage.
    other: String,
    other_initials: String,
    own_initials: String,
    /// When the patient was admitted, and the present, for the page's clock.
    started_at: Timestamp,
    now: Timestamp,
    /// The planned length in minutes.
    planned_minutes: i64,
}

impl Stage {
    fn new(appointment: &AppointmentView, encounter: &EncounterView, now: Timestamp, other: &str, own: &str) -> Self {
        Self {
            join_tokens: String::new(),
            ice_servers: None,
            next: String::new(),
            other: other.to_owned(),
            other_initials: words::initials(other),
            own_initials: words::initials(own),
            started_at: encounter.started_at,
            now,
            planned_minutes: words::minutes(appointment.ends_at.duration_since(appointment.starts_at)),
        }
    }

    /// How long it has lasted, for a page without scripts and for its first moment with them: `04:12`.
    fn lasted(&self) -> String {
        let seconds = self.now.duration_since(self.started_at).as_secs().max(0);
        format!("{:02}:{:02}", seconds / 60, seconds % 60)
    }
}

/// The encounter of an appointment while it runs.
fn running(appointment: &AppointmentView) -> Option<&EncounterView> {
    appointment.encounter.as_ref().filter(|encounter| encounter.state == EncounterState::InProgress)
}

/// Where the page that lies at `path` asks for STUN and TURN servers.
fn ice_servers_at(state: &WebState, path: &str) -> Option<String> {
    (!state.site.ice_servers.is_empty()).then(|| format!("{path}/ice-servers"))
}

/// STUN and TURN servers for the next peer connection, open for minutes. They learn the room's id, which says nothing.
async fn ice_servers(state: &WebState, by: &Actor, encounter: EncounterId) -> Result<Json<Vec<IceServer>>, PageError> {
    match join_tokens::room(&state.db, by, encounter).await {
        Ok(room) => Ok(Json(state.site.ice_servers.open_to(room, state.clock.now()))),
        Err(MintError::NotFound | MintError::NotYours | MintError::NotOpen) => Err(PageError::NotFound),
        Err(MintError::Database(error)) => Err(error.into()),
    }
}

/// A join token for whoever asks, and where to use it.
async fn join_token(state: &WebState, by: &Actor, encounter: EncounterId) -> Result<Response, PageError> {
    let key = &state.site.join_tokens;
    match join_tokens::mint(&state.db, &*state.clock, &*state.random, key, by, encounter).await {
        Ok(token) => Ok(Json(json!({ "token": token.expose(), "signaling_url": state.site.signaling_url.as_str() }))
            .into_response()),
        Err(MintError::NotOpen) => Ok((StatusCode::CONFLICT, Json(json!({ "error": "ended" }))).into_response()),
        Err(MintError::NotFound | MintError::NotYours) => Err(PageError::NotFound),
        Err(MintError::Database(error)) => Err(error.into()),
    }
}
