//! The schedule of one practitioner: weekly hours, leave and extra hours.

use super::{
    ExceptionRow, Press,
    exception_form::ExceptionForm,
    misread,
    preview::Preview,
    refused,
    rule_form::{RuleForm, RuleRow},
};
use crate::{
    announce,
    errors::PageError,
    extract::{Id, Receptionist},
    page::{Here, Page, Staff},
    refusal::Refusal,
    state::WebState,
};
use askama::Template;
use axum::{
    extract::{Query, State},
    http::StatusCode,
    response::{Html, IntoResponse, Redirect, Response},
};
use axum_extra::extract::Form;
use domain::{PractitionerId, ScheduleExceptionId, ScheduleRuleId};
use scheduler::{
    ScheduleChange, ScheduleView,
    schedules::fields::{ExceptionErrors, RuleErrors, read_exception, read_rules},
};
use serde::Deserialize;

#[derive(Template)]
#[template(path = "schedules/practitioner.html")]
struct SchedulePage {
    page: Page,
    staff: Staff,
    schedule: ScheduleView,
    /// The address of this page.
    back: String,
    /// Where weekly hours are sent.
    rule_action: String,
    /// Where leave and extra hours are sent.
    exception_action: String,
    rules: Vec<RuleRow>,
    exceptions: Vec<ExceptionRow>,
    clinic_zone: String,
    form: Forms,
    preview: Preview,
}

impl SchedulePage {
    /// What is about to be taken away.
    fn asked(&self) -> String {
        match self.form.asks {
            Some(Asks::Rule) => RuleRow::told(&self.rules, &self.form.rule.replaces),
            Some(Asks::Exception) => ExceptionRow::told(&self.exceptions, &self.form.exception.replaces),
            None => String::new(),
        }
    }
}

/// Both forms as they stand, and what is to be said about them.
#[derive(Clone)]
struct Forms {
    rule: RuleForm,
    rule_errors: RuleErrors,
    exception: ExceptionForm,
    exception_errors: ExceptionErrors,
    /// Something is about to be taken away: it is asked once more.
    asks: Option<Asks>,
    is_saved: bool,
    refusal: Option<Refusal>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Asks {
    Rule,
    Exception,
}

impl Forms {
    fn fresh(receptionist: &Receptionist) -> Self {
        Self {
            rule: RuleForm::fresh(&receptionist.clinic),
            rule_errors: RuleErrors::default(),
            exception: ExceptionForm::fresh(&receptionist.clinic),
            exception_errors: ExceptionErrors::default(),
            asks: None,
            is_saved: false,
            refusal: None,
        }
    }

    fn asks_about_rule(&self) -> bool {
        self.asks == Some(Asks::Rule)
    }

    fn asks_about_exception(&self) -> bool {
        self.asks == Some(Asks::Exception)
    }
}

/// What to change, if anything.
#[derive(Deserialize)]
pub(crate) struct Which {
    rule: Option<ScheduleRuleId>,
    exception: Option<ScheduleExceptionId>,
    saved: Option<String>,
}

/// The schedule, with one of its parts in a form to be changed.
pub(crate) async fn get(
    State(state): State<WebState>,
    receptionist: Receptionist,
    page: Page,
    Id(id): Id<PractitionerId>,
    Query(which): Query<Which>,
) -> Result<Response, PageError> {
    let schedule = find(&state, &receptionist, id).await?;
    let mut forms = Forms { is_saved: which.saved.is_some(), ..Forms::fresh(&receptionist) };
    if let Some((id, rule)) = schedule.rules.iter().find(|(id, _)| Some(*id) == which.rule) {
        forms.rule = RuleForm::of(*id, rule);
    }
    if let Some(exception) = schedule.exceptions.iter().find(|one| Some(one.id) == which.exception) {
        forms.exception = ExceptionForm::of(exception);
    }
    show(&state, &receptionist, page, schedule, forms, None, StatusCode::OK).await
}

/// Weekly hours are tried, saved or taken away.
pub(crate) async fn rules(
    State(state): State<WebState>,
    receptionist: Receptionist,
    page: Page,
    Id(practitioner): Id<PractitionerId>,
    Form(form): Form<RuleForm>,
) -> Result<Response, PageError> {
    let schedule = find(&state, &receptionist, practitioner).await?;
    let replaces = form.replaces.parse::<ScheduleRuleId>().ok();
    let mut forms = Forms { rule: form.clone(), ..Forms::fresh(&receptionist) };
    let with = match form.press {
        Press::Remove | Press::Ask => Vec::new(),
        Press::Preview | Press::Save => match read_rules(&form.fields()) {
            Ok(rules) => rules,
            Err(errors) => {
                forms.refusal = misread(errors.fault());
                forms.rule_errors = *errors;
                let status = StatusCode::UNPROCESSABLE_ENTITY;
                return show(&state, &receptionist, page, schedule, forms, None, status).await;
            }
        },
    };
    if form.press == Press::Ask {
        forms.asks = Some(Asks::Rule);
        if let Some((id, rule)) = schedule.rules.iter().find(|(id, _)| Some(*id) == replaces) {
            forms.rule = RuleForm::of(*id, rule);
        }
    }
    let change = ScheduleChange::Rules { practitioner, replaces, with };
    decide(&state, &receptionist, page, schedule, forms, form.press, change).await
}

/// Leave or extra hours are tried, saved or taken away.
pub(crate) async fn exceptions(
    State(state): State<WebState>,
    receptionist: Receptionist,
    page: Page,
    Id(practitioner): Id<PractitionerId>,
    Form(form): Form<ExceptionForm>,
) -> Result<Response, PageError> {
    let schedule = find(&state, &receptionist, practitioner).await?;
    let replaces = form.replaced();
    let mut forms = Forms { exception: form.clone(), ..Forms::fresh(&receptionist) };
    let with = match form.press {
        Press::Remove | Press::Ask => None,
        Press::Preview | Press::Save => match read_exception(&form.fields(), false, state.clock.now()) {
            Ok(exception) => Some(exception),
            Err(errors) => {
                forms.refusal = misread(errors.fault());
                forms.exception_errors = *errors;
                let status = StatusCode::UNPROCESSABLE_ENTITY;
                return show(&state, &receptionist, page, schedule, forms, None, status).await;
            }
        },
    };
    if form.press == Press::Ask {
        forms.asks = Some(Asks::Exception);
        if let Some(exception) = schedule.exceptions.iter().find(|one| Some(one.id) == replaces) {
            forms.exception = ExceptionForm::of(exception);
        }
    }
    let change = ScheduleChange::Exception { practitioner: Some(practitioner), replaces, with };
    decide(&state, &receptionist, page, schedule, forms, form.press, change).await
}

/// Shows what a change would do, or makes it.
async fn decide(
    state: &WebState,
    receptionist: &Receptionist,
    page: Page,
    schedule: ScheduleView,
    mut forms: Forms,
    press: Press,
    change: ScheduleChange,
) -> Result<Response, PageError> {
    if matches!(press, Press::Preview | Press::Ask) {
        return show(state, receptionist, page, schedule, forms, Some(change), StatusCode::OK).await;
    }
    let by = receptionist.actor();
    match scheduler::change_schedule(&state.db, &*state.clock, &*state.random, &by, change).await {
        Ok(()) => {
            announce::desks(state, &by).await;
            Ok(Redirect::to(&format!("/schedules/{}?saved", schedule.practitioner.id)).into_response())
        }
        Err(error) => {
            forms.refusal = Some(refused(error)?);
            show(state, receptionist, page, schedule, forms, None, StatusCode::CONFLICT).await
        }
    }
}

async fn find(state: &WebState, receptionist: &Receptionist, id: PractitionerId) -> Result<ScheduleView, PageError> {
    let schedules = scheduler::schedules(&state.db, &*state.clock, &receptionist.actor()).await?;
    schedules.practitioners.into_iter().find(|one| one.practitioner.id == id).ok_or(PageError::NotFound)
}

async fn show(
    state: &WebState,
    receptionist: &Receptionist,
    page: Page,
    schedule: ScheduleView,
    form: Forms,
    change: Option<ScheduleChange>,
    status: StatusCode,
) -> Result<Response, PageError> {
    let (by, id, clinic) = (receptionist.actor(), schedule.practitioner.id, &receptionist.clinic);
    let preview = scheduler::preview_schedule(&state.db, &*state.clock, &by, Some(id), change.as_ref()).await?;
    let html = SchedulePage {
        page,
        staff: Staff::at_desk(state, receptionist, Here::Schedules).await?,
        rules: schedule.rules.iter().map(|(id, rule)| RuleRow::new(*id, rule, clinic)).collect(),
        exceptions: schedule.exceptions.iter().map(|one| ExceptionRow::new(one, clinic)).collect(),
        back: format!("/schedules/{id}"),
        rule_action: format!("/schedules/{id}/rules"),
        exception_action: format!("/schedules/{id}/exceptions"),
        clinic_zone: clinic.zone.iana_name().unwrap_or_default().to_owned(),
        schedule,
        form,
        preview: Preview::new(preview, change.is_some(), &clinic.zone),
    };
    Ok((status, Html(html.render()?)).into_response())
}
