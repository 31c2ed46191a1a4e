//! WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep): a camera or a screen enters the room by one HTTP request.
//!
//! The join token is the bearer token. It is used up by the request that enters, and from then on it speaks for the session that
//! it opened and for nothing else. No node keeps anything of a session: its address names token and connection, the token
//! says whose it is, and the relay knows whether it is there.

mod enter;
mod ice_fragment;
mod problem;
mod requests;
mod session;

use crate::Node;
use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing::{patch, post},
};
use domain::{media::MAX_SDP_BYTES, relay::OneWay};
use std::sync::Arc;

const SDP: &str = "application/sdp";
const ICE_FRAGMENT: &str = "application/trickle-ice-sdpfrag";

/// `/whip`, `/whep` and the sessions below them.
pub(crate) fn router() -> Router<Arc<Node>> {
    let session = || patch(session::say_ice).delete(session::leave).options(preflight_of_session);
    Router::new()
        .route("/whip", post(enter::publish).options(preflight))
        .route("/whep", post(enter::receive).options(preflight))
        .route("/whip/{session}", session())
        .route("/whep/{session}", session())
        .route_layer(DefaultBodyLimit::max(MAX_SDP_BYTES))
        .route_layer(middleware::from_fn(requests::observe))
}

/// What a page of anywhere asks before it enters (RFC 9725 §4.2). No cookie counts here, so any page may.
async fn preflight() -> Response {
    allowed("POST, OPTIONS", (HeaderName::from_static("accept-post"), SDP))
}

async fn preflight_of_session() -> Response {
    allowed("PATCH, DELETE, OPTIONS", (HeaderName::from_static("accept-patch"), ICE_FRAGMENT))
}

fn allowed(methods: &'static str, (accept, kind): (HeaderName, &'static str)) -> Response {
    let headers = [
        (header::ALLOW, methods),
        (header::ACCESS_CONTROL_ALLOW_METHODS, methods),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "Authorization, Content-Type, If-Match"),
        (header::ACCESS_CONTROL_MAX_AGE, "86400"),
        (accept, kind),
    ];
    (StatusCode::NO_CONTENT, headers.map(|(name, value)| (name, HeaderValue::from_static(value)))).into_response()
}

/// The path of an endpoint.
const fn path_of(way: OneWay) -> &'static str {
    match way {
        OneWay::Publish => "/whip",
        OneWay::Receive => "/whep",
    }
}

/// The bearer token (RFC 6750 §2.1).
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Whether the body is said to be of this type, whatever its parameters.
fn is_of_type(headers: &HeaderMap, kind: &str) -> bool {
    let said = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    said.split(';').next().unwrap_or("").trim().eq_ignore_ascii_case(kind)
}
