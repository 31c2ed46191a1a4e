//! What every process does the same way: configuration, telemetry, health, shutdown, Postgres, Redis, audit.

#[cfg(feature = "postgres")]
pub mod audit;
#[cfg(feature = "redis")]
pub mod bus;
pub mod clock;
pub mod config;
pub mod health;
pub mod ice_servers;
pub mod keys;
#[cfg(feature = "postgres")]
pub mod postgres;
pub mod random;
pub mod secrets;
pub mod shutdown;
pub mod telemetry;
