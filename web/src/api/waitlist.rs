//! Who would come sooner.

use super::{
    input::{Body, Day, Id, Params},
    page::Page,
    practitioners::Paging,
    problem::{Code, Problem},
    refusals,
    token::Desk,
};
use crate::state::WebState;
use axum::{Json, extract::State, http::StatusCode};
use domain::{PatientId, PractitionerId, VisitTypeId, WaitlistEntryId, WaitlistOfferId};
use jiff::{Timestamp, civil::Date};
use scheduler::{AddToWaitlistError, WaitlistEntryView, WaitlistOfferView, WaitlistRequest};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn routes() -> OpenApiRouter<WebState> {
    OpenApiRouter::new().routes(routes!(list, add)).routes(routes!(withdraw))
}

/// Somebody who waits.
#[derive(Serialize, ToSchema)]
struct WaitlistEntry {
    #[schema(value_type = Uuid)]
    id: WaitlistEntryId,
    #[schema(value_type = Uuid)]
    patient_id: PatientId,
    #[schema(value_type = Uuid)]
    visit_type_id: VisitTypeId,
    /// Null for anybody who offers the type.
    #[schema(value_type = Option<Uuid>, required)]
    practitioner_id: Option<PractitionerId>,
    #[schema(value_type = String, format = Date)]
    from_date: Date,
    #[schema(value_type = String, format = Date)]
    to_date: Date,
    /// Minutes after midnight of the clinic's wall clock.
    from_minute: i16,
    to_minute: i16,
    note: String,
    #[schema(value_type = String, format = DateTime)]
    added_at: Timestamp,
    /// What they were offered, newest first.
    offers: Vec<Offer>,
}

/// A freed time that was offered to somebody.
#[derive(Serialize, ToSchema)]
struct Offer {
    #[schema(value_type = Uuid)]
    id: WaitlistOfferId,
    #[schema(value_type = Uuid)]
    practitioner_id: PractitionerId,
    #[schema(value_type = String, format = DateTime)]
    start: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    end: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    offered_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// It may still be accepted.
    is_open: bool,
}

impl From<WaitlistOfferView> for Offer {
    fn from(view: WaitlistOfferView) -> Self {
        Self {
            id: view.id,
            practitioner_id: view.practitioner.id,
            start: view.starts_at,
            end: view.ends_at,
            offered_at: view.offered_at,
            expires_at: view.expires_at,
            is_open: view.is_open,
        }
    }
}

impl From<WaitlistEntryView> for WaitlistEntry {
    fn from(view: WaitlistEntryView) -> Self {
        Self {
            id: view.id,
            patient_id: view.patient.id,
            visit_type_id: view.visit_type.id,
            practitioner_id: view.practitioner.map(|one| one.id),
            from_date: view.from_date,
            to_date: view.to_date,
            from_minute: view.from_minute,
            to_minute: view.to_minute,
            note: view.note,
            added_at: view.added_at,
            offers: view.offers.into_iter().map(Offer::from).collect(),
        }
    }
}

/// Who waits, in the order in which freed times are offered.
#[utoipa::path(get, path = "/waitlist", tag = "waitlist", operation_id = "list_waitlist", params(Paging),
    responses((status = 200, body = Page<WaitlistEntry>), refusals::Any))]
async fn list(
    State(state): State<WebState>,
    desk: Desk,
    Params(paging): Params<Paging>,
) -> Result<Json<Page<WaitlistEntry>>, Problem> {
    let all = scheduler::waitlist(&state.db, desk.actor()).await?;
    let page = Page::of_all(all, paging.cursor.as_deref(), paging.limit.0, |entry| (entry.added_at, entry.id))?;
    Ok(Json(page.map(WaitlistEntry::from)))
}

/// Who would come, and when.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewWaitlistEntry)]
#[serde(deny_unknown_fields)]
struct New {
    #[schema(value_type = Uuid)]
    patient_id: PatientId,
    #[schema(value_type = Uuid)]
    visit_type_id: VisitTypeId,
    /// Null for anybody who offers the type.
    #[schema(value_type = Option<Uuid>)]
    practitioner_id: Option<PractitionerId>,
    /// The first day.
    #[schema(value_type = String, format = Date)]
    from_date: Day,
    /// The last day.
    #[schema(value_type = String, format = Date)]
    to_date: Day,
    /// Minutes after midnight of the clinic's wall clock at which a visit begins at the earliest.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1439, default = 0)]
    from_minute: Option<i16>,
    /// Minutes after midnight at which a visit ends at the latest.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 1440, default = 1440)]
    to_minute: Option<i16>,
    #[serde(default)]
    #[schema(max_length = 500)]
    note: Option<String>,
}

/// Somebody who was put on the waitlist.
#[derive(Serialize, ToSchema)]
struct Added {
    #[schema(value_type = Uuid)]
    id: WaitlistEntryId,
}

/// Puts somebody at the end of the waitlist. When a time that suits them becomes free, it is held for them and offered.
#[utoipa::path(post, path = "/waitlist", tag = "waitlist", operation_id = "add_to_waitlist", request_body = New,
    responses((status = 201, body = Added), refusals::Any, refusals::Body, refusals::Conflict))]
async fn add(
    State(state): State<WebState>,
    desk: Desk,
    Body(new): Body<New>,
) -> Result<(StatusCode, Json<Added>), Problem> {
    let (from_minute, to_minute) = (new.from_minute.unwrap_or(0), new.to_minute.unwrap_or(1440));
    for (field, minute, most) in [("from_minute", from_minute, 0..1440), ("to_minute", to_minute, 1..1441)] {
        if !most.contains(&minute) {
            return Err(Problem::fields([(field.to_owned(), "Give minutes of one day.".to_owned())]));
        }
    }
    let request = WaitlistRequest {
        patient: new.patient_id,
        visit_type: new.visit_type_id,
        practitioner: new.practitioner_id,
        from_date: new.from_date.0,
        to_date: new.to_date.0,
        from_minute,
        to_minute,
        note: new.note.unwrap_or_default(),
    };
    let by = desk.actor();
    let added = scheduler::add_to_waitlist(&state.db, &*state.clock, &*state.random, by, request).await;
    Ok((StatusCode::CREATED, Json(Added { id: added.map_err(refused)? })))
}

/// Takes somebody off the waitlist. What they were offered goes to the next.
#[utoipa::path(delete, path = "/waitlist/{id}", tag = "waitlist", operation_id = "withdraw_from_waitlist",
    params(("id" = Uuid, Path)), responses((status = 204), refusals::Any, refusals::Missing))]
async fn withdraw(
    State(state): State<WebState>,
    desk: Desk,
    Id(id): Id<WaitlistEntryId>,
) -> Result<StatusCode, Problem> {
    let has_waited = scheduler::withdraw_from_waitlist(&state.db, &*state.clock, desk.actor(), id).await?;
    if has_waited { Ok(StatusCode::NO_CONTENT) } else { Err(Problem::not_found()) }
}

fn refused(error: AddToWaitlistError) -> Problem {
    let code = Code::from(&error);
    match error {
        AddToWaitlistError::NoSuchPatient => Problem::field(code, "patient_id", "The clinic has no such patient."),
        AddToWaitlistError::NotOffered => {
            Problem::field(code, "visit_type_id", "The practitioner does not offer this type of visit.")
        }
        AddToWaitlistError::NoTime => {
            let detail =
                "The days have passed or end before they begin, or the visit does not fit between the times of day.";
            Problem::field(code, "to_date", detail)
        }
        AddToWaitlistError::NoteTooLong => Problem::field(code, "note", "A note has 500 characters at most."),
        AddToWaitlistError::Full => Problem::new(code, "As many wait as may."),
        AddToWaitlistError::Database(error) => error.into(),
    }
}
