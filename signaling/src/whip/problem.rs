//! Refusals: RFC 9457 `application/problem+json`, each with a type that never changes.

use crate::rooms::IceRefused;
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::signal::ErrorCode;
use serde_json::json;
use uuid::Uuid;

macro_rules! problems {
    ($($(#[$doc:meta])* $name:ident $status:ident $code:literal $title:literal $detail:literal,)*) => {
        /// A refusal.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Problem { $($(#[$doc])* $name,)* }

        impl Problem {
            /// Status, code, the words for all of its kind, and a sentence.
            const fn parts(self) -> (StatusCode, &'static str, &'static str, &'static str) {
                match self { $(Self::$name => (StatusCode::$status, $code, $title, $detail),)* }
            }
        }
    };
}

problems! {
    /// The body is not what its type says.
    Malformed BAD_REQUEST "malformed" "The request cannot be read"
        "The body is empty, or it is not what its type says.",
    /// No bearer token.
    TokenMissing UNAUTHORIZED "token-missing" "A token is needed"
        "Send the header Authorization: Bearer with a join token.",
    /// The token opens nothing, or nothing any more.
    TokenRefused UNAUTHORIZED "token-refused" "The token is not good"
        "The token was used, it has expired, or its visit is not in progress. Ask for another one.",
    /// The token is of another session.
    OtherSession FORBIDDEN "other-session" "The token is of another session"
        "A session is spoken for by the token that opened it.",
    /// There is no such session, or none any more.
    NoSuchSession NOT_FOUND "no-such-session" "There is no such session"
        "The session has ended, or it never was. Ask for another token to enter again.",
    /// The address does not know the method.
    MethodNotAllowed METHOD_NOT_ALLOWED "method-not-allowed" "This cannot be done here"
        "This address does not know the method; the header Allow names those it does.",
    /// The client takes no session description.
    NotAcceptable NOT_ACCEPTABLE "not-acceptable" "The answer is a session description"
        "The answer is of type application/sdp, which the header Accept does not allow.",
    /// As many as fit are in the room.
    RoomFull CONFLICT "room-full" "The room is full" "As many as fit are in the visit already.",
    /// `If-Match` names an ICE session that is past.
    WrongIceSession PRECONDITION_FAILED "wrong-ice-session" "The ICE session is another one by now"
        "If-Match names an ICE session that is past. Go on with the ETag of the last answer.",
    /// The body is longer than any session description.
    TooLarge PAYLOAD_TOO_LARGE "too-large" "The request is too large" "The body may have 64 KiB at most.",
    /// The body is of another type.
    UnsupportedMediaType UNSUPPORTED_MEDIA_TYPE "unsupported-media-type" "The body is of another type"
        "An offer is application/sdp; what is said of ICE is application/trickle-ice-sdpfrag.",
    /// The offer cannot be answered.
    OfferRefused UNPROCESSABLE_ENTITY "offer-refused" "The offer cannot be answered"
        "The offer needs BUNDLE, rtcp-mux, ICE, a SHA-256 fingerprint, and sound or picture in this direction.",
    /// `If-Match` is missing.
    IfMatchMissing PRECONDITION_REQUIRED "if-match-missing" "If-Match is needed"
        "Send If-Match with the ETag of the last answer, or * to restart ICE.",
    /// Not now.
    Unavailable SERVICE_UNAVAILABLE "unavailable" "Picture and sound cannot be connected at the moment"
        "Ask for another token and try again in a moment.",
}

impl Problem {
    /// The whole of it, for the request with this id.
    pub(super) fn write(self, request_id: Uuid) -> Response {
        let (status, code, title, detail) = self.parts();
        let body = json!({
            "type": format!("/problems/{code}"), "code": code, "title": title, "status": status.as_u16(),
            "detail": detail, "request_id": request_id,
        });
        let kind = [(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"))];
        let mut response = (status, kind, body.to_string()).into_response();
        let more = match self {
            Self::TokenMissing => Some((header::WWW_AUTHENTICATE, "Bearer realm=\"bedside\"")),
            Self::TokenRefused => Some((header::WWW_AUTHENTICATE, "Bearer realm=\"bedside\", error=\"invalid_token\"")),
            Self::Unavailable => Some((header::RETRY_AFTER, "1")),
            _ => None,
        };
        if let Some((name, value)) = more {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        response
    }

    /// What the framework refused by itself.
    pub(super) fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::METHOD_NOT_ALLOWED => Self::MethodNotAllowed,
            StatusCode::PAYLOAD_TOO_LARGE => Self::TooLarge,
            StatusCode::NOT_FOUND => Self::NoSuchSession,
            status if status.is_client_error() => Self::Malformed,
            _ => Self::Unavailable,
        }
    }
}

impl From<ErrorCode> for Problem {
    fn from(code: ErrorCode) -> Self {
        match code {
            ErrorCode::TokenRefused => Self::TokenRefused,
            ErrorCode::OfferRefused => Self::OfferRefused,
            ErrorCode::RoomFull => Self::RoomFull,
            ErrorCode::BadMessage => Self::Malformed,
            ErrorCode::TooFast | ErrorCode::ChatRefused | ErrorCode::NoRelay | ErrorCode::Unavailable => {
                Self::Unavailable
            }
        }
    }
}

impl From<IceRefused> for Problem {
    fn from(refused: IceRefused) -> Self {
        match refused {
            IceRefused::Gone => Self::NoSuchSession,
            IceRefused::WrongSession => Self::WrongIceSession,
            IceRefused::Unavailable => Self::Unavailable,
        }
    }
}

impl IntoResponse for Problem {
    /// An empty response that carries itself: `requests::observe` knows the request and writes the body.
    fn into_response(self) -> Response {
        let mut response = self.parts().0.into_response();
        response.extensions_mut().insert(self);
        response
    }
}
