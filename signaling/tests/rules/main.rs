//! Signaling as pages meet it: real sockets, a real Postgres, a real Redis of our own, a real relay.
//!
//! `DATABASE_URL` names a superuser; each test gets a database of its own. `redis-server` must be on the PATH.

mod bounds;
mod bus;
mod chat;
mod document;
mod ending;
mod entering;
mod house;
mod media;
mod presence;
mod private_redis;
mod relays;
mod whip;
