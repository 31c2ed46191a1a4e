//! Measures media relays: the same rooms, people and packets sent through each of them, in turns, in one run.
//!
//! [`target`] is a server that can be started and joined, [`targets`] those that are known; [`peer`] one transport of one
//! participant, which [`generator`] feeds and counts; [`figures`] what comes out.

pub mod figures;
pub mod generator;
pub mod peer;
pub mod target;
