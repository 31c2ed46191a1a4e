//! What every request gets: an id, a nonce, and one line in the log. The line names the route, never the path,
//! since a path may hold the token of a visit link.

use crate::{extract::Nonce, state::WebState};
use axum::{
    extract::{MatchedPath, Request, State},
    http::HeaderValue,
    middleware::Next,
    response::Response,
};
use std::time::Instant;
use tracing::Instrument as _;
use uuid::Uuid;

/// The id of a request: in the log line, in the header `x-request-id`, and on the page that is shown
/// in place of what was asked for, so that whoever is rung finds the line.
#[derive(Debug, Clone, Copy)]
pub struct RequestId(pub Uuid);

/// Gives the request its id and nonce, and logs how it ended. Never takes an id from outside: it would be in our logs.
pub(crate) async fn observe(State(state): State<WebState>, mut request: Request, next: Next) -> Response {
    let id = RequestId(state.random.uuid());
    request.extensions_mut().insert(id);
    request.extensions_mut().insert(Nonce::new(&*state.random));
    let route = request.extensions().get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str);
    let span = tracing::info_span!("request", request.id = %id.0, http.method = %request.method(), http.route = route);

    let began = Instant::now();
    let mut response = next.run(request).instrument(span.clone()).await;
    let status = response.status().as_u16();
    let milliseconds = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    span.in_scope(|| tracing::info!(http.status = status, duration_ms = milliseconds, "request answered"));

    let value = HeaderValue::from_str(&id.0.to_string()).expect("a uuid is a valid header value");
    response.headers_mut().insert("x-request-id", value);
    response
}
