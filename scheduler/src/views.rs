//! What pages show: read models, whole enough that no page asks twice.

use crate::{availability::Exception, tables::clinics};
use domain::{
    AppointmentId, AppointmentState, ArrivalWindow, ClinicId, EncounterId, EncounterState, PatientId, PractitionerId,
    ResourceId, RoomId, ScheduleExceptionId, SeriesId, Source, VisitTypeId,
};
use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};

/// A clinic as its pages need it.
#[derive(Debug, Clone)]
pub struct ClinicView {
    /// Which.
    pub id: ClinicId,
    /// As on the sign at the door.
    pub name: String,
    /// The zone of its wall clocks.
    pub zone: TimeZone,
    /// For patients who cannot come in.
    pub phone: String,
    /// How long before the start a patient may arrive.
    pub early: SignedDuration,
    /// How long after the end a patient may still arrive.
    pub late: SignedDuration,
}

impl ClinicView {
    /// As it is kept: its zone by name, how early and how late patients may arrive in minutes.
    ///
    /// # Errors
    /// When nobody knows the zone.
    pub fn kept(
        id: ClinicId,
        name: String,
        zone: &str,
        phone: String,
        (early, late): (i32, i32),
    ) -> Result<Self, sqlx::Error> {
        let minutes = |minutes: i32| SignedDuration::from_mins(minutes.into());
        Ok(Self { id, name, zone: clinics::zone(zone)?, phone, early: minutes(early), late: minutes(late) })
    }
}

/// A practitioner's visits of a day, in numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Visits {
    /// How many.
    pub count: usize,
    /// How long all of them are.
    pub together: SignedDuration,
}

/// A patient as the desk sees them. Never log one.
#[derive(Clone)]
pub struct PatientView {
    /// Who.
    pub id: PatientId,
    /// Full name.
    pub name: String,
    /// Date of birth, which tells two people of one name apart.
    pub birth_date: Date,
    /// As it was typed.
    pub phone: Option<String>,
    /// Where links are sent.
    pub email: Option<String>,
}

/// A practitioner, addressed by title.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PractitionerView {
    /// Who.
    pub id: PractitionerId,
    /// `Dr Hannah Osei`.
    pub title_and_name: String,
    /// `Dr Osei`.
    pub short: String,
    /// `General practice`.
    pub speciality: String,
}

/// What may be booked: how long it is, what is kept free around it, how far ahead it is booked, and with whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VisitTypeView {
    /// Which.
    pub id: VisitTypeId,
    /// `Follow-up`.
    pub name: String,
    /// How long it is, buffers apart.
    pub minutes: i16,
    /// Kept free before it in the practitioner's time.
    pub buffer_before_minutes: i16,
    /// Kept free after it in the practitioner's time.
    pub buffer_after_minutes: i16,
    /// How long before the start it must be booked at least.
    pub min_notice_minutes: i32,
    /// How many days ahead it may be booked at most.
    pub horizon_days: i16,
    /// Until how long before the start patients may cancel by themselves.
    pub cancel_notice_minutes: i32,
    /// Patients may book it on the clinic's public page.
    pub is_public: bool,
    /// Who offers it.
    pub practitioners: Vec<PractitionerId>,
}

impl VisitTypeView {
    /// The time of the practitioner that a visit from `starts_at` takes, buffers included.
    pub fn occupies(&self, starts_at: Timestamp) -> (Timestamp, Timestamp) {
        let minutes = |minutes: i16| SignedDuration::from_mins(minutes.into());
        (
            starts_at - minutes(self.buffer_before_minutes),
            starts_at + minutes(self.minutes) + minutes(self.buffer_after_minutes),
        )
    }
}

/// Leave, a holiday or extra hours, as the page of schedules shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleExceptionView {
    /// Which.
    pub id: ScheduleExceptionId,
    /// Whose; none is the whole clinic.
    pub practitioner: Option<PractitionerId>,
    /// Why, for the desk.
    pub reason: String,
    /// When and what.
    pub exception: Exception,
}

/// What a resource is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum ResourceKind {
    /// A thing.
    Device,
    /// Somebody who translates.
    Interpreter,
    /// A place.
    Room,
}

/// An interpreter, a room or a device.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ResourceView {
    /// Which.
    pub id: ResourceId,
    /// What it is.
    pub kind: ResourceKind,
    /// As it is called in the clinic.
    pub name: String,
    /// Between which an interpreter translates (BCP 47 tags in lower case); else none.
    pub languages: Vec<String>,
}

/// What kind of visit an appointment is, which may not be offered any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VisitTypeName {
    /// Which.
    pub id: VisitTypeId,
    /// `Follow-up`.
    pub name: String,
}

/// Who was not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Absent {
    /// The patient.
    Patient,
    /// The practitioner, so that it is not the patient's no-show.
    Practitioner,
    /// Neither was there.
    Both,
}

/// What the patient's device check found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Readiness {
    /// Nothing was said.
    #[default]
    NotChecked,
    /// Both work.
    CameraAndMicrophone,
    /// Heard, not seen.
    MicrophoneOnly,
    /// Seen, not heard.
    CameraOnly,
    /// Neither was allowed or found.
    Nothing,
    /// The browser cannot hold a video visit at all.
    NoWebrtc,
}

/// The call of an appointment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncounterView {
    /// Which.
    pub id: EncounterId,
    /// In progress or finished.
    pub state: EncounterState,
    /// When the patient was admitted.
    pub started_at: Timestamp,
    /// When the practitioner ended it.
    pub finished_at: Option<Timestamp>,
    /// The media meeting.
    pub room: RoomId,
}

/// How an appointment stands: what it takes to say so in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Where it stands.
    pub state: AppointmentState,
    /// When it begins.
    pub starts_at: Timestamp,
    /// Since when the patient waits.
    pub arrived_at: Option<Timestamp>,
    /// The patient pressed *Leave* in the waiting room, and has not come back.
    pub left: bool,
    /// When the patient was admitted.
    pub admitted_at: Option<Timestamp>,
    /// When the practitioner ended the call.
    pub finished_at: Option<Timestamp>,
    /// For [`AppointmentState::NoShow`]: who was not there.
    pub absent: Option<Absent>,
}

/// An appointment with everybody and everything around it.
#[derive(Clone)]
pub struct AppointmentView {
    /// Which.
    pub id: AppointmentId,
    /// Where it stands.
    pub state: AppointmentState,
    /// When it begins.
    pub starts_at: Timestamp,
    /// When it ends.
    pub ends_at: Timestamp,
    /// When the patient may say *I'm here*.
    pub window: ArrivalWindow,
    /// For whom.
    pub patient: PatientView,
    /// With whom.
    pub practitioner: PractitionerView,
    /// Which visit link is good; see [`visit_link`](crate::visit_link()).
    pub link_version: i16,
    /// Since when the patient waits, or waited before the visit that is under way. Of what is over the seat is not looked up.
    pub arrived_at: Option<Timestamp>,
    /// When the patient's page last said that it is there.
    pub last_seen_at: Option<Timestamp>,
    /// The patient pressed *Leave* in the waiting room, and has not come back.
    pub left: bool,
    /// What their device check found.
    pub readiness: Readiness,
    /// How many wait for the same practitioner and come before. Counted while `arrived` only.
    pub ahead: usize,
    /// The call, once admitted.
    pub encounter: Option<EncounterView>,
    /// Why it was cancelled, if it was.
    pub cancel_reason: Option<String>,
    /// What kind of visit.
    pub visit_type: VisitTypeName,
    /// 0 is the practitioner's own time; any other is beside another visit, on purpose.
    pub lane: i16,
    /// Why it is beside another visit, if it is.
    pub overbook_reason: Option<String>,
    /// Who put it there, as they were called then.
    pub overbooked_by: Option<String>,
    /// The series it belongs to.
    pub series: Option<SeriesId>,
    /// How often its time was changed; cancelling counts, too. The SEQUENCE of its invitation.
    pub sequence: i32,
    /// Changes with every change of it.
    pub version: i64,
    /// When the patient said that they will come to this time.
    pub confirmed_at: Option<Timestamp>,
    /// Where it came from.
    pub source: Source,
    /// For [`AppointmentState::NoShow`]: who was not there.
    pub absent: Option<Absent>,
    /// Why a person took back that it was missed, if one did.
    pub outcome_reason: Option<String>,
    /// Why it was moved the last time, if it was.
    pub reschedule_reason: Option<String>,
    /// Who and what else is reserved.
    pub resources: Vec<ResourceView>,
}

impl AppointmentView {
    /// How it stands.
    pub fn standing(&self) -> Standing {
        Standing {
            state: self.state,
            starts_at: self.starts_at,
            arrived_at: self.arrived_at,
            left: self.left,
            admitted_at: self.encounter.as_ref().map(|call| call.started_at),
            finished_at: self.encounter.as_ref().and_then(|call| call.finished_at),
            absent: self.absent,
        }
    }
}
