//! Refusals as programs read them: RFC 9457 `application/problem+json`, with a `type` per refusal that never changes.

pub(crate) use crate::refusal::Code;

use crate::requests::RequestId;
use axum::{
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use jiff::{Timestamp, civil::DateTime};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use utoipa::ToSchema;
use uuid::Uuid;

/// What is wrong with one field.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct FieldError {
    /// The field, by its place in the body (`interpreter.from`), or the name of the parameter.
    field: String,
    /// A sentence.
    detail: String,
}

/// A visit of a series that cannot be had.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct Conflict {
    /// When it would be; null when the clock on the wall skips that time.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    start: Option<Timestamp>,
    /// When it would be by the clock on the wall of the clinic.
    #[schema(value_type = String, examples("2026-12-01T09:30:00"))]
    wall_time: DateTime,
    /// As in `code` of a problem.
    #[schema(value_type = String)]
    code: Cow<'static, str>,
    /// A sentence.
    detail: String,
}

impl Conflict {
    pub(crate) fn new(start: Option<Timestamp>, wall_time: DateTime, why: &Problem) -> Self {
        Self { start, wall_time, code: why.code.as_str().into(), detail: why.detail.clone().into_owned() }
    }
}

/// A refusal.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    code: Code,
    detail: Cow<'static, str>,
    errors: Vec<FieldError>,
    conflicts: Vec<Conflict>,
}

impl Problem {
    pub(crate) fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { code, detail: detail.into(), errors: Vec::new(), conflicts: Vec::new() }
    }

    /// One field needs correcting, for the reason that `code` names.
    pub(crate) fn field(code: Code, field: &str, detail: impl Into<Cow<'static, str>>) -> Self {
        let detail = detail.into();
        let error = FieldError { field: field.to_owned(), detail: detail.clone().into_owned() };
        Self { errors: vec![error], ..Self::new(code, detail) }
    }

    /// Some fields need correcting.
    pub(crate) fn fields(errors: impl IntoIterator<Item = (String, String)>) -> Self {
        let errors = errors.into_iter().map(|(field, detail)| FieldError { field, detail }).collect();
        Self { errors, ..Self::new(Code::Invalid, "Some fields need correcting.") }
    }

    /// Names the visits of a series that are in the way.
    pub(crate) fn with_conflicts(self, conflicts: Vec<Conflict>) -> Self {
        Self { conflicts, ..self }
    }

    pub(crate) fn not_found() -> Self {
        Self::new(Code::NotFound, "There is nothing at this address, or it is another clinic's.")
    }

    pub(crate) fn forbidden() -> Self {
        Self::new(Code::Forbidden, "The role of this token does not allow it.")
    }
}

impl From<sqlx::Error> for Problem {
    /// The one place where it is logged. `error` may hold a statement, never its arguments.
    fn from(error: sqlx::Error) -> Self {
        if service::postgres::gave_up(&error) {
            tracing::warn!(error = format!("{error:#}"), "a request to the API waited too long for the database");
            return Self::new(Code::Busy, "We are busier than we can serve. Try again in a moment.");
        }
        tracing::error!(error = format!("{error:#}"), "a request to the API failed");
        Self::new(Code::Failed, "Something went wrong on our side. What was acknowledged before is kept.")
    }
}

impl IntoResponse for Problem {
    /// An empty response that carries itself: [`show`] knows the request and writes the body.
    fn into_response(self) -> Response {
        let mut response = self.code.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// RFC 9457, with our own members `code`, `request_id`, `errors` and `conflicts`.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemBody {
    /// Names the refusal for good; ends in `code`.
    #[serde(rename = "type")]
    #[schema(format = "uri-reference", examples("/problems/slot-taken"))]
    kind: String,
    /// The last part of `type`.
    #[schema(examples("slot-taken"))]
    code: &'static str,
    /// The same words for every refusal of this type.
    title: &'static str,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What happened this time, as a sentence.
    detail: String,
    /// Names the request in our logs.
    request_id: Uuid,
    /// What is wrong with each field.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    errors: Vec<FieldError>,
    /// Which visits of a series cannot be had.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    conflicts: Vec<Conflict>,
}

/// Turns every refusal below `/api` into a problem: ours, the router's, the layers' and those of axum's own extractors.
pub(crate) async fn show(request: Request, next: Next) -> Response {
    let id = request.extensions().get::<RequestId>().copied();
    let response = next.run(request).await;
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let problem = response.extensions().get::<Problem>().cloned().unwrap_or_else(|| of_status(status));
    let (parts, _) = response.into_parts();
    let mut written = write(problem, id.map_or_else(Uuid::nil, |id| id.0));
    // What a method may be instead, and when to come again, are the refuser's to say.
    for name in [header::ALLOW, header::RETRY_AFTER] {
        if let Some(value) = parts.headers.get(&name) {
            written.headers_mut().insert(name, value.clone());
        }
    }
    written
}

fn of_status(status: StatusCode) -> Problem {
    match status {
        StatusCode::NOT_FOUND => Problem::not_found(),
        StatusCode::METHOD_NOT_ALLOWED => Problem::new(
            Code::MethodNotAllowed,
            "This address does not know the method; the header Allow names those it does.",
        ),
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(Code::TooLarge, "The body may have 64 KiB at most."),
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::REQUEST_TIMEOUT | StatusCode::GATEWAY_TIMEOUT => {
            Problem::new(Code::Busy, "The answer would have taken too long. Try again in a moment.")
        }
        status if status.is_client_error() => Problem::new(Code::Malformed, "The request cannot be read."),
        _ => Problem::new(Code::Failed, "Something went wrong on our side. What was acknowledged before is kept."),
    }
}

fn write(problem: Problem, request_id: Uuid) -> Response {
    let Problem { code, detail, errors, conflicts } = problem;
    let body = ProblemBody {
        kind: format!("/problems/{}", code.as_str()),
        code: code.as_str(),
        title: code.title(),
        status: code.status().as_u16(),
        detail: detail.into_owned(),
        request_id,
        errors,
        conflicts,
    };
    let text = serde_json::to_vec(&body).expect("plain text and lists are JSON");
    let mut response = (code.status(), text).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    match code.status() {
        // RFC 6750 §3: a token that was shown and is not good is named as such.
        StatusCode::UNAUTHORIZED => {
            let challenge = match code {
                Code::TokenUnknown => "Bearer realm=\"bedside\", error=\"invalid_token\"",
                _ => "Bearer realm=\"bedside\"",
            };
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        _ => {}
    }
    response
}
