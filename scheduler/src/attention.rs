//! What waits for the desk: how many would come sooner, and whom no message reached.

use crate::{
    messages::{MessageKind, delivery},
    tables,
    views::AppointmentView,
};
use domain::{Actor, ClinicId, Clock, Who};
use jiff::Timestamp;
use service::postgres::Db;
use sqlx::PgConnection;

/// An appointment whose patient does not know of it, or of its end, and what did not reach them: nothing for who has no address.
pub type UnreachedVisit = (AppointmentView, Option<MessageKind>);

/// How much of it there is, for the header of every page of the desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DeskCounts {
    /// How many are on the waitlist.
    pub waitlist: usize,
    /// How many patients of the coming days no message reached; see [`unreached_visits`].
    pub unreached: usize,
}

/// How much waits for the desk. Nothing for a patient.
pub async fn desk_counts(db: &Db, clock: &dyn Clock, by: &Actor) -> Result<DeskCounts, sqlx::Error> {
    if matches!(by.who, Who::Patient { .. }) {
        return Ok(DeskCounts::default());
    }
    let mut tx = db.begin(by).await?;
    let unreached = delivery::unreached(&mut tx, by.clinic, clock.now()).await?.len();
    Ok(DeskCounts { waitlist: waitlist(&mut tx, by.clinic).await?, unreached })
}

/// Whom the desk should ring, since no message reached them: their visit is within a week, and the newest word about it failed on
/// every way, waits for a quarter of an hour, or had nowhere to go. In the order of their visits, and counted with what
/// else waits. Nothing for a patient.
pub async fn unreached_visits(
    db: &Db,
    clock: &dyn Clock,
    by: &Actor,
) -> Result<(Vec<UnreachedVisit>, DeskCounts), sqlx::Error> {
    if matches!(by.who, Who::Patient { .. }) {
        return Ok((Vec::new(), DeskCounts::default()));
    }
    let mut tx = db.begin(by).await?;
    let (visits, unreached) = unreached(&mut tx, by.clinic, clock.now(), usize::MAX).await?;
    Ok((visits, DeskCounts { waitlist: waitlist(&mut tx, by.clinic).await?, unreached }))
}

pub(crate) async fn waitlist(connection: &mut PgConnection, clinic: ClinicId) -> Result<usize, sqlx::Error> {
    Ok(usize::try_from(tables::waitlist_entries::count(connection, clinic).await?).unwrap_or_default())
}

/// The first so many, and how many there are.
pub(crate) async fn unreached(
    connection: &mut PgConnection,
    clinic: ClinicId,
    now: Timestamp,
    most: usize,
) -> Result<(Vec<UnreachedVisit>, usize), sqlx::Error> {
    let mut unreached = delivery::unreached(connection, clinic, now).await?;
    let all = unreached.len();
    unreached.truncate(most);
    let ids: Vec<_> = unreached.iter().map(|one| one.appointment).collect();
    let views = tables::views::these(connection, clinic, &ids).await?;
    let kind = |id| unreached.iter().find(|one| one.appointment == id).and_then(|one| one.kind);
    let visits = views.into_iter().map(|view| {
        let kind = kind(view.id);
        (view, kind)
    });
    Ok((visits.collect(), all))
}
