//! A device into the consultation: a camera that sends by WHIP, or a screen that receives by WHEP.

use crate::{
    api::{
        input::{Body, Id},
        problem::{Code, Problem},
        refusals,
        token::Caller,
    },
    state::WebState,
};
use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::AppointmentId;
use jiff::Timestamp;
use scheduler::{DeviceTokenError, MAX_DEVICE_NAME, MAX_DEVICES, mint_for_device};
use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn routes() -> OpenApiRouter<WebState> {
    OpenApiRouter::new().routes(routes!(join_tokens))
}

/// For what.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewJoinToken)]
#[serde(deny_unknown_fields)]
struct New {
    role: DeviceRole,
    /// What the others in the consultation see it called. The same name is the same device: it takes its own place again.
    #[serde(default = "unnamed")]
    #[schema(min_length = 1, max_length = 60, default = "Device", examples("Exam camera"))]
    name: String,
}

/// People get theirs from their pages.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum DeviceRole {
    Device,
}

fn unnamed() -> String {
    "Device".to_owned()
}

/// A token that opens the consultation once, and where to show it.
#[derive(Serialize, ToSchema)]
struct JoinToken {
    /// To be sent as `Authorization: Bearer`.
    token: String,
    /// Where a device that sends posts its offer (RFC 9725).
    #[schema(format = "uri")]
    whip: String,
    /// Where a device that receives posts its offer.
    #[schema(format = "uri")]
    whep: String,
    /// Until when it may be used to enter.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// Makes a join token for a device in the running consultation of an appointment: good once, for a minute.
#[utoipa::path(post, path = "/appointments/{id}/join-tokens", tag = "appointments", operation_id = "make_join_token",
    params(("id" = Uuid, Path)), request_body = New,
    responses((status = 201, body = JoinToken),
        refusals::Any, refusals::Body, refusals::Missing, refusals::Conflict))]
async fn join_tokens(
    State(state): State<WebState>,
    caller: Caller,
    Id(id): Id<AppointmentId>,
    Body(New { role: DeviceRole::Device, name }): Body<New>,
) -> Result<Response, Problem> {
    let (db, clock, random, key) = (&state.db, &*state.clock, &*state.random, &state.site.join_tokens);
    let made = mint_for_device(db, clock, random, key, caller.actor(), (id, &name)).await.map_err(refused)?;
    let beside = |path: &str| beside_signaling(&state.site.signaling_url, path).to_string();
    let (token, expires_at) = (made.token.into_inner(), made.expires_at);
    let body = JoinToken { token, whip: beside("whip"), whep: beside("whep"), expires_at };
    Ok((StatusCode::CREATED, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response())
}

/// WHIP and WHEP are answered by signaling, at the WebSocket's address with another last part.
fn beside_signaling(socket: &Url, path: &str) -> Url {
    let mut url = socket.join(path).expect("a relative path joins any address with a host");
    let scheme = if socket.scheme() == "wss" { "https" } else { "http" };
    url.set_scheme(scheme).expect("http and ws are both special schemes");
    url
}

fn refused(error: DeviceTokenError) -> Problem {
    match error {
        DeviceTokenError::NotFound => Problem::not_found(),
        DeviceTokenError::NotOpen => {
            Problem::new(Code::WrongState, "The visit is not in progress: a device enters while it is.")
        }
        DeviceTokenError::BadName => {
            let detail = format!("A name has 1 to {MAX_DEVICE_NAME} characters and no line breaks.");
            Problem::fields([("name".to_owned(), detail)])
        }
        DeviceTokenError::TooMany => Problem::new(
            Code::TooManyOfThem,
            format!("The visit has {MAX_DEVICES} devices. Use one of their names to replace it."),
        ),
        DeviceTokenError::Database(error) => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whip_is_beside_the_socket() {
        let beside = |socket: &str| beside_signaling(&socket.parse().expect("a URL"), "whip").to_string();
        assert_eq!(beside("ws://localhost:8080/signal"), "http://localhost:8080/whip");
        assert_eq!(beside("wss://media.example.org/visits/signal"), "https://media.example.org/visits/whip");
    }
}
