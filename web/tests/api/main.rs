//! The API as programs meet it: through the router, against a real database.

mod booking;
mod description;
mod devices;
mod house;
mod lists;
mod problems;
mod tokens;
mod walls;
