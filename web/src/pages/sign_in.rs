//! Signing in: e-mail and password. An unknown address, a wrong password and their time to answer look the same.

use crate::{
    cookies,
    errors::PageError,
    extract::{PeerAddress, STAFF_COOKIE, SignedIn},
    page::Page,
    pages::front,
    passwords,
    state::WebState,
    tables::{
        accounts::{self, Account},
        sessions,
        sign_in_attempts::{self, Subject},
    },
};
use askama::Template;
use axum::{
    Form,
    extract::{RawQuery, State},
    http::StatusCode,
    response::{Html, IntoResponse, Redirect, Response},
};
use axum_extra::extract::CookieJar;
use domain::{Actor, Redacted, Who};
use jiff::SignedDuration;
use serde::Deserialize;
use service::audit::{self, AuditEvent};
use std::time::Duration;
use tokio::time::Instant;

/// Over which time attempts are counted.
const WINDOW: SignedDuration = SignedDuration::from_mins(15);

/// Attempts at one account within [`WINDOW`]: a person who has forgotten gives up sooner, a guesser gets nowhere.
const MAX_FOR_ACCOUNT: i64 = 10;

/// Attempts from one address within [`WINDOW`]. A whole clinic may stand behind one.
const MAX_FROM_ADDRESS: i64 = 300;

/// A refusal takes at least this long, so that nobody can tell by the time whether it was written into a clinic's history.
const REFUSAL_TAKES: Duration = Duration::from_millis(250);

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    page: Page,
    email: String,
    notice: Option<&'static str>,
    has_ended: bool,
}

/// The form; whoever is signed in goes to work.
pub(crate) async fn get(
    page: Page,
    RawQuery(query): RawQuery,
    person: Result<SignedIn, PageError>,
) -> Result<Response, PageError> {
    if let Ok(person) = person {
        return Ok(Redirect::to(front::home(person.role)).into_response());
    }
    let has_ended = query.as_deref() == Some("ended");
    let form = SignInPage { page, email: String::new(), notice: None, has_ended };
    Ok(Html(form.render()?).into_response())
}

#[derive(Deserialize)]
pub(crate) struct Credentials {
    email: String,
    password: Redacted<String>,
}

/// Starts a session, or says that the two do not belong together.
pub(crate) async fn post(
    State(state): State<WebState>,
    PeerAddress(address): PeerAddress,
    page: Page,
    jar: CookieJar,
    Form(credentials): Form<Credentials>,
) -> Result<Response, PageError> {
    let email = credentials.email.trim().to_owned();
    let subjects = [(Subject::email(&email), MAX_FOR_ACCOUNT), (Subject::address(address), MAX_FROM_ADDRESS)];
    if are_too_many(&state, &subjects).await? {
        tracing::warn!("too many attempts to sign in");
        return again(
            page,
            email,
            StatusCode::TOO_MANY_REQUESTS,
            "Too many attempts. Wait a quarter of an hour, then try again.",
        );
    }
    let earliest_refusal = Instant::now() + REFUSAL_TAKES;
    let Some(account) = prove(&state, &email, credentials.password).await? else {
        tokio::time::sleep_until(earliest_refusal).await;
        return again(
            page,
            email,
            StatusCode::UNPROCESSABLE_ENTITY,
            "E-mail and password do not belong together. Check both and try again.",
        );
    };
    let token = start(&state, &account, &subjects[0].0, &jar).await?;
    let cookie = cookies::cookie(&state.site, STAFF_COOKIE, token.into_inner());
    Ok((jar.add(cookie), Redirect::to(front::home(account.role))).into_response())
}

fn again(page: Page, email: String, status: StatusCode, notice: &'static str) -> Result<Response, PageError> {
    let form = SignInPage { page, email, notice: Some(notice), has_ended: false };
    Ok((status, Html(form.render()?)).into_response())
}

/// Counted before the password is looked at, so that a storm of guesses is counted whole.
async fn are_too_many(state: &WebState, subjects: &[(Subject, i64)]) -> Result<bool, sqlx::Error> {
    let now = state.clock.now();
    let mut tx = state.db.anonymous().await?;
    let mut too_many = false;
    for (subject, max) in subjects {
        too_many |= sign_in_attempts::note(&mut tx, subject, now, now - WINDOW).await? > *max;
    }
    tx.commit().await?;
    Ok(too_many)
}

/// The account, if the password is its own. A wrong one is an event in the clinic's history.
async fn prove(state: &WebState, email: &str, password: Redacted<String>) -> Result<Option<Account>, PageError> {
    let account = accounts::find(&mut *state.db.door().await?, email).await?;
    let is_short = password.expose().len() <= passwords::MAX_PASSWORD_BYTES;
    let password = if is_short { password } else { Redacted::new(String::new()) };
    let hash = account.as_ref().map(|account| account.password_hash.clone());
    if passwords::matches(password, hash).await? {
        return Ok(account);
    }
    if let Some(account) = account {
        let by = Actor { clinic: account.clinic, who: Who::Service("web") };
        let mut tx = state.db.begin(&by).await?;
        let detail = serde_json::json!({ "account": account.id });
        audit::record(&mut tx, &by, AuditEvent::new("session.refused").detail(detail)).await?;
        tx.commit().await?;
    }
    Ok(None)
}

/// A new session; the one that this browser had before is over.
async fn start(
    state: &WebState,
    account: &Account,
    email: &Subject,
    jar: &CookieJar,
) -> Result<Redacted<String>, sqlx::Error> {
    let by = account.actor();
    let mut tx = state.db.begin(&by).await?;
    if let Some(old) = jar.get(&cookies::name(&state.site, STAFF_COOKIE)) {
        sessions::end(&mut tx, account.clinic, sessions::hash(old.value())).await?;
    }
    let token = sessions::start(&mut tx, &*state.random, state.clock.now(), account.clinic, account.id).await?;
    sign_in_attempts::forget(&mut tx, email).await?;
    audit::record(&mut tx, &by, AuditEvent::new("session.started")).await?;
    tx.commit().await?;
    Ok(token)
}
