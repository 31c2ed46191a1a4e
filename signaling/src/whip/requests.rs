//! What every request gets: an id, a line in the log that names the route and never the path, and the headers of CORS.

use super::problem::Problem;
use axum::{
    extract::{MatchedPath, Request},
    http::{HeaderName, HeaderValue, header},
    middleware::Next,
    response::Response,
};
use domain::Random as _;
use service::random::SystemRandom;
use tracing::Instrument as _;

/// What a page of another origin may read of an answer.
const EXPOSED: &str = "Location, ETag, Link, Accept-Patch, Allow, Retry-After, WWW-Authenticate, X-Request-Id";

/// Observes a request, and writes the refusal that it met.
pub(super) async fn observe(request: Request, next: Next) -> Response {
    let id = SystemRandom.uuid();
    let route = request.extensions().get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str);
    let span = tracing::info_span!("request", request.id = %id, http.method = %request.method(), http.route = route);
    let answered = next.run(request).instrument(span.clone()).await;
    let status = answered.status();
    span.in_scope(|| tracing::info!(http.status = status.as_u16(), "request answered"));
    metrics::counter!("signaling_whip_requests_total", "status" => status.as_u16().to_string()).increment(1);
    let mut response = if status.is_client_error() || status.is_server_error() {
        let problem = answered.extensions().get().copied().unwrap_or_else(|| Problem::of_status(status));
        let mut written = problem.write(id);
        if let Some(allow) = answered.headers().get(header::ALLOW) {
            written.headers_mut().insert(header::ALLOW, allow.clone());
        }
        written
    } else {
        answered
    };
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
    let id = HeaderValue::from_str(&id.to_string()).expect("a uuid is a valid header value");
    headers.insert(HeaderName::from_static("x-request-id"), id);
    response
}
