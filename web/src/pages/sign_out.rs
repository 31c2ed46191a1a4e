//! Signing out: the session is over everywhere at once, and the browser forgets what it saw.

use crate::{
    cookies,
    errors::PageError,
    extract::{STAFF_COOKIE, SignedIn},
    state::WebState,
    tables::sessions,
};
use axum::{
    extract::State,
    http::HeaderName,
    response::{IntoResponse, Redirect},
};
use axum_extra::extract::CookieJar;
use service::audit::{self, AuditEvent};

const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");

/// Ends the session. A patient's visit in the same browser goes on, so cookies other than ours stay.
pub(crate) async fn post(
    State(state): State<WebState>,
    person: SignedIn,
    jar: CookieJar,
) -> Result<impl IntoResponse, PageError> {
    let by = person.actor();
    let mut tx = state.db.begin(&by).await?;
    sessions::end(&mut tx, by.clinic, person.session).await?;
    audit::record(&mut tx, &by, AuditEvent::new("session.ended")).await?;
    tx.commit().await?;
    let jar = jar.add(cookies::forgotten(&state.site, STAFF_COOKIE));
    Ok((jar, [(CLEAR_SITE_DATA, "\"cache\"")], Redirect::to("/sign-in")))
}
