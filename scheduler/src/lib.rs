//! Appointments and the passing of time: one file per thing that a person, or the clock, does.
//!
//! Each use-case opens one transaction on behalf of somebody, asks `domain` whether the step is possible, writes through
//! `tables/`, records the audit event last, and commits. `web` and `signaling` call these as functions.

pub mod admit;
pub mod api_tokens;
pub mod appointment;
pub mod arrive;
mod attention;
pub mod availability;
mod back_off;
pub mod book;
pub mod cancel;
pub mod change_schedule;
pub mod clinic;
pub mod confirm;
pub mod day;
pub mod demo;
pub mod desk;
pub mod device_tokens;
pub mod events;
pub mod facts;
pub mod finish;
pub mod history;
pub mod hold;
pub mod idempotency;
pub mod join_tokens;
pub mod messages;
pub mod missed;
pub mod patients;
pub mod presence;
pub mod preview_schedule;
pub mod public_page;
pub mod recompute_times;
pub mod reschedule;
mod reserve;
pub mod resources;
pub mod room;
pub mod run;
pub mod schedules;
pub mod seat;
pub mod self_booking;
pub mod send_link;
pub mod series;
mod signed_link;
mod tables;
pub mod undo_missed;
pub mod views;
pub mod visit_link;
pub mod visit_sessions;
pub mod visit_types;
pub mod waitlist;
pub mod walk_in;
pub mod webhooks;

pub use admit::{AdmitError, admit};
pub use api_tokens::{
    ApiCaller, ApiTokenError, ApiTokenView, NewApiToken, api_caller, api_tokens, create_api_token, revoke_api_token,
};
pub use appointment::{appointment, consultation, glance, practitioner_of, practitioners_of};
pub use arrive::{ArriveError, arrive, arrive_if};
pub use attention::{DeskCounts, UnreachedVisit, desk_counts, unreached_visits};
pub use availability::{Besides, Exception, FindSlotsError, OpenSlot, Rule, SlotSearch, Starts, find_slots, hours};
pub use book::{BookError, BookRequest, Needs, book};
pub use cancel::{Cancel, CancelError, cancel};
pub use change_schedule::{ChangeScheduleError, ScheduleChange, change_schedule};
pub use clinic::{clinic, practitioners};
pub use confirm::{ConfirmError, confirm};
pub use day::day;
pub use desk::{DeskFor, DeskOf, DeskView, DeskVisit, FreeTime, HeldTime, MAX_DESK_COLUMNS, desk};
pub use device_tokens::{DeviceTokenError, MAX_DEVICE_NAME, MAX_DEVICES, mint_for_device};
pub use events::{EventKind, EventView, events};
pub use facts::{
    AppointmentFacts, AppointmentFilter, PatientPlace, appointment_facts, list_appointments, list_patients,
    open_appointment,
};
pub use finish::{FinishError, finish};
pub use history::{AuditView, HistoryCheck, history, verify_history};
pub use hold::{HoldError, HoldRequest, HoldView, hold, release_hold};
pub use idempotency::{IdempotencyKey, keep_answer};
pub use messages::{Carriers, Delivery, Links, Mailer, Texts, deliveries, mailbox};
pub use patients::{AddPatientError, NewPatient, add_patient, appointments_of, find_patients, patient, patient_zone};
pub use presence::{Place, Presence, Present, in_consultation, presences};
pub use preview_schedule::{DayPreview, PractitionerPreview, SchedulePreview, preview_schedule};
pub use recompute_times::{Recomputed, recompute_all, recompute_times};
pub use reschedule::{Reschedule, RescheduleError, reschedule};
pub use resources::resources;
pub use room::{RoomParticipant, next_room_epoch, reconnect, room_participants};
pub use run::{SchedulerConfig, run};
pub use schedules::{ScheduleView, Schedules, schedules};
pub use seat::{Seat, leave_seat, report_readiness, seen};
pub use send_link::{SendLinkError, send_link};
pub use series::{
    BookSeriesError, SeriesBooked, SeriesConflict, SeriesRequest, SeriesView, SeriesVisit, book_series, series,
};
pub use undo_missed::{UndoMissedError, undo_missed};
pub use views::{
    Absent, AppointmentView, ClinicView, EncounterView, PatientView, PractitionerView, Readiness, ResourceKind,
    ResourceView, ScheduleExceptionView, Standing, VisitTypeName, VisitTypeView, Visits,
};
pub use visit_link::{open_visit, visit_link};
pub use visit_types::{
    SaveVisitTypeError, VisitTypeErrors, VisitTypeFields, retire_visit_type, save_visit_type, visit_types,
};
pub use waitlist::{
    AcceptOfferError, AddToWaitlistError, DeclineOfferError, WaitlistEntryView, WaitlistOfferView, WaitlistRequest,
    accept_offer, add_to_waitlist, decline_offer, offer, offer_link, open_offer, waitlist, withdraw_from_waitlist,
};
pub use walk_in::{WalkIn, WalkInError, walk_in};
pub use webhooks::{
    DeliveryView, NewWebhook, TargetError, WebhookError, WebhookSender, WebhookView, create_webhook, disable_webhook,
    webhook_deliveries, webhooks,
};
