//! Everybody's schedules at a glance, and the clinic's holidays.

use super::{ExceptionRow, Press, exception_form::ExceptionForm, misread, preview::Preview, refused, rule_form};
use crate::{
    announce,
    errors::PageError,
    extract::Receptionist,
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
use domain::{PractitionerId, ScheduleExceptionId};
use scheduler::{
    ScheduleChange, ScheduleView, Schedules,
    schedules::fields::{ExceptionErrors, read_exception},
};
use serde::Deserialize;

#[derive(Template)]
#[template(path = "schedules/list.html")]
struct SchedulesPage {
    page: Page,
    staff: Staff,
    practitioners: Vec<Row>,
    holidays: Vec<ExceptionRow>,
    form: HolidayForm,
    preview: Option<Preview>,
}

impl SchedulesPage {
    /// The holiday that is about to be taken away.
    fn asked(&self) -> String {
        ExceptionRow::told(&self.holidays, &self.form.exception.replaces)
    }
}

/// A practitioner as a line of the list.
struct Row {
    id: PractitionerId,
    name: String,
    speciality: String,
    /// `Mon 09:00–17:00, Tue 09:00–12:00`.
    week: String,
    /// The next leave or extra hours.
    next: Option<ExceptionRow>,
}

/// The form of a holiday as it stands, and what is to be said about it.
#[derive(Default)]
struct HolidayForm {
    exception: ExceptionForm,
    exception_errors: ExceptionErrors,
    asks: bool,
    is_saved: bool,
    refusal: Option<Refusal>,
}

impl HolidayForm {
    fn asks_about_exception(&self) -> bool {
        self.asks
    }
}

/// Which holiday to change, if any.
#[derive(Deserialize)]
pub(crate) struct Which {
    exception: Option<ScheduleExceptionId>,
    saved: Option<String>,
}

/// The page.
pub(crate) async fn get(
    State(state): State<WebState>,
    receptionist: Receptionist,
    page: Page,
    Query(which): Query<Which>,
) -> Result<Response, PageError> {
    let schedules = scheduler::schedules(&state.db, &*state.clock, &receptionist.actor()).await?;
    let chosen = schedules.holidays.iter().find(|one| Some(one.id) == which.exception);
    let exception = chosen.map_or_else(|| ExceptionForm::fresh(&receptionist.clinic), ExceptionForm::of);
    let form = HolidayForm { exception, is_saved: which.saved.is_some(), ..HolidayForm::default() };
    show(&state, &receptionist, page, schedules, form, None, StatusCode::OK).await
}

/// A holiday of the clinic is tried, saved or taken away.
pub(crate) async fn holidays(
    State(state): State<WebState>,
    receptionist: Receptionist,
    page: Page,
    Form(typed): Form<ExceptionForm>,
) -> Result<Response, PageError> {
    let by = receptionist.actor();
    let schedules = scheduler::schedules(&state.db, &*state.clock, &by).await?;
    let (press, replaces) = (typed.press, typed.replaced());
    let mut form = HolidayForm { exception: typed, asks: press == Press::Ask, ..HolidayForm::default() };
    let with = match press {
        Press::Remove | Press::Ask => None,
        Press::Preview | Press::Save => match read_exception(&form.exception.fields(), true, state.clock.now()) {
            Ok(exception) => Some(exception),
            Err(errors) => {
                form.refusal = misread(errors.fault());
                form.exception_errors = *errors;
                let status = StatusCode::UNPROCESSABLE_ENTITY;
                return show(&state, &receptionist, page, schedules, form, None, status).await;
            }
        },
    };
    if let Some(holiday) = schedules.holidays.iter().find(|one| form.asks && Some(one.id) == replaces) {
        form.exception = ExceptionForm::of(holiday);
    }
    let change = ScheduleChange::Exception { practitioner: None, replaces, with };
    if matches!(press, Press::Preview | Press::Ask) {
        return show(&state, &receptionist, page, schedules, form, Some(change), StatusCode::OK).await;
    }
    match scheduler::change_schedule(&state.db, &*state.clock, &*state.random, &by, change).await {
        Ok(()) => {
            announce::desks(&state, &by).await;
            Ok(Redirect::to("/schedules?saved").into_response())
        }
        Err(error) => {
            form.refusal = Some(refused(error)?);
            show(&state, &receptionist, page, schedules, form, None, StatusCode::CONFLICT).await
        }
    }
}

async fn show(
    state: &WebState,
    receptionist: &Receptionist,
    page: Page,
    schedules: Schedules,
    form: HolidayForm,
    change: Option<ScheduleChange>,
    status: StatusCode,
) -> Result<Response, PageError> {
    let clinic = &receptionist.clinic;
    let preview = match &change {
        Some(change) => {
            let by = receptionist.actor();
            let preview = scheduler::preview_schedule(&state.db, &*state.clock, &by, None, Some(change)).await?;
            Some(Preview::new(preview, true, &clinic.zone))
        }
        None => None,
    };
    let html = SchedulesPage {
        page,
        staff: Staff::at_desk(state, receptionist, Here::Schedules).await?,
        practitioners: schedules.practitioners.into_iter().map(|one| row(one, clinic)).collect(),
        holidays: schedules.holidays.iter().map(|one| ExceptionRow::new(one, clinic)).collect(),
        form,
        preview,
    };
    Ok((status, Html(html.render()?)).into_response())
}

fn row(schedule: ScheduleView, clinic: &scheduler::ClinicView) -> Row {
    Row {
        id: schedule.practitioner.id,
        week: week(&schedule),
        next: schedule.exceptions.first().map(|one| ExceptionRow::new(one, clinic)),
        name: schedule.practitioner.title_and_name,
        speciality: schedule.practitioner.speciality,
    }
}

/// The week in short: days with the same hours one after the other are put together.
fn week(schedule: &ScheduleView) -> String {
    const SHORT: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    let mut runs: Vec<(usize, usize, String)> = Vec::new();
    for (index, _) in SHORT.iter().enumerate() {
        let of_day = schedule.rules.iter().filter(|(_, rule)| {
            usize::try_from(rule.weekday.to_monday_zero_offset()).is_ok_and(|weekday| weekday == index)
        });
        let hours: Vec<_> = of_day.map(|(_, rule)| rule_form::hours(rule)).collect();
        let hours = hours.join(" and ");
        match runs.last_mut() {
            Some((_, last, same)) if *same == hours => *last = index,
            _ => runs.push((index, index, hours)),
        }
    }
    let words = runs.into_iter().filter(|(_, _, hours)| !hours.is_empty()).map(|(first, last, hours)| {
        let days = if first == last { SHORT[first].to_owned() } else { format!("{} to {}", SHORT[first], SHORT[last]) };
        format!("{days} {hours}")
    });
    let words: Vec<_> = words.collect();
    if words.is_empty() { "No weekly hours yet".to_owned() } else { words.join(", ") }
}
