//! The demo: two clinics with people, schedules and visits of today.

use domain::{AppointmentId, Clock, Random, Role};
use jiff::Timestamp;
use service::postgres::Db;

/// What a start page or a script needs to begin where a person would.
#[derive(Clone, Default)]
pub struct Demo {
    /// Who may sign in.
    pub accounts: Vec<DemoAccount>,
    /// Today's visits that lie ahead, in order.
    pub visits: Vec<DemoVisit>,
}

/// Somebody who may sign in.
#[derive(Clone)]
pub struct DemoAccount {
    /// What they are.
    pub role: Role,
    /// Their clinic's name.
    pub clinic: String,
    /// Their name.
    pub name: String,
    /// Their e-mail address.
    pub email: String,
    /// Their password, the same at every start.
    pub password: String,
}

/// A visit of today.
#[derive(Clone)]
pub struct DemoVisit {
    /// Which; see [`visit_link`](crate::visit_link()) for its link.
    pub appointment: AppointmentId,
    /// The version of its link.
    pub link_version: i16,
    /// Its clinic's name.
    pub clinic: String,
    /// The patient's name.
    pub patient: String,
    /// `Dr Hannah Osei`.
    pub practitioner: String,
    /// When it begins.
    pub starts_at: Timestamp,
}

/// Makes the demo clinics when they are missing, and visits when none lies ahead today. A second call keeps everything.
///
/// `hash` turns a password into what `accounts.password_hash` holds (PHC string): the web crate knows how.
pub async fn demo(
    db: &Db,
    clock: &dyn Clock,
    random: &dyn Random,
    hash: &(dyn Fn(&str) -> String + Send + Sync),
) -> anyhow::Result<Demo> {
    todo!()
}
