//! The SQL, one file per table: plain functions that take the connection first, then the clinic, then the rest.
//!
//! Row-level security would hide other clinics' rows anyway; each query names the clinic all the same.

pub(crate) mod accounts;
pub(crate) mod api_tokens;
pub(crate) mod appointments;
pub(crate) mod audit_events;
pub(crate) mod clinics;
pub(crate) mod deliveries;
pub(crate) mod desk_visits;
pub(crate) mod encounters;
pub(crate) mod events;
pub(crate) mod facts;
pub(crate) mod grounds;
pub(crate) mod holds;
pub(crate) mod idempotency_keys;
pub(crate) mod join_tokens;
pub(crate) mod mailbox;
pub(crate) mod outbox;
pub(crate) mod participants;
pub(crate) mod patients;
pub(crate) mod practitioners;
pub(crate) mod presences;
pub(crate) mod reservations;
pub(crate) mod resources;
pub(crate) mod schedule_exceptions;
pub(crate) mod schedules;
pub(crate) mod seats;
pub(crate) mod self_booking_attempts;
pub(crate) mod self_bookings;
pub(crate) mod series;
pub(crate) mod sessions;
pub(crate) mod views;
pub(crate) mod visit_sessions;
pub(crate) mod visit_types;
pub(crate) mod waitlist_entries;
pub(crate) mod waitlist_offers;
pub(crate) mod webhooks;
