//! Patients are told once, of what holds, whatever fails in between.

mod carriers;
mod catching_up;
mod invitations;
mod moving;
mod once;
mod secrecy;
mod series;
mod told;
