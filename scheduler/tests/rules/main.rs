//! The clinic's rules, against a real Postgres: one file per thing that people do.
//!
//! `DATABASE_URL` names a superuser; each test gets a database of its own.

mod availability;
mod booking;
mod contention;
mod demo;
mod desk;
mod devices;
mod history;
mod holds;
mod house;
mod idempotency;
mod links;
mod messages;
mod migrations;
mod missed;
mod needs;
mod overbooking;
mod patients;
mod presence;
mod reading;
mod recomputing;
mod rescheduling;
mod self_booking;
mod series;
mod tokens;
mod versions;
mod visit;
mod waitlist;
mod walk_ins;
mod walls;
mod webhooks;
