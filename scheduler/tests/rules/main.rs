//! The clinic's rules, against a real Postgres: one file per thing that people do.
//!
//! `DATABASE_URL` names a superuser; each test gets a database of its own.

mod booking;
mod demo;
mod history;
mod house;
mod links;
mod messages;
mod migrations;
mod missed;
mod patients;
mod tokens;
mod visit;
mod walls;
