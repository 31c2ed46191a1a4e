//! Journeys: what people do at the front door of Bedside, one file per behaviour.

mod booking;
mod consultation;
mod doctor;
mod flushed_redis;
mod holds;
mod join_token;
mod link;
mod log_redaction;
mod not_admitted;
mod outside_clients;
mod processes;
mod support;
mod two_bookings;
mod two_clinics;
mod waiting_queue;
mod waiting_room;
