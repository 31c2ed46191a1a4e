//! Which refusals an operation may answer with, for the description: the same type with another status.

use super::problem::{Code, ProblemBody};
use std::collections::BTreeMap;
use utoipa::{
    IntoResponses, PartialSchema as _,
    openapi::{
        ContentBuilder, HeaderBuilder, ObjectBuilder, Ref, RefOr, Response, ResponseBuilder,
        schema::{SchemaType, Type},
    },
};

type Responses = BTreeMap<String, RefOr<Response>>;

/// The codes of a status, as the description lists them.
fn refusal(status: u16) -> (String, RefOr<Response>) {
    let codes: Vec<_> = Code::ALL
        .iter()
        .filter(|code| code.status().as_u16() == status)
        .map(|code| format!("`{}`", code.as_str()))
        .collect();
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    let mut response = ResponseBuilder::new()
        .description(format!("Refused: {}", codes.join(", ")))
        .content("application/problem+json", content);
    let text =
        || HeaderBuilder::new().schema(Some(ObjectBuilder::new().schema_type(SchemaType::Type(Type::String)))).build();
    if status == 401 {
        response = response.header("WWW-Authenticate", text());
    }
    if status == 429 {
        response = response.header("Retry-After", text());
    }
    (status.to_string(), response.build().into())
}

macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident [$($status:literal)*],)*) => {$(
        $(#[$doc])*
        pub(crate) struct $name;

        impl IntoResponses for $name {
            fn responses() -> Responses {
                [$(refusal($status),)*].into()
            }
        }
    )*};
}

refusals! {
    /// What every operation may answer.
    Any [400 401 403 422 429 503],
    /// The path names one thing.
    Missing [404],
    /// There is a body.
    Body [413 415],
    /// What others did first is in the way.
    Conflict [409],
    /// `If-Match` named another version.
    Changed [412],
}

/// The schema that every refusal has, and those that it names.
pub(crate) fn schemas(into: &mut Vec<(String, RefOr<utoipa::openapi::Schema>)>) {
    into.push(("Problem".to_owned(), ProblemBody::schema()));
    <ProblemBody as utoipa::ToSchema>::schemas(into);
}
