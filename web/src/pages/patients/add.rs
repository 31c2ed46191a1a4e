//! Adding a patient in the middle of booking: what was chosen before is carried along and comes back.

use crate::{
    errors::PageError,
    extract::Receptionist,
    page::{Here, Page, Staff},
    refusal::{Code, Refusal},
    state::WebState,
};
use askama::Template;
use axum::{
    Form,
    extract::State,
    http::StatusCode,
    response::{Html, IntoResponse, Redirect, Response},
};
use scheduler::{AddPatientError, NewPatient, patients::PatientFieldErrors};
use serde::Deserialize;

#[derive(Template)]
#[template(path = "patients/new.html")]
struct NewPatientPage {
    page: Page,
    staff: Staff,
    form: PatientForm,
    errors: PatientFieldErrors,
    refusal: Option<Refusal>,
}

/// The fields as typed, and where booking stood.
#[derive(Deserialize, Default, Clone)]
#[serde(default)]
pub(crate) struct PatientForm {
    name: String,
    birth_date: String,
    phone: String,
    email: String,
    /// What was typed into the field "Patient" of the booking.
    q: String,
    practitioner: String,
    date: String,
    at: String,
}

/// The empty form.
pub(crate) async fn get(
    State(state): State<WebState>,
    receptionist: Receptionist,
    page: Page,
) -> Result<Response, PageError> {
    show(&state, &receptionist, page, PatientForm::default(), None).await
}

/// The form, coming from the booking: a name that was typed there is kept.
pub(crate) async fn begin(
    State(state): State<WebState>,
    receptionist: Receptionist,
    page: Page,
    Form(mut form): Form<PatientForm>,
) -> Result<Response, PageError> {
    let has_name = !form.q.contains(|c: char| c.is_ascii_digit());
    if form.name.is_empty() && has_name {
        form.name = form.q.trim().to_owned();
    }
    show(&state, &receptionist, page, form, None).await
}

/// Adds the patient and returns to the booking with them chosen; or says which field needs correcting.
pub(crate) async fn post(
    State(state): State<WebState>,
    receptionist: Receptionist,
    page: Page,
    Form(form): Form<PatientForm>,
) -> Result<Response, PageError> {
    let new = NewPatient {
        name: form.name.clone(),
        birth_date: form.birth_date.clone(),
        phone: form.phone.clone(),
        email: form.email.clone(),
    };
    let by = receptionist.actor();
    match scheduler::add_patient(&state.db, &*state.clock, &*state.random, &by, new).await {
        Ok(patient) => Ok(Redirect::to(&booking(patient, &form)).into_response()),
        Err(AddPatientError::Fields(errors)) => show(&state, &receptionist, page, form, Some(errors)).await,
        Err(AddPatientError::Database(error)) => Err(error.into()),
    }
}

async fn show(
    state: &WebState,
    receptionist: &Receptionist,
    page: Page,
    form: PatientForm,
    errors: Option<PatientFieldErrors>,
) -> Result<Response, PageError> {
    let refusal = errors.is_some().then(|| Refusal::fields(Code::Invalid));
    let status = refusal.as_ref().map_or(StatusCode::OK, |refusal| refusal.code.status());
    let (staff, errors) = (Staff::at_desk(state, receptionist, Here::Today).await?, errors.unwrap_or_default());
    let html = NewPatientPage { page, staff, form, errors, refusal };
    Ok((status, Html(html.render()?)).into_response())
}

/// Back to the booking. Ids and times only.
fn booking(patient: domain::PatientId, form: &PatientForm) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("patient", &patient.to_string());
    for (name, value) in [("practitioner", &form.practitioner), ("date", &form.date), ("at", &form.at)] {
        if !value.is_empty() {
            query.append_pair(name, value);
        }
    }
    format!("/appointments/new?{}", query.finish())
}
