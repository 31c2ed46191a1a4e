//! A freed time goes from one to the next until somebody takes it.

use crate::{
    availability::{self, Starts},
    book::BookError,
    events::{self, EventKind},
    reserve::{self, Wish},
    tables::{
        self,
        holds::New as NewHold,
        reservations::{Owner, Resource},
        waitlist_entries::Entry,
        waitlist_offers::New as NewOffer,
    },
};
use domain::{Actor, Clock, HoldId, PractitionerId, WaitlistOfferId, WaitlistOfferState};
use jiff::{SignedDuration, Timestamp};
use service::{
    audit::{self, AuditEvent},
    postgres::Db,
};
use sqlx::PgConnection;

/// An answer is waited for during this part of the time until the visit, within the two bounds below: whoever is asked
/// next needs time, too.
const PART_OF_TIME_LEFT: i32 = 4;

/// The shortest an answer is waited for. A time that begins before twice as long has passed is not offered any more.
const SHORTEST: SignedDuration = SignedDuration::from_mins(15);

/// The longest an answer is waited for.
const LONGEST: SignedDuration = SignedDuration::from_hours(4);

/// The most offers that one round ends, so that it stays short.
const BATCH: i64 = 100;

/// A time that came free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Freed {
    pub(crate) practitioner: PractitionerId,
    pub(crate) starts_at: Timestamp,
}

/// An offer that was made. It is recorded after everything else is written.
#[derive(Debug)]
#[must_use]
pub(crate) struct Offered {
    entry: Entry,
    offer: WaitlistOfferId,
}

impl Offered {
    /// Writes it into the history, and tells programs.
    pub(crate) async fn record(self, connection: &mut PgConnection, by: &Actor) -> Result<(), sqlx::Error> {
        audit::record(connection, by, AuditEvent::new("offer.made").patient(self.entry.patient)).await?;
        events::record_waitlist(connection, by, EventKind::WaitlistOffered, self.entry.id, Some(self.offer)).await
    }
}

/// Offers a freed time to the first who waits for such a one, if anybody does. The locks of the practitioner must be held. Says
/// what to record, after everything else is written.
pub(crate) async fn freed(
    connection: &mut PgConnection,
    now: Timestamp,
    by: &Actor,
    time: Freed,
) -> Result<Option<Offered>, sqlx::Error> {
    let left = time.starts_at.duration_since(now);
    if left < SHORTEST * 2 {
        return Ok(None);
    }
    let zone = tables::clinics::get(connection, by.clinic).await?.zone;
    let wall_time = time.starts_at.to_zoned(zone).datetime();
    let Freed { practitioner, starts_at } = time;
    let candidates =
        tables::waitlist_entries::lock_candidates(connection, by.clinic, practitioner, starts_at, wall_time).await?;
    for entry in candidates {
        if let Some(offer) = try_offer(connection, now, by, time, entry).await? {
            return Ok(Some(Offered { entry, offer }));
        }
    }
    Ok(None)
}

/// Holds the time for somebody and offers it, if they can have it.
async fn try_offer(
    connection: &mut PgConnection,
    now: Timestamp,
    by: &Actor,
    time: Freed,
    entry: Entry,
) -> Result<Option<WaitlistOfferId>, sqlx::Error> {
    let Freed { practitioner, starts_at } = time;
    let Ok(offered) = or_refusal(
        availability::offers(
            connection,
            by.clinic,
            practitioner,
            entry.visit_type,
            (starts_at, Starts::AnyMinute),
            now,
        )
        .await
        .map_err(BookError::from),
    )?
    else {
        return Ok(None);
    };
    let wish = Wish::new(&offered);
    // Whether the patient is free is seen again when they accept; here it only saves asking in vain.
    let with_patient = Wish { patient: Some(entry.patient), ..wish.clone() };
    if or_refusal(reserve::arrange(connection, by.clinic, &with_patient).await)?.is_err() {
        return Ok(None);
    }
    let Ok(reservations) = or_refusal(reserve::arrange(connection, by.clinic, &wish).await)? else {
        return Ok(None);
    };
    let ends_at = offered.slot.ends_at;
    let hold = NewHold {
        id: HoldId(tables::holds::new_id(connection).await?),
        practitioner,
        visit_type: entry.visit_type,
        starts_at,
        ends_at,
        patient: Some(entry.patient),
        held_by: None,
    };
    let left = starts_at.duration_since(now);
    let lifetime = (left / PART_OF_TIME_LEFT).clamp(SHORTEST, LONGEST);
    let expires_at = tables::holds::add(connection, by.clinic, &hold, lifetime).await?;
    tables::reservations::add(connection, by.clinic, Owner::Hold(hold.id), &reservations).await?;
    let id = WaitlistOfferId(tables::holds::new_id(connection).await?);
    let offer =
        NewOffer { id, entry: entry.id, practitioner, starts_at, ends_at, hold: hold.id, offered_at: now, expires_at };
    tables::waitlist_offers::add(connection, by.clinic, &offer).await?;
    Ok(Some(id))
}

/// A refusal is an answer; a failure of the database is not.
fn or_refusal<T>(result: Result<T, BookError>) -> Result<Result<T, BookError>, sqlx::Error> {
    match result {
        Err(BookError::Database(error)) => Err(error),
        other => Ok(other),
    }
}

/// Ends an open offer and passes the time on; whether it was open. Takes the practitioner's locks first.
pub(super) async fn close(
    connection: &mut PgConnection,
    now: Timestamp,
    by: &Actor,
    id: WaitlistOfferId,
    practitioner: PractitionerId,
    state: WaitlistOfferState,
) -> Result<bool, sqlx::Error> {
    tables::reservations::lock(connection, &[Resource::Practitioner(practitioner)]).await?;
    let offer = tables::waitlist_offers::lock(connection, by.clinic, id).await?;
    let Some(offer) = offer.filter(|one| one.state == WaitlistOfferState::Open) else {
        return Ok(false);
    };
    if state == WaitlistOfferState::Expired && !offer.is_over {
        return Ok(false);
    }
    tables::waitlist_offers::end(connection, by.clinic, id, state).await?;
    if let Some(hold) = offer.hold {
        tables::holds::end(connection, by.clinic, &[hold]).await?;
    }
    let next = freed(connection, now, by, Freed { practitioner, starts_at: offer.starts_at.to_jiff() }).await?;
    let (action, kind) = match state {
        WaitlistOfferState::Declined => ("offer.declined", Some(EventKind::WaitlistDeclined)),
        // That they wait no longer is told of the entry.
        WaitlistOfferState::Withdrawn => ("offer.withdrawn", None),
        _ => ("offer.expired", Some(EventKind::WaitlistExpired)),
    };
    audit::record(connection, by, AuditEvent::new(action).patient(offer.patient)).await?;
    if let Some(kind) = kind {
        events::record_waitlist(connection, by, kind, offer.entry, Some(id)).await?;
    }
    if let Some(next) = next {
        next.record(connection, by).await?;
    }
    Ok(true)
}

/// One round of the clinic's waitlist: offers without an answer fall through and go to the next, and whoever wanted to come on
/// days that have passed waits no longer. Says how many offers fell through, at most a hundred.
pub async fn pass_on(db: &Db, clock: &dyn Clock, by: &Actor) -> Result<usize, sqlx::Error> {
    let over = tables::waitlist_offers::over(&mut *db.begin(by).await?, by.clinic, BATCH).await?;
    let mut count = 0;
    for (id, practitioner) in over {
        let mut tx = db.begin(by).await?;
        if close(&mut tx, clock.now(), by, id, practitioner, WaitlistOfferState::Expired).await? {
            count += 1;
        }
        tx.commit().await?;
    }
    let mut tx = db.begin(by).await?;
    let zone = tables::clinics::get(&mut tx, by.clinic).await?.zone;
    tables::waitlist_entries::expire(&mut tx, by.clinic, clock.now().to_zoned(zone).date()).await?;
    tx.commit().await?;
    Ok(count)
}
