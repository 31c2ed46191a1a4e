//! Everything that a visit needs, reserved together or not at all.
//!
//! Who reserves goes through the same three steps in one transaction: [`lock`] all that may be needed, in one order;
//! [`arrange`] what is free of it; write it. The order of locks over all use-cases is: rows of appointments by id, these
//! locks, rows of the waitlist, the audit trail.

use crate::{
    availability::Offer,
    book::BookError,
    tables::{
        self,
        reservations::{LAST_LANE, NO_OVERLAP, Owner, Reservation, Resource, Taken},
    },
};
use domain::{ClinicId, PatientId, PractitionerId, ResourceId};
use jiff::Timestamp;
use service::postgres::refused_by;
use sqlx::PgConnection;
use uuid::Uuid;

/// What one visit needs, and when.
#[derive(Debug, Clone)]
pub(crate) struct Wish {
    pub(crate) practitioner: PractitionerId,
    /// `None` for a hold before somebody is named.
    pub(crate) patient: Option<PatientId>,
    /// The visit itself: the time of everybody but the practitioner.
    pub(crate) visit: (Timestamp, Timestamp),
    /// The visit with what is kept free around it: the practitioner's time.
    pub(crate) buffered: (Timestamp, Timestamp),
    /// Any one of these, the first that is free. `None` when the visit needs no interpreter.
    pub(crate) interpreters: Option<Vec<ResourceId>>,
    pub(crate) room: Option<ResourceId>,
    pub(crate) device: Option<ResourceId>,
    /// Beside another visit of the practitioner, if their own time is taken.
    pub(crate) may_overbook: bool,
}

impl Wish {
    /// A practitioner's time, and nothing else yet.
    pub(crate) fn new(offer: &Offer) -> Self {
        Self {
            practitioner: offer.slot.practitioner,
            patient: None,
            visit: (offer.slot.starts_at, offer.slot.ends_at),
            buffered: offer.visit_type.occupies(offer.slot.starts_at),
            interpreters: None,
            room: None,
            device: None,
            may_overbook: false,
        }
    }

    /// Whatever may have to be reserved.
    fn resources(&self) -> impl Iterator<Item = Resource> {
        let interpreters = self.interpreters.iter().flatten().copied().map(Resource::Interpreter);
        [Resource::Practitioner(self.practitioner)]
            .into_iter()
            .chain(self.patient.map(Resource::Patient))
            .chain(self.room.map(Resource::Room))
            .chain(self.device.map(Resource::Device))
            .chain(interpreters)
    }

    fn reservation(&self, resource: Resource, lane: i16) -> Reservation {
        let (from, to) = if matches!(resource, Resource::Practitioner(_)) { self.buffered } else { self.visit };
        Reservation { resource, lane, from, to }
    }
}

/// Locks whatever these wishes may need until the transaction ends. Once in a transaction, before it reserves anything.
pub(crate) async fn lock<'a>(
    connection: &mut PgConnection,
    wishes: impl IntoIterator<Item = &'a Wish>,
) -> Result<(), sqlx::Error> {
    lock_with(connection, wishes, []).await
}

/// Locks whatever these wishes may need, and whose time comes free.
pub(crate) async fn lock_with<'a>(
    connection: &mut PgConnection,
    wishes: impl IntoIterator<Item = &'a Wish>,
    freed: impl IntoIterator<Item = PractitionerId>,
) -> Result<(), sqlx::Error> {
    let wanted = wishes.into_iter().flat_map(Wish::resources);
    let resources: Vec<Resource> = wanted.chain(freed.into_iter().map(Resource::Practitioner)).collect();
    tables::reservations::lock(connection, &resources).await
}

/// Refuses a wish of which so much is taken already, seen before anything is locked.
///
/// When many want one slot, all but the first few learn here that it is gone, and stand in nobody's way.
pub(crate) fn refuse_lost(wish: &Wish, taken: &[Uuid]) -> Result<(), BookError> {
    let taken = wish.resources().filter(|one| taken.contains(&one.id()));
    let taken: Vec<_> = taken.map(|resource| Taken { resource, lane: 0, expired_hold: None }).collect();
    choose(wish, &taken).map(drop)
}

/// Finds what a wish takes of what is free, or what stands in its way. Expired holds in its way are ended.
///
/// Everything it may need must be locked: then what is free now is free until the transaction ends.
pub(crate) async fn arrange(
    connection: &mut PgConnection,
    clinic: ClinicId,
    wish: &Wish,
) -> Result<Vec<Reservation>, BookError> {
    let wanted: Vec<Reservation> = wish.resources().map(|resource| wish.reservation(resource, 0)).collect();
    let mut taken = tables::reservations::taken(connection, clinic, &wanted).await?;
    let expired: Vec<_> = taken.iter().filter_map(|one| one.expired_hold).collect();
    if !expired.is_empty() {
        tables::holds::end(connection, clinic, &expired).await?;
        taken.retain(|one| one.expired_hold.is_none());
    }
    choose(wish, &taken)
}

/// Writes what was arranged.
pub(crate) async fn write(
    connection: &mut PgConnection,
    clinic: ClinicId,
    owner: Owner,
    reservations: &[Reservation],
) -> Result<(), BookError> {
    tables::reservations::add(connection, clinic, owner, reservations).await.map_err(refused)
}

/// Says what the exclusion constraint refused: something that somebody reserved past the locks. It does not say what, since
/// under row-level security Postgres names no values.
pub(crate) fn refused(error: sqlx::Error) -> BookError {
    if refused_by(&error) == Some(NO_OVERLAP) { BookError::SlotTaken } else { error.into() }
}

/// The lane of a practitioner among what was arranged: 0 for their own time.
pub(crate) fn lane(reservations: &[Reservation]) -> i16 {
    reservations.iter().map(|one| one.lane).max().unwrap_or(0)
}

/// The reservations of a wish where so much is taken already.
fn choose(wish: &Wish, taken: &[Taken]) -> Result<Vec<Reservation>, BookError> {
    let is_free = |resource: Resource, lane: i16| !taken.iter().any(|one| one.resource == resource && one.lane == lane);
    let practitioner = Resource::Practitioner(wish.practitioner);
    let last = if wish.may_overbook { LAST_LANE } else { 0 };
    let lane = (0..=last).find(|lane| is_free(practitioner, *lane)).ok_or(BookError::SlotTaken)?;
    let mut chosen = vec![wish.reservation(practitioner, lane)];
    let others = [
        (wish.patient.map(Resource::Patient), BookError::PatientBusy),
        (wish.room.map(Resource::Room), BookError::RoomTaken),
        (wish.device.map(Resource::Device), BookError::DeviceTaken),
    ];
    for (resource, refusal) in others {
        let Some(resource) = resource else { continue };
        if !is_free(resource, 0) {
            return Err(refusal);
        }
        chosen.push(wish.reservation(resource, 0));
    }
    if let Some(interpreters) = &wish.interpreters {
        let mut interpreters = interpreters.iter().copied().map(Resource::Interpreter);
        let free = interpreters.find(|one| is_free(*one, 0)).ok_or(BookError::NoInterpreterFree)?;
        chosen.push(wish.reservation(free, 0));
    }
    Ok(chosen)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;

    fn wish() -> Wish {
        let start: Timestamp = "2026-11-24T10:00:00Z".parse().expect("a timestamp");
        let minutes = SignedDuration::from_mins;
        Wish {
            practitioner: PractitionerId(Uuid::from_u128(1)),
            patient: Some(PatientId(Uuid::from_u128(2))),
            visit: (start, start + minutes(30)),
            buffered: (start - minutes(5), start + minutes(40)),
            interpreters: Some([3, 4].map(|id| ResourceId(Uuid::from_u128(id))).to_vec()),
            room: None,
            device: None,
            may_overbook: false,
        }
    }

    fn taken(resource: Resource, lane: i16) -> Taken {
        Taken { resource, lane, expired_hold: None }
    }

    #[test]
    fn only_the_practitioner_is_kept_free_around_the_visit() {
        let wish = wish();
        for one in choose(&wish, &[]).expect("all is free") {
            let is_practitioner = matches!(one.resource, Resource::Practitioner(_));
            assert_eq!((one.from, one.to), if is_practitioner { wish.buffered } else { wish.visit });
        }
    }

    #[test]
    fn the_first_interpreter_who_is_free_comes() {
        let wish = wish();
        let interpreters = wish.interpreters.clone().expect("two of them").into_iter().map(Resource::Interpreter);
        let [first, second] = interpreters.collect::<Vec<_>>().try_into().expect("two");
        let comes = |taken: &[Taken]| choose(&wish, taken).map(|all| all[2].resource);
        assert_eq!(comes(&[]).expect("both are free"), first);
        assert_eq!(comes(&[taken(first, 0)]).expect("one is free"), second);
        assert!(matches!(comes(&[taken(first, 0), taken(second, 0)]), Err(BookError::NoInterpreterFree)));
    }

    #[test]
    fn a_practitioner_is_booked_twice_only_on_purpose_and_a_patient_never() {
        let wish = wish();
        let doctor = Resource::Practitioner(wish.practitioner);
        assert!(matches!(choose(&wish, &[taken(doctor, 0)]), Err(BookError::SlotTaken)));
        let beside = Wish { may_overbook: true, ..wish.clone() };
        assert_eq!(lane(&choose(&beside, &[]).expect("their own time")), 0);
        assert_eq!(lane(&choose(&beside, &[taken(doctor, 0), taken(doctor, 2)]).expect("the first lane")), 1);
        let full: Vec<_> = (0..=LAST_LANE).map(|lane| taken(doctor, lane)).collect();
        assert!(matches!(choose(&beside, &full), Err(BookError::SlotTaken)));
        let patient = Resource::Patient(beside.patient.expect("a patient"));
        assert!(matches!(choose(&beside, &[taken(patient, 0)]), Err(BookError::PatientBusy)));
    }
}
