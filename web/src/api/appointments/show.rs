//! Appointments, listed and opened. No names: who needs one asks for the patient, and that is told in the history.

use crate::{
    api::{
        input::{Bound, BoundText, Id, Params},
        page::{Limit, Page, place},
        problem::{Code, Problem},
        refusals,
        token::Caller,
        version::tag,
    },
    state::WebState,
};
use axum::{
    Json,
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use domain::{AppointmentId, AppointmentState, PatientId, PractitionerId, ResourceId, SeriesId, VisitTypeId};
use jiff::Timestamp;
use scheduler::{AppointmentFacts, AppointmentFilter};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn routes() -> OpenApiRouter<WebState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(show))
}

/// Where an appointment stands.
#[derive(Clone, Copy, Serialize, Deserialize, ToSchema)]
#[schema(as = AppointmentState)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Stands {
    Booked,
    Arrived,
    Fulfilled,
    Cancelled,
    NoShow,
}

/// An appointment.
#[derive(Serialize, Deserialize, ToSchema)]
pub(crate) struct Appointment {
    #[schema(value_type = Uuid)]
    id: AppointmentId,
    #[schema(value_type = Stands)]
    state: AppointmentState,
    #[schema(value_type = String, format = DateTime)]
    start: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    end: Timestamp,
    #[schema(value_type = Uuid)]
    patient_id: PatientId,
    #[schema(value_type = Uuid)]
    practitioner_id: PractitionerId,
    #[schema(value_type = Uuid)]
    visit_type_id: VisitTypeId,
    /// The series it was booked with.
    #[schema(value_type = Option<Uuid>, required)]
    series_id: Option<SeriesId>,
    /// Interpreter, room and device that are reserved with it.
    #[schema(value_type = Vec<Uuid>)]
    resource_ids: Vec<ResourceId>,
    /// Where it came from: `desk`, `self`, `api`, `walk_in`, `series` or `waitlist`.
    source: String,
    /// Why it lies beside another appointment of the practitioner.
    #[schema(required)]
    overbook_reason: Option<String>,
    /// Why it got its present time.
    #[schema(required)]
    reschedule_reason: Option<String>,
    #[schema(required)]
    cancel_reason: Option<String>,
    /// `clinic` or `patient`.
    #[schema(required)]
    cancelled_by: Option<String>,
    /// Of a missed one: `patient`, `practitioner` or `both`.
    #[schema(required)]
    absent: Option<String>,
    /// When the patient said that they will come.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    confirmed_at: Option<Timestamp>,
    /// Since when the patient waits, or waited.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    arrived_at: Option<Timestamp>,
    /// Grows with every change; the header `ETag` holds it too.
    version: i64,
}

impl From<AppointmentFacts> for Appointment {
    fn from(facts: AppointmentFacts) -> Self {
        Self {
            id: facts.id,
            state: facts.state,
            start: facts.starts_at,
            end: facts.ends_at,
            patient_id: facts.patient,
            practitioner_id: facts.practitioner,
            visit_type_id: facts.visit_type,
            series_id: facts.series,
            resource_ids: facts.resources,
            source: facts.source,
            overbook_reason: facts.overbook_reason,
            reschedule_reason: facts.reschedule_reason,
            cancel_reason: facts.cancel_reason,
            cancelled_by: facts.cancelled_by,
            absent: facts.absent,
            confirmed_at: facts.confirmed_at,
            arrived_at: facts.arrived_at,
            version: facts.version,
        }
    }
}

impl IntoResponse for Appointment {
    /// With its version as `ETag`.
    fn into_response(self) -> Response {
        let etag = HeaderValue::from_str(&tag(self.version)).expect("a number in quotes");
        ([(header::ETAG, etag)], Json(self)).into_response()
    }
}

/// Which appointments.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Filter {
    /// Starting then or later: an instant, or a day of the clinic.
    #[param(value_type = Option<BoundText>, inline)]
    from: Option<Bound>,
    /// Starting before this instant, or on this day of the clinic at the latest.
    #[param(value_type = Option<BoundText>, inline)]
    to: Option<Bound>,
    #[param(value_type = Option<Uuid>)]
    practitioner_id: Option<PractitionerId>,
    #[param(value_type = Option<Uuid>)]
    patient_id: Option<PatientId>,
    #[param(value_type = Option<Stands>)]
    state: Option<AppointmentState>,
    /// How many items at most.
    #[serde(default)]
    #[param(value_type = Option<i32>, minimum = 1, maximum = 200, default = 50)]
    limit: Limit,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Appointments by start. A practitioner's program sees the practitioner's own.
#[utoipa::path(get, path = "/appointments", tag = "appointments", operation_id = "list_appointments", params(Filter),
    responses((status = 200, body = Page<Appointment>), refusals::Any))]
async fn list(
    State(state): State<WebState>,
    caller: Caller,
    Params(asked): Params<Filter>,
) -> Result<Json<Page<Appointment>>, Problem> {
    let by = caller.actor();
    let zone = scheduler::clinic(&state.db, by).await?.zone;
    let filter = AppointmentFilter {
        from: asked.from.map(|bound| bound.first(&zone)),
        to: asked.to.map(|bound| bound.last(&zone)),
        practitioner: caller.narrowed(asked.practitioner_id)?,
        patient: asked.patient_id,
        state: asked.state,
    };
    if let (Some(from), Some(to)) = (filter.from, filter.to)
        && to < from
    {
        return Err(Problem::field(Code::EndsBeforeItBegins, "to", "The end lies before the beginning."));
    }
    let after = place(asked.cursor.as_deref())?;
    let read = scheduler::list_appointments(&state.db, by, &filter, after, asked.limit.and_one()).await?;
    let page = Page::new(read, asked.limit.0, |facts| (facts.starts_at, facts.id));
    Ok(Json(page.map(Appointment::from)))
}

/// One appointment. Reading it is told in the clinic's history.
#[utoipa::path(get, path = "/appointments/{id}", tag = "appointments", operation_id = "get_appointment",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = Appointment, headers(("ETag" = String))), refusals::Any, refusals::Missing))]
async fn show(
    State(state): State<WebState>,
    caller: Caller,
    Id(id): Id<AppointmentId>,
) -> Result<Appointment, Problem> {
    let facts = scheduler::open_appointment(&state.db, caller.actor(), caller.own(), id).await?;
    Ok(facts.ok_or_else(Problem::not_found)?.into())
}
