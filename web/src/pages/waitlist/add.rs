//! Adding a patient to the waitlist.

use super::show;
use crate::{
    errors::PageError,
    extract::Receptionist,
    page::Page,
    pages::patients::chosen::{Chosen, chosen},
    refusal::{Code, Refusal},
    state::WebState,
};
use axum::{
    Form,
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use domain::Actor;
use jiff::civil::{Date, Time};
use scheduler::{AddToWaitlistError, PractitionerView, VisitTypeView, WaitlistRequest};
use serde::Deserialize;

/// The last minute of a day, and one more.
const MIDNIGHT: i16 = 1440;

/// The fields as typed and chosen.
#[derive(Deserialize, Default, Clone)]
#[serde(default)]
pub(crate) struct WaitlistForm {
    q: String,
    patient: String,
    pub(super) visit_type: String,
    pub(super) practitioner: String,
    pub(super) from_date: String,
    pub(super) to_date: String,
    pub(super) from_time: String,
    pub(super) to_time: String,
    pub(super) note: String,
}

impl WaitlistForm {
    /// The empty form: from this day on, for four weeks.
    pub(super) fn from_day(today: Date) -> Self {
        let to_date = today.saturating_add(jiff::Span::new().weeks(4)).to_string();
        Self { from_date: today.to_string(), to_date, ..Self::default() }
    }

    pub(super) async fn who(&self, state: &WebState, by: &Actor) -> Result<Chosen, PageError> {
        chosen(state, by, &self.q, &self.patient).await
    }

    pub(super) fn is_type(&self, one: &VisitTypeView) -> bool {
        self.visit_type.parse() == Ok(one.id)
    }

    pub(super) fn is_practitioner(&self, one: &PractitionerView) -> bool {
        self.practitioner.parse() == Ok(one.id)
    }

    /// What is asked for, or what is missing.
    fn request(&self, who: &Chosen) -> Result<WaitlistRequest, Refusal> {
        let no_day = || {
            Refusal::new(
                Code::NoSuchTime,
                "There is no such day. Enter both days as year, month and day, like 2026-11-24.",
            )
        };
        let no_time =
            || Refusal::new(Code::NoSuchTime, "There is no such time of day. Enter it like 09:30, or leave it empty.");
        let nobody = |_| Refusal::new(Code::NoSuchPractitioner, "Choose the practitioner again.");
        let nothing = |_| Refusal::new(Code::NoSuchVisitType, "Choose the type of visit.");
        let practitioner = if self.practitioner.is_empty() { None } else { Some(self.practitioner.parse()) };
        Ok(WaitlistRequest {
            patient: who.id()?,
            visit_type: self.visit_type.parse().map_err(nothing)?,
            practitioner: practitioner.transpose().map_err(nobody)?,
            from_date: self.from_date.trim().parse().map_err(|_| no_day())?,
            to_date: self.to_date.trim().parse().map_err(|_| no_day())?,
            from_minute: minute(&self.from_time, 0).ok_or_else(no_time)?,
            to_minute: minute(&self.to_time, MIDNIGHT).ok_or_else(no_time)?,
            note: self.note.clone(),
        })
    }
}

/// The form again: somebody searched without a script. Nobody is added.
pub(crate) async fn look(
    State(state): State<WebState>,
    receptionist: Receptionist,
    page: Page,
    Form(form): Form<WaitlistForm>,
) -> Result<Response, PageError> {
    show(&state, &receptionist, page, form, None).await
}

/// Adds, or says what stands in the way; everything typed is still there.
pub(crate) async fn post(
    State(state): State<WebState>,
    receptionist: Receptionist,
    page: Page,
    Form(form): Form<WaitlistForm>,
) -> Result<Response, PageError> {
    let by = receptionist.actor();
    let request = match form.request(&form.who(&state, &by).await?) {
        Ok(request) => request,
        Err(problem) => return show(&state, &receptionist, page, form, Some(problem)).await,
    };
    match scheduler::add_to_waitlist(&state.db, &*state.clock, &*state.random, &by, request).await {
        Ok(_) => Ok(Redirect::to("/waitlist").into_response()),
        Err(AddToWaitlistError::Database(error)) => Err(error.into()),
        Err(refusal) => show(&state, &receptionist, page, form, Some(refused(&refusal))).await,
    }
}

/// The refusal as a sentence.
fn refused(refusal: &AddToWaitlistError) -> Refusal {
    let sentence = match refusal {
        AddToWaitlistError::NoSuchPatient => "This patient is not known here. Find the patient again.",
        AddToWaitlistError::NotOffered => {
            "The practitioner does not offer this type of visit. Choose another, or anybody."
        }
        AddToWaitlistError::NoTime => {
            "There is no time for the visit between these days and times. The last day must not lie before the first, nor in the past."
        }
        AddToWaitlistError::NoteTooLong => "Shorten the note to 500 characters.",
        AddToWaitlistError::Full | AddToWaitlistError::Database(_) => {
            "The waitlist is full. Withdraw somebody first who waits no longer."
        }
    };
    Refusal::new(refusal, sentence)
}

/// Minutes since midnight; `otherwise` when nothing was typed.
fn minute(text: &str, otherwise: i16) -> Option<i16> {
    match text.trim() {
        "" => Some(otherwise),
        text => {
            let time: Time = text.parse().ok()?;
            Some(i16::from(time.hour()) * 60 + i16::from(time.minute()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_day_is_read_as_minutes() {
        assert_eq!(minute("09:30", 0), Some(570));
        assert_eq!(minute(" ", MIDNIGHT), Some(1440));
        assert_eq!(minute("25:00", 0), None);
    }
}
