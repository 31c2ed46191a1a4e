//! The null relay: receives, opens, seals and sends, and nothing else. What no relay can be cheaper than.
//!
//! A process of its own, so that it is pinned and counted like any other. There is no ICE and no DTLS in it: who is there, with
//! which keys, and to whom they are forwarded is told on its standard input.

pub mod control;
mod egress;
mod process;
mod seats;

pub use process::run;
