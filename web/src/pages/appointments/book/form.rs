//! The fields of the booking as typed and chosen, what there is to choose from, and the request that they make.

use crate::{
    errors::PageError,
    pages::patients::chosen::{Chosen, chosen},
    refusal::{Code, Refusal},
    state::WebState,
    words,
};
use domain::{
    Actor, HoldId, PatientId, PractitionerId, Recurrence, RecurrenceError, ResourceId, VisitTypeId,
    recurrence::{Ends, Frequency},
};
use jiff::{Timestamp, civil::Date, civil::Time, tz::TimeZone};
use scheduler::{BookRequest, Needs, PractitionerView, ResourceKind, ResourceView, Starts, VisitTypeView};
use serde::Deserialize;

/// The fields; all may be missing.
#[derive(Deserialize, Default, Clone)]
#[serde(default)]
pub(crate) struct BookingForm {
    /// What stands in the field "Patient".
    pub(super) q: String,
    /// The patient chosen for it.
    pub(super) patient: String,
    /// Empty: whoever is free first.
    pub(super) practitioner: String,
    /// Without it, or when the practitioner does not offer it, the first that they offer.
    pub(super) visit_type: String,
    /// Two languages, as `pt~en`.
    pub(super) interpreter: String,
    pub(super) room: String,
    pub(super) device: String,
    pub(super) date: String,
    /// The start of the chosen slot; and with whom, if any would do.
    pub(super) at: String,
    /// Days to go forward or back.
    pub(super) step: i64,
    pub(super) hold: String,
    /// `daily`, `weekly`, `fortnightly`, `monthly`, or nothing.
    pub(super) repeat: String,
    pub(super) times: String,
    pub(super) leave_out: String,
    /// A time that is no slot of the list, and why it may be beside another visit.
    pub(super) other_time: String,
    pub(super) overbook: String,
}

impl BookingForm {
    /// How the field "Patient" stands.
    pub(crate) async fn who(&self, state: &WebState, by: &Actor) -> Result<Chosen, PageError> {
        chosen(state, by, &self.q, &self.patient).await
    }

    /// The chosen slot, and with whom if the list offered everybody.
    pub(super) fn chosen(&self) -> (Option<Timestamp>, Option<PractitionerId>) {
        let (at, with) = self.at.split_once('~').unwrap_or((&self.at, ""));
        (at.parse().ok(), with.parse().ok())
    }

    /// The slot that the form holds.
    pub(super) fn held(&self) -> Option<Timestamp> {
        self.hold.parse::<HoldId>().ok().and(self.chosen().0)
    }

    /// The day asked for, or that of the chosen slot.
    pub(super) fn day(&self, zone: &TimeZone) -> Option<Date> {
        let asked = self.date.parse::<Date>().ok();
        let asked = asked.map(|date| date.saturating_add(jiff::Span::new().days(self.step.clamp(-366, 366))));
        asked.or_else(|| Some(words::day_of(self.chosen().0?, zone)))
    }

    fn recurrence(&self) -> Result<Option<Recurrence>, Refusal> {
        let (frequency, interval) = match &*self.repeat {
            "" => return Ok(None),
            "daily" => (Frequency::Daily, 1),
            "fortnightly" => (Frequency::Weekly, 2),
            "monthly" => (Frequency::Monthly, 1),
            _ => (Frequency::Weekly, 1),
        };
        let times = self.times.trim().parse().map_err(|_| Refusal::invalid("Say how often, as a number."))?;
        let recurrence = Recurrence::new(frequency, interval, Vec::new(), Ends::After(times));
        recurrence.map(Some).map_err(|refusal| unrepeatable(&refusal))
    }
}

/// Why a series cannot repeat like that.
pub(super) fn unrepeatable(refusal: &RecurrenceError) -> Refusal {
    let words = refusal.to_string();
    let mut letters = words.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    Refusal::invalid(first.chain(letters).chain(['.']).collect::<String>())
}

/// What there is to choose from, and what is chosen.
pub(crate) struct Options {
    pub(crate) practitioners: Vec<PractitionerView>,
    /// `None`: whoever is free first.
    pub(crate) practitioner: Option<PractitionerId>,
    pub(crate) visit_types: Vec<VisitTypeView>,
    pub(crate) visit_type: Option<VisitTypeId>,
    /// The value and the words of each pair between which somebody interprets.
    pub(super) interpreters: Vec<(String, String)>,
    pub(super) rooms: Vec<ResourceView>,
    pub(super) devices: Vec<ResourceView>,
}

impl Options {
    pub(crate) async fn new(state: &WebState, by: &Actor, form: &BookingForm) -> Result<Self, PageError> {
        let practitioners = scheduler::practitioners(&state.db, by).await?;
        let all = scheduler::visit_types(&state.db, by).await?;
        let resources = scheduler::resources(&state.db, by).await?;
        let practitioner = form.practitioner.parse().ok().filter(|id| practitioners.iter().any(|one| one.id == *id));
        let offers = |one: &VisitTypeView| practitioner.is_none_or(|id| one.practitioners.contains(&id));
        let visit_types: Vec<_> = all.into_iter().filter(offers).collect();
        let chosen = form.visit_type.parse().ok().filter(|id| visit_types.iter().any(|one| one.id == *id));
        let of_kind = |kind| resources.iter().filter(move |one| one.kind == kind);
        Ok(Self {
            practitioner,
            visit_type: chosen.or(visit_types.first().map(|one| one.id)),
            practitioners,
            visit_types,
            interpreters: pairs(of_kind(ResourceKind::Interpreter)),
            rooms: of_kind(ResourceKind::Room).cloned().collect(),
            devices: of_kind(ResourceKind::Device).cloned().collect(),
        })
    }

    pub(super) fn name_of(&self, id: PractitionerId) -> Option<String> {
        self.practitioners.iter().find(|one| one.id == id).map(|one| one.short.clone())
    }

    /// The two languages of a choice; only what is offered can be chosen.
    fn languages(&self, choice: &str) -> Result<Option<(String, String)>, Refusal> {
        if choice.is_empty() {
            return Ok(None);
        }
        let known = self.interpreters.iter().any(|(value, _)| value == choice);
        let pair = choice.split_once('~').filter(|_| known).map(|(a, b)| (a.to_owned(), b.to_owned()));
        pair.map(Some)
            .ok_or_else(|| Refusal::new(Code::NoInterpreterFree, "Nobody interprets between these languages."))
    }

    pub(crate) fn is_with(&self, one: &PractitionerView) -> bool {
        self.practitioner == Some(one.id)
    }

    pub(crate) fn is_type(&self, one: &VisitTypeView) -> bool {
        self.visit_type == Some(one.id)
    }
}

/// Every pair of languages that some interpreter speaks, once.
fn pairs<'a>(interpreters: impl Iterator<Item = &'a ResourceView>) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    for one in interpreters {
        for (index, a) in one.languages.iter().enumerate() {
            for b in &one.languages[index + 1..] {
                let (a, b) = if a == "en" { (b, a) } else { (a, b) };
                pairs.push((format!("{a}~{b}"), format!("{} ⇄ {}", words::language(a), words::language(b))));
            }
        }
    }
    pairs.sort_by(|a, b| a.1.cmp(&b.1));
    pairs.dedup();
    pairs
}

/// What to book.
pub(super) struct Wanted {
    pub(super) request: BookRequest,
    pub(super) recurrence: Option<Recurrence>,
    pub(super) leave_out: bool,
}

/// What to book, or what is still missing. A single patient who fits what was typed needs no choosing.
pub(super) async fn wanted(
    state: &WebState,
    by: &Actor,
    form: &BookingForm,
    zone: &TimeZone,
) -> Result<Result<Wanted, Refusal>, PageError> {
    let patient = match form.who(state, by).await?.id() {
        Ok(patient) => patient,
        Err(what) => return Ok(Err(what)),
    };
    let options = Options::new(state, by, form).await?;
    Ok(request(&options, form, patient, zone))
}

fn request(options: &Options, form: &BookingForm, patient: PatientId, zone: &TimeZone) -> Result<Wanted, Refusal> {
    let (starts_at, with) = starts_at(form, zone)?;
    let practitioner = options.practitioner.or(with).ok_or_else(|| Refusal::invalid("Choose the practitioner."))?;
    let nothing = || Refusal::new(Code::NotOffered, "This practitioner offers no visits yet.");
    let visit_type = options.visit_type.ok_or_else(nothing)?;
    let mut request = BookRequest::new(patient, practitioner, visit_type, starts_at);
    request.starts = if form.other_time.trim().is_empty() { Starts::OfSchedule } else { Starts::AnyMinute };
    request.needs = Needs {
        interpreter: options.languages(&form.interpreter)?,
        room: form.room.parse::<ResourceId>().ok(),
        device: form.device.parse::<ResourceId>().ok(),
    };
    request.hold = form.hold.parse().ok().filter(|_| form.other_time.is_empty());
    request.overbook = Some(form.overbook.trim().to_owned()).filter(|reason| !reason.is_empty());
    Ok(Wanted { request, recurrence: form.recurrence()?, leave_out: !form.leave_out.is_empty() })
}

/// The chosen slot, or the other time that was typed.
fn starts_at(form: &BookingForm, zone: &TimeZone) -> Result<(Timestamp, Option<PractitionerId>), Refusal> {
    let (chosen, with) = form.chosen();
    if form.other_time.trim().is_empty() {
        return Ok((chosen.ok_or_else(|| Refusal::invalid("Choose a time."))?, with));
    }
    let unreadable = |_| Refusal::invalid("Write the other time like 14:30.");
    let time: Time = form.other_time.trim().parse().map_err(unreadable)?;
    let date = form.day(zone).ok_or_else(|| Refusal::invalid("Choose the day."))?;
    Ok((super::instant(date, time, zone)?, with))
}
