//! The pages as people meet them: through the router, against a real database.

mod answers;
mod bad_input;
mod booking;
mod desk;
mod headers;
mod house;
mod ice_servers;
mod looking;
mod messages;
mod public_page;
mod rebooking;
mod schedules;
mod self_booking;
mod signing_in;
mod waitlist;
mod walls;
