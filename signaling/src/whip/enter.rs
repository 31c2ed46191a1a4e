//! `POST /whip` and `POST /whep`: an offer and a token in, an answer out.

use super::{
    ICE_FRAGMENT, SDP, bearer, is_of_type, path_of,
    problem::Problem,
    session::{SessionName, ask},
};
use crate::{
    Node,
    rooms::{DeviceCommand, DeviceEntry},
};
use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::{AppendHeaders, IntoResponse, Response},
};
use domain::{
    Redacted,
    media::Sdp,
    relay::{IceSession, OneWay},
};
use service::ice_servers::{IceServer, TurnPassword};
use std::sync::Arc;
use tracing::Instrument as _;

/// A client that sends.
pub(super) async fn publish(state: State<Arc<Node>>, headers: HeaderMap, offer: Bytes) -> Result<Response, Problem> {
    enter(state, &headers, &offer, OneWay::Publish).await
}

/// A client that receives.
pub(super) async fn receive(state: State<Arc<Node>>, headers: HeaderMap, offer: Bytes) -> Result<Response, Problem> {
    enter(state, &headers, &offer, OneWay::Receive).await
}

async fn enter(
    State(node): State<Arc<Node>>,
    headers: &HeaderMap,
    offer: &Bytes,
    way: OneWay,
) -> Result<Response, Problem> {
    let token = bearer(headers).ok_or(Problem::TokenMissing)?;
    if !is_of_type(headers, SDP) {
        return Err(Problem::UnsupportedMediaType);
    }
    if !takes_sdp(headers) {
        return Err(Problem::NotAcceptable);
    }
    let offer = std::str::from_utf8(offer).ok().filter(|offer| offer.starts_with("v=0")).ok_or(Problem::Malformed)?;
    if node.draining.is_cancelled() {
        return Err(Problem::Unavailable);
    }
    // Nothing of the session stays here; what is bounded is how many enter at a time.
    let _place = node.places.try_acquire().map_err(|_| Problem::Unavailable)?;
    let admission = node.redeem(&Redacted::new(token.to_owned())).await?;
    let room = admission.room;
    let name = SessionName { token: admission.token, connection: admission.connection };
    let span = tracing::info_span!("whip", participant.id = %admission.participant);
    let device = DeviceEntry { participant: admission.participant, connection: admission.connection };
    let offer = Sdp::new(offer.to_owned());
    let command = |reply| DeviceCommand::Enter { device, way, offer, reply };
    let answer = ask(&node, (&admission).into(), command).instrument(span).await?;
    let headers = [
        (header::CONTENT_TYPE, SDP.to_owned()),
        (header::LOCATION, format!("{}/{name}", path_of(way))),
        (header::ETAG, super::session::entity_tag(IceSession::FIRST)),
        (HeaderName::from_static("accept-patch"), ICE_FRAGMENT.to_owned()),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    let links = AppendHeaders(node.ice_servers.open_to(room, node.clock.now()).iter().map(link).collect::<Vec<_>>());
    Ok((StatusCode::CREATED, headers, links, answer.into_inner()).into_response())
}

/// A STUN or TURN server as clients are told of it (RFC 9725 §4.6).
fn link(server: &IceServer) -> (HeaderName, String) {
    let IceServer { urls, password } = server;
    let opened_by = password.as_ref().map_or_else(String::new, |TurnPassword { username, credential }| {
        let credential = credential.expose();
        format!(r#"; username="{username}"; credential="{credential}"; credential-type="password""#)
    });
    (header::LINK, format!(r#"<{urls}>; rel="ice-server"{opened_by}"#))
}

/// Without a word about it, anything is taken (RFC 9110 §12.5.1).
fn takes_sdp(headers: &HeaderMap) -> bool {
    let mut said = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).peekable();
    if said.peek().is_none() {
        return true;
    }
    said.flat_map(|value| value.split(',')).any(|range| {
        let mut parts = range.split(';').map(str::trim);
        let kind = parts.next().unwrap_or("").to_ascii_lowercase();
        let is_refused = parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"));
        matches!(kind.as_str(), SDP | "application/*" | "*/*") && !is_refused
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn is_taken(accept: &'static str) -> bool {
        takes_sdp(&HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]))
    }

    #[test]
    fn an_answer_is_given_to_who_takes_it() {
        assert!(takes_sdp(&HeaderMap::new()));
        for taken in ["*/*", "application/sdp", "text/html, Application/SDP;q=0.5", "application/*"] {
            assert!(is_taken(taken), "{taken}");
        }
        for refused in ["text/html", "application/json, text/*", "application/sdp;q=0"] {
            assert!(!is_taken(refused), "{refused}");
        }
    }
}
