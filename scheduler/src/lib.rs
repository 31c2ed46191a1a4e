//! Appointments and the passing of time: one file per thing that a person, or the clock, does.
//!
//! Each use-case opens one transaction on behalf of somebody, asks `domain` whether the step is possible, writes through
//! `tables/`, records the audit event last, and commits. `web` and `signaling` call these as functions.

pub mod admit;
pub mod appointment;
pub mod arrive;
pub mod availability;
pub mod book;
pub mod cancel;
pub mod clinic;
pub mod day;
pub mod demo;
pub mod finish;
pub mod history;
pub mod join_tokens;
pub mod messages;
pub mod missed;
pub mod patients;
pub mod room;
pub mod run;
pub mod seat;
pub mod send_link;
mod tables;
pub mod views;
pub mod visit_link;
pub mod visit_sessions;
pub mod visit_types;

pub use admit::{AdmitError, admit};
pub use appointment::{appointment, consultation, glance};
pub use arrive::{ArriveError, arrive};
pub use availability::{OpenSlot, Slot, free_slots, next_day_with_free_slot};
pub use book::{BookError, BookRequest, book};
pub use cancel::{CancelError, cancel};
pub use clinic::{clinic, practitioners};
pub use day::day;
pub use finish::{FinishError, finish};
pub use history::{AuditView, HistoryCheck, history, verify_history};
pub use messages::{Carriers, Delivery, Links, Mailer, Texts, Unreached, deliveries, mailbox, not_delivered};
pub use patients::{AddPatientError, NewPatient, add_patient, find_patients, patient};
pub use room::{RoomParticipant, next_room_epoch, reconnect, room_participants};
pub use run::{SchedulerConfig, run};
pub use seat::{Seat, leave_seat, report_readiness, seen};
pub use send_link::{SendLinkError, send_link};
pub use views::{AppointmentView, ClinicView, EncounterView, PatientView, PractitionerView, Readiness, VisitTypeView};
pub use visit_link::{open_visit, visit_link};
pub use visit_types::visit_types;
