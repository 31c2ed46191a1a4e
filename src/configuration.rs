//! `bedside config`: the environment, as `docs/operations.md` holds it.

use service::config;

/// Prints the table.
pub fn print() {
    print!("{}", config::table());
}
