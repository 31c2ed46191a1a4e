//! `POST /whip` and `POST /whep`: an offer and a token in, an answer out.

use super::{ICE_FRAGMENT, ROOM_TIMEOUT, SDP, bearer, is_of_type, path_of, problem::Problem, session::SessionName};
use crate::{
    Node,
    rooms::{DeviceCommand, DeviceEntry, RoomCommand},
};
use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::{
    Redacted,
    media::Sdp,
    relay::{IceSession, OneWay},
    signal::ErrorCode,
};
use scheduler::join_tokens::{self, Admission, TokenRefused};
use std::sync::Arc;
use tokio::{sync::oneshot, time::timeout};
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
    let admission = redeem(&node, token).await?;
    let name = SessionName { token: admission.token, connection: admission.connection };
    let span = tracing::info_span!("whip", participant.id = %admission.participant);
    let answer = enter_room(&node, &admission, way, Sdp::new(offer.to_owned())).instrument(span).await?;
    let headers = [
        (header::CONTENT_TYPE, SDP.to_owned()),
        (header::LOCATION, format!("{}/{name}", path_of(way))),
        (header::ETAG, super::session::entity_tag(IceSession::FIRST)),
        (HeaderName::from_static("accept-patch"), ICE_FRAGMENT.to_owned()),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((StatusCode::CREATED, headers, answer.into_inner()).into_response())
}

/// The token decides who this is, and is used up whatever comes of the offer.
async fn redeem(node: &Node, token: &str) -> Result<Admission, Problem> {
    let token = Redacted::new(token.to_owned());
    join_tokens::redeem(&node.db, &*node.clock, &node.join_tokens, &token).await.map_err(|refused| match refused {
        TokenRefused::Refused => Problem::TokenRefused,
        TokenRefused::Database(error) => {
            tracing::error!(%error, "a token cannot be redeemed");
            Problem::Unavailable
        }
    })
}

async fn enter_room(node: &Arc<Node>, admission: &Admission, way: OneWay, offer: Sdp) -> Result<Sdp, ErrorCode> {
    let device = DeviceEntry { participant: admission.participant, connection: admission.connection };
    let (reply, entered) = oneshot::channel();
    let command = RoomCommand::Device(DeviceCommand::Enter { device, way, offer, reply });
    node.rooms.enter(node, admission.into(), command)?;
    match timeout(ROOM_TIMEOUT, entered).await {
        Ok(Ok(entered)) => entered,
        Ok(Err(_)) | Err(_) => Err(ErrorCode::Unavailable),
    }
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
