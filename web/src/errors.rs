//! What went wrong, as a page: what happened, what is kept, what to do. Never an error's text.

use crate::{api::problem, page::Page, refusal::Code, requests::RequestId, state::WebState};
use askama::Template;
use axum::{
    extract::{FromRequestParts as _, Request, State},
    http::{StatusCode, header},
    middleware::Next,
    response::{Html, IntoResponse, Redirect, Response},
};

/// Why there is no page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageError {
    /// Not there, or not for this person: the same answer.
    NotFound,
    /// Signed in, but this page is for another role.
    Forbidden,
    /// Nobody is signed in.
    SignInFirst,
    /// The session has ended, by the clock or elsewhere.
    SessionEnded,
    /// Too much in too short a time.
    TooMany,
    /// The database gave up waiting: the same again in a moment.
    Busy,
    /// Something that should not fail did. It was logged where it happened.
    Failed,
}

impl PageError {
    const fn status(self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::SignInFirst | Self::SessionEnded => StatusCode::UNAUTHORIZED,
            Self::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Failed => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl From<sqlx::Error> for PageError {
    fn from(error: sqlx::Error) -> Self {
        if service::postgres::gave_up(&error) {
            tracing::warn!(error = format!("{error:#}"), "a page waited too long for the database");
            return Self::Busy;
        }
        Self::from(anyhow::Error::from(error))
    }
}

impl From<anyhow::Error> for PageError {
    /// The one place where it is logged. `error` may hold a statement, never its arguments.
    fn from(error: anyhow::Error) -> Self {
        tracing::error!(error = format!("{error:#}"), "a page failed");
        Self::Failed
    }
}

impl From<askama::Error> for PageError {
    fn from(error: askama::Error) -> Self {
        Self::from(anyhow::Error::from(error))
    }
}

impl IntoResponse for PageError {
    /// An empty response that carries itself: [`show`] knows the request and writes the page.
    fn into_response(self) -> Response {
        match self {
            Self::SignInFirst => Redirect::to("/sign-in").into_response(),
            Self::SessionEnded => Redirect::to("/sign-in?ended").into_response(),
            error => (error.status(), axum::Extension(error)).into_response(),
        }
    }
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    page: Page,
    code: Code,
    title: &'static str,
    sentence: &'static str,
    request: Option<RequestId>,
}

/// Turns every refusal into a page: ours, the router's and those of axum's own extractors. Programs get theirs as a problem.
pub(crate) async fn show(State(state): State<WebState>, request: Request, next: Next) -> Response {
    if request.uri().path().starts_with("/api/") {
        return problem::show(request, next).await;
    }
    let (mut parts, body) = request.into_parts();
    let page = Page::from_request_parts(&mut parts, &state).await;
    let id = parts.extensions.get::<RequestId>().copied();
    let response = next.run(Request::from_parts(parts, body)).await;
    if !needs_a_page(&response) {
        return response;
    }
    let Ok(page) = page;
    written(response.status(), page, id)
}

/// A refusal with a page (or JSON) of its own keeps it.
fn needs_a_page(response: &Response) -> bool {
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error()) {
        return false;
    }
    let content_type = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    !content_type.is_some_and(|kind| kind.starts_with("text/html") || kind.starts_with("application/json"))
}

fn written(status: StatusCode, page: Page, request: Option<RequestId>) -> Response {
    let (code, title, sentence) = words(status);
    match (ErrorPage { page, code, title, sentence, request }).render() {
        Ok(html) if status == StatusCode::SERVICE_UNAVAILABLE => {
            (status, [(header::RETRY_AFTER, "1")], Html(html)).into_response()
        }
        Ok(html) => (status, Html(html)).into_response(),
        Err(error) => {
            tracing::error!(error = %error, "the error page failed");
            (status, title).into_response()
        }
    }
}

fn words(status: StatusCode) -> (Code, &'static str, &'static str) {
    match status {
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => (
            Code::NotFound,
            "This page is not here",
            "The address may be incomplete, or what it showed is gone. If somebody sent it to you, open it again from their message.",
        ),
        StatusCode::FORBIDDEN => (
            Code::Forbidden,
            "This page is not for you",
            "You are signed in, but this belongs to another role, or the request came from another site. Nothing was changed.",
        ),
        StatusCode::TOO_MANY_REQUESTS => {
            let sentence = "Wait a quarter of an hour and try again. If it is urgent, call the clinic.";
            (Code::TooManyRequests, "Too many attempts", sentence)
        }
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::REQUEST_TIMEOUT | StatusCode::GATEWAY_TIMEOUT => (
            Code::Busy,
            "This takes too long",
            "We are busier than we can serve. Load the page again in a moment; what was saved is kept.",
        ),
        status if status.is_client_error() => (
            Code::Malformed,
            "This could not be read",
            "Something in the form is missing or too long. Go back, and what you typed is still there.",
        ),
        _ => (
            Code::Failed,
            "Something went wrong on our side",
            "Nothing you saved is lost. Try again in a moment. If it happens again, call the clinic.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_that_gives_up_is_busy_and_one_that_fails_has_failed() {
        assert_eq!(PageError::from(sqlx::Error::PoolTimedOut).status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(PageError::from(sqlx::Error::RowNotFound).status(), StatusCode::INTERNAL_SERVER_ERROR);
    }
}
