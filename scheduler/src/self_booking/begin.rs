//! A time is chosen, and kept for whoever chose it.

use super::{KEPT_FOR, SelfBookingView, Visitor, actor, limits, open_link};
use crate::{
    HoldError, HoldRequest, hold, release_hold,
    tables::{self, self_bookings::Kept},
};
use domain::{ClinicId, Clock, PractitionerId, Random, SelfBookingId, VisitTypeId};
use jiff::{SignedDuration, Timestamp};
use service::{keys::SelfBookingKey, postgres::Db};

/// What somebody would like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    /// One of [`public_visit_types`](super::public_visit_types).
    pub visit_type: VisitTypeId,
    /// Who offers it.
    pub practitioner: PractitionerId,
    /// The start of a free slot.
    pub starts_at: Timestamp,
}

/// Why a time could not be kept.
#[derive(Debug, thiserror::Error)]
pub enum BeginError {
    /// Patients do not book this type by themselves, or nobody offers it any more.
    #[error("this visit is not booked by patients themselves")]
    NotOffered,
    /// Somebody else was faster.
    #[error("the time has just been taken")]
    Taken,
    /// It lies in the past, too soon or too far ahead, or outside of the practitioner's hours.
    #[error("this time is not offered")]
    NotAFreeTime,
    /// Too many times were held from there, or at this clinic.
    #[error("too many times were held")]
    TooMany,
    /// The link is not, or no longer, good.
    #[error("there is no such link")]
    NoSuchLink,
    /// Postgres failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Keeps a time for [`KEPT_FOR`]. `earlier` is what the same browser began before: its time is free again, and who was named
/// there stays.
pub async fn begin(
    db: &Db,
    clock: &dyn Clock,
    random: &dyn Random,
    visitor: Visitor<'_>,
    choice: Choice,
    earlier: Option<SelfBookingId>,
) -> Result<SelfBookingId, BeginError> {
    let clinic = visitor.clinic;
    let earlier = match earlier {
        Some(id) => super::find(db, clinic, id).await?.filter(|view| view.appointment.is_none()),
        None => None,
    };
    let kept = keep(db, clock, random, visitor, choice, earlier.as_ref()).await?;
    let mut tx = db.begin(&actor(clinic)).await?;
    let id = match earlier {
        Some(view) => {
            tables::self_bookings::keep(&mut tx, clinic, view.id, &kept).await?;
            view.id
        }
        None => {
            let id = SelfBookingId(random.uuid());
            tables::self_bookings::add(&mut tx, clinic, id, &kept, clock.now()).await?;
            id
        }
    };
    tx.commit().await?;
    Ok(id)
}

/// Keeps another time for whoever was sent a link, when the one it names is over.
pub async fn choose_again(
    db: &Db,
    clock: &dyn Clock,
    random: &dyn Random,
    key: &SelfBookingKey,
    token: &str,
    from: &str,
    choice: Choice,
) -> Result<(), BeginError> {
    let view = open_link(db, key, token).await?.ok_or(BeginError::NoSuchLink)?;
    if view.appointment.is_some() {
        return Err(BeginError::NoSuchLink);
    }
    let visitor = Visitor { clinic: view.clinic, from };
    let kept = keep(db, clock, random, visitor, choice, Some(&view)).await?;
    let mut tx = db.begin(&actor(view.clinic)).await?;
    tables::self_bookings::keep(&mut tx, view.clinic, view.id, &kept).await?;
    tx.commit().await?;
    Ok(())
}

async fn keep(
    db: &Db,
    clock: &dyn Clock,
    random: &dyn Random,
    visitor: Visitor<'_>,
    choice: Choice,
    earlier: Option<&SelfBookingView>,
) -> Result<Kept, BeginError> {
    let Visitor { clinic, from } = visitor;
    let by = actor(clinic);
    let mut tx = db.begin(&by).await?;
    let visit_type = tables::visit_types::find(&mut tx, clinic, choice.visit_type).await?;
    let visit_type = visit_type.filter(|one| one.is_public).ok_or(BeginError::NotOffered)?;
    if limits::is_hold_too_many(&mut tx, clinic, from, clock.now()).await? {
        tracing::warn!("too many times were held for patients who book themselves");
        return Err(BeginError::TooMany);
    }
    tx.commit().await?;
    // First, so that the same time, or one that overlaps with it, can be chosen again.
    if let Some(hold) = earlier.and_then(|view| view.hold) {
        release_hold(db, &by, hold).await?;
    }
    let held = take(db, clock, random, clinic, choice).await?;
    Ok(Kept {
        visit_type: choice.visit_type,
        practitioner: choice.practitioner,
        starts_at: choice.starts_at,
        ends_at: choice.starts_at + SignedDuration::from_mins(visit_type.minutes.into()),
        hold: held.id,
        until: held.expires_at,
    })
}

/// The hold itself.
pub(super) async fn take(
    db: &Db,
    clock: &dyn Clock,
    random: &dyn Random,
    clinic: ClinicId,
    choice: Choice,
) -> Result<crate::HoldView, BeginError> {
    let Choice { visit_type, practitioner, starts_at } = choice;
    let request = HoldRequest { practitioner, visit_type, starts_at, patient: None };
    Ok(hold(db, clock, random, &actor(clinic), request, KEPT_FOR).await?)
}

impl From<HoldError> for BeginError {
    fn from(refusal: HoldError) -> Self {
        match refusal {
            HoldError::SlotTaken => Self::Taken,
            HoldError::TooManyHolds => Self::TooMany,
            HoldError::NotOffered | HoldError::NoSuchPractitioner => Self::NotOffered,
            HoldError::Database(error) => Self::Database(error),
            _ => Self::NotAFreeTime,
        }
    }
}
