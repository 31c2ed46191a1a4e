//! Patients. What is searched for is in the body: addresses end up in logs.

use super::{
    input::{Body, Day, Id, Params},
    page::{Page, place},
    practitioners::Paging,
    problem::Problem,
    refusals,
    token::Desk,
};
use crate::state::WebState;
use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
};
use domain::PatientId;
use jiff::civil::Date;
use scheduler::{AddPatientError, NewPatient, PatientView};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn routes() -> OpenApiRouter<WebState> {
    OpenApiRouter::new().routes(routes!(list, add)).routes(routes!(search)).routes(routes!(show))
}

/// A patient.
#[derive(Serialize, ToSchema)]
struct Patient {
    #[schema(value_type = Uuid)]
    id: PatientId,
    name: String,
    #[schema(value_type = String, format = Date)]
    birth_date: Date,
    #[schema(required)]
    phone: Option<String>,
    #[schema(required)]
    email: Option<String>,
}

impl From<PatientView> for Patient {
    fn from(view: PatientView) -> Self {
        Self { id: view.id, name: view.name, birth_date: view.birth_date, phone: view.phone, email: view.email }
    }
}

/// The patients of the clinic, in the order in which they were added. Reading the list is told in the clinic's history.
#[utoipa::path(get, path = "/patients", tag = "patients", operation_id = "list_patients", params(Paging),
    responses((status = 200, body = Page<Patient>), refusals::Any))]
async fn list(
    State(state): State<WebState>,
    desk: Desk,
    Params(paging): Params<Paging>,
) -> Result<Json<Page<Patient>>, Problem> {
    let after = place(paging.cursor.as_deref())?;
    let read = scheduler::list_patients(&state.db, desk.actor(), after, paging.limit.and_one()).await?;
    let page = Page::new(read, paging.limit.0, |(_, place)| *place);
    Ok(Json(page.map(|(patient, _)| patient.into())))
}

/// What to look for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Search {
    /// Beginnings of names, a date of birth, digits of a phone number: all of it must fit.
    #[schema(min_length = 1, max_length = 200, examples("santos 1961-03-14"))]
    text: String,
}

/// The patients found.
#[derive(Serialize, ToSchema)]
struct Found {
    /// At most 20, by name.
    items: Vec<Patient>,
    /// Always null: who is not among them is found by more words.
    #[schema(required)]
    next: Option<String>,
}

/// Finds patients.
#[utoipa::path(post, path = "/patients/search", tag = "patients", operation_id = "search_patients", request_body = Search,
    responses((status = 200, body = Found), refusals::Any, refusals::Body))]
async fn search(State(state): State<WebState>, desk: Desk, Body(search): Body<Search>) -> Result<Json<Found>, Problem> {
    if !(1..=200).contains(&search.text.chars().count()) {
        return Err(Problem::fields([("text".to_owned(), "Give 1 to 200 characters.".to_owned())]));
    }
    let found = scheduler::find_patients(&state.db, desk.actor(), &search.text).await?;
    Ok(Json(Found { items: found.into_iter().map(Patient::from).collect(), next: None }))
}

/// One patient. Reading it is told in the clinic's history.
#[utoipa::path(get, path = "/patients/{id}", tag = "patients", operation_id = "get_patient", params(("id" = Uuid, Path)),
    responses((status = 200, body = Patient), refusals::Any, refusals::Missing))]
async fn show(State(state): State<WebState>, desk: Desk, Id(id): Id<PatientId>) -> Result<Json<Patient>, Problem> {
    let patient = scheduler::patient(&state.db, desk.actor(), id).await?.ok_or_else(Problem::not_found)?;
    Ok(Json(patient.into()))
}

/// A patient to add.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewPatient)]
#[serde(deny_unknown_fields)]
struct New {
    #[schema(min_length = 1, max_length = 200, pattern = r"\S")]
    name: String,
    #[schema(value_type = String, format = Date)]
    birth_date: Day,
    /// Five digits at least.
    #[schema(min_length = 5, max_length = 40, examples("+44 20 7946 0211"))]
    phone: Option<String>,
    /// Where links are sent.
    #[schema(max_length = 254, format = Email)]
    email: Option<String>,
}

/// Adds a patient.
#[utoipa::path(post, path = "/patients", tag = "patients", operation_id = "add_patient", request_body = New,
    responses((status = 201, body = Patient, headers(("Location" = String))), refusals::Any, refusals::Body))]
async fn add(State(state): State<WebState>, desk: Desk, Body(new): Body<New>) -> Result<impl IntoResponse, Problem> {
    // Who has none leaves the field out: an empty one is a form that was not read to its end.
    for (field, value) in [("phone", &new.phone), ("email", &new.email)] {
        if value.as_deref().is_some_and(|text| text.trim().is_empty()) {
            return Err(Problem::fields([(field.to_owned(), "Leave it out, or fill it in.".to_owned())]));
        }
    }
    let new = NewPatient {
        name: new.name,
        birth_date: new.birth_date.0.to_string(),
        phone: new.phone.unwrap_or_default(),
        email: new.email.unwrap_or_default(),
    };
    let added = scheduler::add_patient(&state.db, &*state.clock, &*state.random, desk.actor(), new).await;
    let id = added.map_err(refused)?;
    let patient = scheduler::patient(&state.db, desk.actor(), id).await?.ok_or_else(Problem::not_found)?;
    let location = [(header::LOCATION, format!("/api/v1/patients/{id}"))];
    Ok((StatusCode::CREATED, location, Json(Patient::from(patient))))
}

fn refused(error: AddPatientError) -> Problem {
    match error {
        AddPatientError::Fields(errors) => {
            let fields = [
                ("name", errors.name),
                ("birth_date", errors.birth_date),
                ("phone", errors.phone),
                ("email", errors.email),
            ];
            let wrong = fields.into_iter().filter_map(|(field, what)| Some((field.to_owned(), what?.to_owned())));
            Problem::fields(wrong)
        }
        AddPatientError::Database(error) => error.into(),
    }
}
