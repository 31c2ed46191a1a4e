//! The practitioner ends the visit.

use crate::{
    admit::is_theirs,
    events::{self, EventKind},
    tables,
};
use domain::{Actor, Clock, EncounterId};
use service::{
    audit::{self, AuditEvent},
    postgres::Db,
};

/// Why an encounter was not finished.
#[derive(Debug, thiserror::Error)]
pub enum FinishError {
    /// Not an encounter of this clinic.
    #[error("there is no such encounter")]
    NotFound,
    /// The encounter is another practitioner's.
    #[error("the encounter is another practitioner's")]
    NotYours,
    /// It was finished before.
    #[error("the encounter is finished already")]
    AlreadyFinished,
    /// Postgres failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Finishes an encounter: no join token opens its room any more.
pub async fn finish(db: &Db, clock: &dyn Clock, by: &Actor, encounter: EncounterId) -> Result<(), FinishError> {
    let mut tx = db.begin(by).await?;
    let open = tables::encounters::lock(&mut tx, by.clinic, encounter).await?.ok_or(FinishError::NotFound)?;
    if !is_theirs(&mut tx, by, open.practitioner).await? {
        return Err(FinishError::NotYours);
    }
    let finished = open.state.finish().map_err(|_| FinishError::AlreadyFinished)?;
    tables::encounters::finish(&mut tx, by.clinic, encounter, finished, clock.now()).await?;
    let event = AuditEvent::new("encounter.finished").encounter(encounter).appointment(open.appointment);
    audit::record(&mut tx, by, event.patient(open.patient)).await?;
    events::record(&mut tx, by, EventKind::Finished, open.appointment).await?;
    tx.commit().await?;
    Ok(())
}
