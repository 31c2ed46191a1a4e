//! Style sheets, scripts and pictures, embedded in the executable and cached by browsers for good.

use axum::{
    Router,
    extract::Path,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};

include!(concat!(env!("OUT_DIR"), "/static_files.rs"));

/// A year: the address changes when any file does.
const FOREVER: &str = "public, max-age=31536000, immutable";

/// The address of a file of `static/`. It holds the digest of all files.
pub(crate) fn address(name: &str) -> String {
    format!("/static/{DIGEST}/{name}")
}

pub(crate) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/static/{digest}/{*name}", get(file))
}

/// A page from before an update asks with the old digest, and gets the new file: better than none, but not for good.
async fn file(Path((digest, name)): Path<(String, String)>) -> Response {
    let Some((_, content_type, bytes)) = FILES.iter().find(|(known, ..)| *known == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let caching = if digest == DIGEST { FOREVER } else { "no-cache" };
    ([(header::CONTENT_TYPE, *content_type), (header::CACHE_CONTROL, caching), (header::ETAG, ETAG)], *bytes)
        .into_response()
}
