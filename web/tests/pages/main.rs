//! The pages as people meet them: through the router, against a real database.

mod booking;
mod desk;
mod headers;
mod house;
mod looking;
mod rebooking;
mod schedules;
mod signing_in;
mod walls;
