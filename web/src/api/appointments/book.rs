//! Booking one appointment, or a series of them.

use super::{
    Appointment, answer,
    refused::{conflicts, refused},
};
use crate::{
    announce,
    api::{
        idempotency::{Key, first_answer},
        input::{Body, Instant},
        problem::{Code, Conflict, Problem},
        refusals,
        token::Desk,
    },
    state::WebState,
};
use axum::{
    Json,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::{AppointmentId, HoldId, PatientId, PractitionerId, Recurrence, ResourceId, SeriesId, Source, VisitTypeId};
use scheduler::{BookRequest, BookSeriesError, IdempotencyKey, Needs, SeriesRequest};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn routes() -> OpenApiRouter<WebState> {
    OpenApiRouter::new().routes(routes!(book)).routes(routes!(book_series))
}

/// Two languages, as BCP 47 tags.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Interpreter {
    #[schema(min_length = 2, max_length = 35, examples("pt-br"))]
    from: String,
    #[schema(min_length = 2, max_length = 35, examples("en"))]
    to: String,
}

/// An appointment to book.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewAppointment)]
#[serde(deny_unknown_fields)]
struct New {
    #[schema(value_type = Uuid)]
    practitioner_id: PractitionerId,
    #[schema(value_type = Uuid)]
    patient_id: PatientId,
    #[schema(value_type = Uuid)]
    visit_type_id: VisitTypeId,
    /// The start of a slot.
    #[schema(value_type = String, format = DateTime)]
    start: Instant,
    /// The hold that kept the time until now.
    #[schema(value_type = Option<Uuid>)]
    hold_id: Option<HoldId>,
    /// Any interpreter between these languages who is free.
    interpreter: Option<Interpreter>,
    #[schema(value_type = Option<Uuid>)]
    room_id: Option<ResourceId>,
    #[schema(value_type = Option<Uuid>)]
    device_id: Option<ResourceId>,
    /// Why it may lie beside another appointment of the practitioner, if the time is taken.
    #[schema(min_length = 1, max_length = 500, pattern = r"\S")]
    overbook_reason: Option<String>,
}

impl New {
    fn request(self, source: Source, key: Option<IdempotencyKey>) -> Result<BookRequest, Problem> {
        let interpreter = self.interpreter.map(languages).transpose()?;
        Ok(BookRequest {
            needs: Needs { interpreter, room: self.room_id, device: self.device_id },
            hold: self.hold_id,
            overbook: self.overbook_reason,
            source,
            idempotency_key: key,
            ..BookRequest::new(self.patient_id, self.practitioner_id, self.visit_type_id, self.start.0)
        })
    }
}

fn languages(wanted: Interpreter) -> Result<(String, String), Problem> {
    let check = |field: &str, tag: &str| {
        let is_tag = (2..=35).contains(&tag.chars().count());
        let wrong = || Problem::fields([(field.to_owned(), "Give a language as a tag like pt-br.".to_owned())]);
        if is_tag { Ok(()) } else { Err(wrong()) }
    };
    check("interpreter.from", &wanted.from)?;
    check("interpreter.to", &wanted.to)?;
    Ok((wanted.from.to_lowercase(), wanted.to.to_lowercase()))
}

/// Books an appointment with everything it needs, or nothing of it.
///
/// With an `Idempotency-Key` a request that is sent again is done once, and answered as it was the first time.
#[utoipa::path(post, path = "/appointments", tag = "appointments", operation_id = "book_appointment", request_body = New,
    params(("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255)),
    responses((status = 201, body = Appointment, headers(("Location" = String), ("ETag" = String))),
        refusals::Any, refusals::Body, refusals::Conflict))]
async fn book(
    State(state): State<WebState>,
    desk: Desk,
    Key(key): Key,
    Body(new): Body<New>,
) -> Result<Response, Problem> {
    let by = desk.actor();
    let request = new.request(Source::Api, key.clone())?;
    let id = scheduler::book(&state.db, &*state.clock, &*state.random, by, request).await.map_err(refused)?;
    announce::appointment(&state, by, id).await;
    let booked = answer(&state, by, id).await?;
    Ok(created(id, first_answer(&state, by, key.as_ref(), booked).await?))
}

/// An appointment that has just been made.
pub(super) fn created(id: AppointmentId, appointment: Appointment) -> Response {
    let mut response = appointment.into_response();
    *response.status_mut() = StatusCode::CREATED;
    let location = HeaderValue::from_str(&format!("/api/v1/appointments/{id}")).expect("a path of visible ASCII");
    response.headers_mut().insert(header::LOCATION, location);
    response
}

/// Appointments to book together.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewSeries)]
#[serde(deny_unknown_fields)]
struct NewSeries {
    /// The first of them.
    first: New,
    /// How it repeats: an RRULE of RFC 5545 with `FREQ` of `DAILY`, `WEEKLY` or `MONTHLY`, and `COUNT` or `UNTIL`.
    #[schema(min_length = 1, max_length = 200, examples("FREQ=WEEKLY;COUNT=8"))]
    recurrence: String,
    /// Books the others when some cannot be had; else none is booked then.
    #[serde(default)]
    leave_out_conflicts: bool,
}

/// Appointments that were booked together.
#[derive(Serialize, Deserialize, ToSchema)]
struct Series {
    #[schema(value_type = Uuid)]
    id: SeriesId,
    #[schema(value_type = Vec<Uuid>)]
    appointment_ids: Vec<AppointmentId>,
    /// Those that could not be had.
    left_out: Vec<Conflict>,
}

/// Books a series: all of it, or as much as can be had, or nothing with the conflicts listed.
#[utoipa::path(post, path = "/series", tag = "appointments", operation_id = "book_series", request_body = NewSeries,
    params(("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255)),
    responses((status = 201, body = Series), refusals::Any, refusals::Body, refusals::Conflict))]
async fn book_series(
    State(state): State<WebState>,
    desk: Desk,
    Key(key): Key,
    Body(new): Body<NewSeries>,
) -> Result<(StatusCode, Json<Series>), Problem> {
    let by = desk.actor();
    let recurrence: Recurrence = new.recurrence.parse().map_err(unreadable)?;
    let first = new.first.request(Source::Series, key.clone())?;
    let request = SeriesRequest { first, recurrence, leave_out_conflicts: new.leave_out_conflicts };
    let booked = scheduler::book_series(&state.db, &*state.clock, &*state.random, by, request).await;
    let booked = booked.map_err(|error| match error {
        BookSeriesError::Recurrence(error) => unreadable(error),
        BookSeriesError::Conflicts(all) => conflicts(all),
        BookSeriesError::Refused(error) => refused(error),
        BookSeriesError::Database(error) => error.into(),
    })?;
    announce::appointments(&state, by, &booked.appointments).await;
    let left_out = booked.left_out.into_iter();
    let left_out = left_out.map(|one| Conflict::new(one.starts_at, one.wall_time, &refused(one.why))).collect();
    let series = Series { id: booked.series, appointment_ids: booked.appointments, left_out };
    Ok((StatusCode::CREATED, Json(first_answer(&state, by, key.as_ref(), series).await?)))
}

fn unreadable(error: domain::RecurrenceError) -> Problem {
    Problem::field(Code::Invalid, "recurrence", crate::api::input::sentence(&error.to_string()))
}
