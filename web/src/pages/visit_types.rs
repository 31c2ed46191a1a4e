//! What may be booked: the clinic's types of visit.

use crate::{
    errors::PageError,
    extract::{Id, Receptionist},
    page::{Here, Page, Staff},
    refusal::{Code, Refusal},
    state::WebState,
};
use askama::Template;
use axum::{
    extract::{Query, State},
    http::StatusCode,
    response::{Html, IntoResponse, Redirect, Response},
};
use axum_extra::extract::Form;
use domain::VisitTypeId;
use scheduler::{PractitionerView, SaveVisitTypeError, VisitTypeErrors, VisitTypeFields, VisitTypeView};
use serde::Deserialize;

#[derive(Template)]
#[template(path = "visit_types.html")]
struct VisitTypesPage {
    page: Page,
    staff: Staff,
    visit_types: Vec<Row>,
    practitioners: Vec<PractitionerView>,
    form: VisitTypeForm,
    errors: VisitTypeErrors,
    refusal: Option<Refusal>,
    is_saved: bool,
}

/// A type as a line of the list.
struct Row {
    visit_type: VisitTypeView,
    about: String,
    who: String,
}

/// The fields as they were typed, and which type they change.
#[derive(Deserialize, Default, Clone)]
#[serde(default)]
pub(crate) struct VisitTypeForm {
    id: String,
    name: String,
    minutes: String,
    buffer_before_minutes: String,
    buffer_after_minutes: String,
    min_notice_minutes: String,
    horizon_days: String,
    cancel_notice_minutes: String,
    is_public: Option<String>,
    practitioner: Vec<String>,
}

/// Lengths of notice that are offered, in minutes.
const NOTICES: [(i32, &str); 9] = [
    (0, "none"),
    (30, "30 minutes"),
    (60, "1 hour"),
    (120, "2 hours"),
    (240, "4 hours"),
    (720, "12 hours"),
    (1_440, "1 day"),
    (2_880, "2 days"),
    (10_080, "1 week"),
];

impl VisitTypeForm {
    fn fresh(practitioners: &[PractitionerView]) -> Self {
        Self {
            minutes: "30".to_owned(),
            buffer_before_minutes: "0".to_owned(),
            buffer_after_minutes: "0".to_owned(),
            min_notice_minutes: "0".to_owned(),
            horizon_days: "365".to_owned(),
            cancel_notice_minutes: "120".to_owned(),
            practitioner: practitioners.iter().map(|one| one.id.to_string()).collect(),
            ..Self::default()
        }
    }

    fn of(view: &VisitTypeView) -> Self {
        Self {
            id: view.id.to_string(),
            name: view.name.clone(),
            minutes: view.minutes.to_string(),
            buffer_before_minutes: view.buffer_before_minutes.to_string(),
            buffer_after_minutes: view.buffer_after_minutes.to_string(),
            min_notice_minutes: view.min_notice_minutes.to_string(),
            horizon_days: view.horizon_days.to_string(),
            cancel_notice_minutes: view.cancel_notice_minutes.to_string(),
            is_public: view.is_public.then(|| "on".to_owned()),
            practitioner: view.practitioners.iter().map(ToString::to_string).collect(),
        }
    }

    fn fields(&self) -> VisitTypeFields {
        VisitTypeFields {
            name: self.name.clone(),
            minutes: self.minutes.clone(),
            buffer_before_minutes: self.buffer_before_minutes.clone(),
            buffer_after_minutes: self.buffer_after_minutes.clone(),
            min_notice_minutes: self.min_notice_minutes.clone(),
            horizon_days: self.horizon_days.clone(),
            cancel_notice_minutes: self.cancel_notice_minutes.clone(),
            is_public: self.is_public.is_some(),
            practitioners: self.practitioner.clone(),
        }
    }

    fn is_offered_by(&self, practitioner: &PractitionerView) -> bool {
        self.practitioner.contains(&practitioner.id.to_string())
    }

    /// The lengths offered, and the one that a program set.
    fn notices(&self, chosen: &str) -> Vec<(String, String, bool)> {
        let known = NOTICES.iter().map(|(minutes, words)| (minutes.to_string(), (*words).to_owned()));
        let mut notices: Vec<_> = known.map(|(value, words)| (value.clone(), words, value == chosen)).collect();
        if !notices.iter().any(|(.., is_chosen)| *is_chosen) && chosen.parse::<i32>().is_ok() {
            notices.push((chosen.to_owned(), format!("{chosen} minutes"), true));
        }
        notices
    }
}

/// Which type to change, if any.
#[derive(Deserialize)]
pub(crate) struct Which {
    change: Option<VisitTypeId>,
    saved: Option<String>,
}

/// The list, and a form for a new type or one of them.
pub(crate) async fn get(
    State(state): State<WebState>,
    receptionist: Receptionist,
    page: Page,
    Query(which): Query<Which>,
) -> Result<Response, PageError> {
    let by = receptionist.actor();
    let visit_types = scheduler::visit_types(&state.db, &by).await?;
    let form = match visit_types.iter().find(|one| Some(one.id) == which.change) {
        Some(view) => VisitTypeForm::of(view),
        None => VisitTypeForm::fresh(&scheduler::practitioners(&state.db, &by).await?),
    };
    show(&state, &receptionist, page, form, which.saved.is_some(), None).await
}

/// Adds or changes a type.
pub(crate) async fn post(
    State(state): State<WebState>,
    receptionist: Receptionist,
    page: Page,
    Form(mut form): Form<VisitTypeForm>,
) -> Result<Response, PageError> {
    let by = receptionist.actor();
    let id = form.id.parse().ok();
    match scheduler::save_visit_type(&state.db, &*state.random, &by, id, &form.fields()).await {
        Ok(_) => Ok(Redirect::to("/visit-types?saved").into_response()),
        Err(SaveVisitTypeError::Fields(errors)) => {
            let refused = (Refusal::fields(Code::Invalid), *errors);
            show(&state, &receptionist, page, form, false, Some(refused)).await
        }
        Err(SaveVisitTypeError::NotFound) => {
            form.id.clear();
            let sentence = "This type has been retired meanwhile. Save once more to add it again.";
            let refused = (Refusal::new(Code::NoSuchVisitType, sentence), VisitTypeErrors::default());
            show(&state, &receptionist, page, form, false, Some(refused)).await
        }
        Err(error) => Err(refused(error)),
    }
}

/// Retires a type: nobody books it any more.
pub(crate) async fn retire(
    State(state): State<WebState>,
    receptionist: Receptionist,
    Id(id): Id<VisitTypeId>,
) -> Result<Response, PageError> {
    match scheduler::retire_visit_type(&state.db, &*state.clock, &receptionist.actor(), id).await {
        Ok(true) => Ok(Redirect::to("/visit-types?saved").into_response()),
        Ok(false) => Err(PageError::NotFound),
        Err(error) => Err(refused(error)),
    }
}

fn refused(error: SaveVisitTypeError) -> PageError {
    match error {
        SaveVisitTypeError::NotAllowed => PageError::Forbidden,
        SaveVisitTypeError::NotFound | SaveVisitTypeError::Fields(_) => PageError::NotFound,
        SaveVisitTypeError::Database(error) => error.into(),
    }
}

async fn show(
    state: &WebState,
    receptionist: &Receptionist,
    page: Page,
    form: VisitTypeForm,
    is_saved: bool,
    refused: Option<(Refusal, VisitTypeErrors)>,
) -> Result<Response, PageError> {
    let by = receptionist.actor();
    let practitioners = scheduler::practitioners(&state.db, &by).await?;
    let visit_types = scheduler::visit_types(&state.db, &by).await?;
    let (refusal, errors) = refused.unzip();
    let status = refusal.as_ref().map_or(StatusCode::OK, |refusal| refusal.code.status());
    let html = VisitTypesPage {
        page,
        staff: Staff::at_desk(state, receptionist, Here::Schedules).await?,
        visit_types: visit_types.into_iter().map(|one| Row::new(one, &practitioners)).collect(),
        practitioners,
        form,
        errors: errors.unwrap_or_default(),
        refusal,
        is_saved,
    };
    Ok((status, Html(html.render()?)).into_response())
}

impl Row {
    fn new(visit_type: VisitTypeView, practitioners: &[PractitionerView]) -> Self {
        let mut about = vec![format!("{} min", visit_type.minutes)];
        if visit_type.buffer_before_minutes > 0 {
            about.push(format!("{} min free before", visit_type.buffer_before_minutes));
        }
        if visit_type.buffer_after_minutes > 0 {
            about.push(format!("{} min free after", visit_type.buffer_after_minutes));
        }
        if visit_type.min_notice_minutes > 0 {
            about.push(format!("booked {} ahead", notice(visit_type.min_notice_minutes)));
        }
        let who: Vec<_> = practitioners
            .iter()
            .filter(|one| visit_type.practitioners.contains(&one.id))
            .map(|one| one.short.clone())
            .collect();
        let who = if who.is_empty() { "Nobody offers it yet".to_owned() } else { who.join(", ") };
        Self { visit_type, about: about.join(" · "), who }
    }
}

fn notice(minutes: i32) -> String {
    let known = NOTICES.iter().find(|(length, _)| *length == minutes).map(|(_, words)| (*words).to_owned());
    known.unwrap_or_else(|| format!("{minutes} minutes"))
}
