//! The receptionist changes when practitioners work.

use crate::{
    availability::{Exception, Rule},
    tables,
    views::ScheduleExceptionView,
};
use domain::{Actor, Clock, PractitionerId, Random, Role, ScheduleExceptionId, ScheduleRuleId, Who};
use serde_json::json;
use service::{
    audit::{self, AuditEvent},
    postgres::Db,
};
use sqlx::PgConnection;

/// One change of the schedules: something new, something else in place of what was, or nothing in its place.
#[derive(Debug, Clone)]
pub enum ScheduleChange {
    /// Weekly rules of a practitioner.
    Rules {
        /// Whose.
        practitioner: PractitionerId,
        /// In place of this one.
        replaces: Option<ScheduleRuleId>,
        /// From now on.
        with: Vec<Rule>,
    },
    /// Leave, extra hours, or a holiday of the clinic.
    Exception {
        /// Whose; none is the whole clinic.
        practitioner: Option<PractitionerId>,
        /// In place of this one.
        replaces: Option<ScheduleExceptionId>,
        /// When, and why.
        with: Option<(Exception, String)>,
    },
}

/// Why a schedule was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeScheduleError {
    /// Only the desk changes schedules.
    #[error("only the desk changes schedules")]
    NotAllowed,
    /// Not a practitioner of this clinic.
    #[error("there is no such practitioner")]
    NoSuchPractitioner,
    /// What was to be replaced is not there any more.
    #[error("somebody else has changed it meanwhile")]
    Gone,
    /// Postgres failed.
    #[error(transparent)]
    Database(sqlx::Error),
}

impl From<sqlx::Error> for ChangeScheduleError {
    fn from(error: sqlx::Error) -> Self {
        // The tables say so when what was to be removed is not there.
        if matches!(error, sqlx::Error::RowNotFound) { Self::Gone } else { Self::Database(error) }
    }
}

/// Changes the schedule. What is booked stays booked, wherever it now lies.
pub async fn change_schedule(
    db: &Db,
    clock: &dyn Clock,
    random: &dyn Random,
    by: &Actor,
    change: ScheduleChange,
) -> Result<(), ChangeScheduleError> {
    if !runs_the_desk(by) {
        return Err(ChangeScheduleError::NotAllowed);
    }
    let mut tx = db.begin(by).await?;
    let practitioner = match &change {
        ScheduleChange::Rules { practitioner, .. } => Some(*practitioner),
        ScheduleChange::Exception { practitioner, .. } => *practitioner,
    };
    if let Some(id) = practitioner
        && !tables::practitioners::exists(&mut tx, by.clinic, id).await?
    {
        return Err(ChangeScheduleError::NoSuchPractitioner);
    }
    let what = match change {
        ScheduleChange::Rules { practitioner, replaces, with } => {
            write_rules(&mut tx, random, by, practitioner, replaces, &with).await?;
            "weekly hours"
        }
        ScheduleChange::Exception { practitioner, replaces, with } => {
            write_exception(&mut tx, clock, random, by, practitioner, replaces, with).await?;
            if practitioner.is_some() { "leave or extra hours" } else { "holiday" }
        }
    };
    // The reason of a leave may say more than the history should: it stays with the leave.
    let detail = json!({ "practitioner": practitioner, "what": what });
    audit::record(&mut tx, by, AuditEvent::new("schedule.changed").detail(detail)).await?;
    tx.commit().await?;
    Ok(())
}

/// Receptionists, administrators, and programs that act as them.
pub(crate) fn runs_the_desk(by: &Actor) -> bool {
    let role: Option<Role> = match by.who {
        Who::Account { role, .. } | Who::ApiToken { role, .. } => Some(role),
        Who::Patient { .. } | Who::Service(_) => None,
    };
    role.is_some_and(Role::may_run_the_desk)
}

async fn write_rules(
    connection: &mut PgConnection,
    random: &dyn Random,
    by: &Actor,
    practitioner: PractitionerId,
    replaces: Option<ScheduleRuleId>,
    with: &[Rule],
) -> Result<(), sqlx::Error> {
    if let Some(id) = replaces {
        tables::schedules::remove(connection, by.clinic, id, practitioner).await?;
    }
    for rule in with {
        tables::schedules::add(connection, by.clinic, ScheduleRuleId(random.uuid()), practitioner, rule).await?;
    }
    Ok(())
}

async fn write_exception(
    connection: &mut PgConnection,
    clock: &dyn Clock,
    random: &dyn Random,
    by: &Actor,
    practitioner: Option<PractitionerId>,
    replaces: Option<ScheduleExceptionId>,
    with: Option<(Exception, String)>,
) -> Result<(), sqlx::Error> {
    if let Some(id) = replaces {
        tables::schedule_exceptions::remove(connection, by.clinic, id, practitioner).await?;
    }
    if let Some((exception, reason)) = with {
        let new = ScheduleExceptionView { id: ScheduleExceptionId(random.uuid()), practitioner, reason, exception };
        tables::schedule_exceptions::add(connection, by.clinic, &new, clock.now()).await?;
    }
    Ok(())
}
