//! A walk-in: somebody stands at the desk without an appointment, and joins today's queue of a practitioner.

use super::book::{BookingForm, Options};
use crate::{
    announce,
    errors::PageError,
    extract::Receptionist,
    page::{Here, Page, Staff},
    pages::patients::chosen::Chosen,
    refusal::Refusal,
    state::WebState,
};
use askama::Template;
use axum::{
    Form,
    extract::State,
    http::StatusCode,
    response::{Html, IntoResponse, Redirect, Response},
};
use scheduler::{WalkIn, WalkInError};

#[derive(Template)]
#[template(path = "appointments/walk_in.html")]
struct WalkInPage {
    page: Page,
    staff: Staff,
    who: Chosen,
    options: Options,
    problem: Option<Refusal>,
}

/// The empty form.
pub(crate) async fn get(
    State(state): State<WebState>,
    receptionist: Receptionist,
    page: Page,
) -> Result<Response, PageError> {
    show(&state, &receptionist, page, BookingForm::default(), None).await
}

/// The patient is in the queue; or the form again with what is missing.
pub(crate) async fn post(
    State(state): State<WebState>,
    receptionist: Receptionist,
    page: Page,
    Form(form): Form<BookingForm>,
) -> Result<Response, PageError> {
    let by = receptionist.actor();
    let patient = match form.who(&state, &by).await?.id() {
        Ok(patient) => patient,
        Err(what) => return show(&state, &receptionist, page, form, Some(what)).await,
    };
    let options = Options::new(&state, &by, &form).await?;
    let (Some(practitioner), Some(visit_type)) = (options.practitioner, options.visit_type) else {
        return show(&state, &receptionist, page, form, Some(Refusal::invalid("Choose the practitioner."))).await;
    };
    let walk_in = WalkIn { patient, practitioner, visit_type };
    match scheduler::walk_in(&state.db, &*state.clock, &*state.random, &by, walk_in).await {
        Ok(id) => {
            announce::appointment(&state, &by, id).await;
            Ok(Redirect::to("/desk").into_response())
        }
        Err(WalkInError::Database(error)) => Err(error.into()),
        Err(refusal) => show(&state, &receptionist, page, form, Some(refused(&refusal))).await,
    }
}

fn refused(refusal: &WalkInError) -> Refusal {
    let sentence = match refusal {
        WalkInError::PatientBusy => "The patient has an appointment now. Open it, and let them arrive for that one.",
        WalkInError::QueueFull => {
            "So many are seen at this time already that nobody fits in. Choose another practitioner."
        }
        WalkInError::NotOffered => "This practitioner does not offer this type of visit.",
        WalkInError::NoSuchPatient => "This patient is not known here.",
        WalkInError::NoSuchPractitioner => "This practitioner is not known here.",
        WalkInError::Database(_) => "It could not be booked.",
    };
    Refusal::new(refusal, sentence)
}

async fn show(
    state: &WebState,
    receptionist: &Receptionist,
    page: Page,
    form: BookingForm,
    problem: Option<Refusal>,
) -> Result<Response, PageError> {
    let by = receptionist.actor();
    let status = problem.as_ref().map_or(StatusCode::OK, |problem| problem.code.status());
    let html = WalkInPage {
        page,
        staff: Staff::at_desk(state, receptionist, Here::Today).await?,
        who: form.who(state, &by).await?,
        options: Options::new(state, &by, &form).await?,
        problem,
    };
    Ok((status, Html(html.render()?)).into_response())
}
