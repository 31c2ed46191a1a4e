//! Time as an argument.

use jiff::Timestamp;

/// Where the present comes from. Processes pass the system's clock, tests one that they advance.
pub trait Clock: Send + Sync {
    /// The present instant.
    fn now(&self) -> Timestamp;
}
