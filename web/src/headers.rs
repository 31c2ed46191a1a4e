//! The headers of every response: what the browser may load, show and tell others.

use crate::{extract::Nonce, state::WebState};
use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, header},
    middleware::Next,
    response::Response,
};

/// Where camera and microphone may be asked for: the device check and the consultation.
const ROUTES_WITH_DEVICES: [&str; 4] = ["/visit/", "/waiting/", "/consultation/", "/encounters/"];

const NO_DEVICES: &str = "camera=(), microphone=(), display-capture=(), geolocation=(), payment=(), usb=()";
const OWN_DEVICES: &str =
    "camera=(self), microphone=(self), display-capture=(self), geolocation=(), payment=(), usb=()";

/// The one page that search engines may keep: the clinic's own, by which patients find it.
const INDEXED: &str = "/clinics/{slug}";

/// Adds the headers. What a handler has set itself (a static file its caching) stays.
pub(crate) async fn apply(State(state): State<WebState>, request: Request, next: Next) -> Response {
    let nonce = request.extensions().get::<Nonce>().cloned();
    let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let devices =
        if ROUTES_WITH_DEVICES.iter().any(|prefix| route.starts_with(prefix)) { OWN_DEVICES } else { NO_DEVICES };
    let is_indexed = route == INDEXED;

    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let policy = content_security_policy(nonce.as_ref(), &state.site.signaling_url);
    set(headers, header::CONTENT_SECURITY_POLICY, &policy);
    set(headers, HeaderName::from_static("permissions-policy"), devices);
    set(headers, header::REFERRER_POLICY, "no-referrer");
    if !is_indexed {
        set(headers, HeaderName::from_static("x-robots-tag"), "noindex, nofollow");
    }
    set(headers, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(headers, HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    set(headers, HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    // Nearly every page shows a person, so none is kept; the exceptions say so themselves.
    set(headers, header::CACHE_CONTROL, "no-store");
    if state.site.is_https() {
        set(headers, header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    response
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    let value = HeaderValue::from_str(value).expect("made of visible ASCII");
    headers.entry(name).or_insert(value);
}

/// Scripts run by nonce (what they import as modules inherits it), styles come from files, and nothing else is loaded.
fn content_security_policy(nonce: Option<&Nonce>, signaling: &url::Url) -> String {
    let scripts = nonce.map_or_else(|| "'none'".to_owned(), |nonce| format!("'nonce-{nonce}'"));
    let signaling = signaling.origin_of_websocket();
    format!(
        "default-src 'none'; script-src {scripts}; style-src 'self'; img-src 'self'; media-src 'self' blob:; \
         connect-src 'self' {signaling}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
}

trait WebSocketOrigin {
    fn origin_of_websocket(&self) -> String;
}

impl WebSocketOrigin for url::Url {
    /// `ws` has a port and a host, but [`url::Url::origin`] calls it opaque in some versions: written out instead.
    fn origin_of_websocket(&self) -> String {
        let host = self.host_str().unwrap_or("localhost");
        let port = self.port().map(|port| format!(":{port}")).unwrap_or_default();
        format!("{}://{host}{port}", self.scheme())
    }
}
