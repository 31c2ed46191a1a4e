//! What new times are decided on, read once however many visits of a series move.

use super::{Move, Reschedule};
use crate::{
    availability::{self, timetable::Timetable},
    book::BookError,
    reserve::Wish,
    tables::{self, reservations::Resource},
    views::VisitTypeView,
};
use domain::{AppointmentId, ClinicId, PractitionerId, ResourceId};
use jiff::Timestamp;
use sqlx::PgConnection;
use std::collections::BTreeMap;

/// The grounds of some visits of one series, which are of one type and need an interpreter between the same languages.
#[derive(Default)]
pub(super) struct Grounds {
    /// Whoever they shall be with is there.
    has_practitioner: bool,
    visit_type: Option<VisitTypeView>,
    timetables: BTreeMap<PractitionerId, Timetable>,
    /// What each reserves now besides its practitioner and its patient.
    needs: BTreeMap<AppointmentId, Vec<Resource>>,
    /// Who interprets between the languages, by name.
    interpreters: Vec<ResourceId>,
}

impl Grounds {
    pub(super) async fn read(
        connection: &mut PgConnection,
        clinic: ClinicId,
        moves: &[Move<'_>],
        request: &Reschedule,
    ) -> Result<Self, sqlx::Error> {
        let Some(first) = moves.first() else { return Ok(Self::default()) };
        let has_practitioner = match request.practitioner {
            Some(id) => tables::practitioners::exists(connection, clinic, id).await?,
            None => true,
        };
        let visit_type = tables::visit_types::find(connection, clinic, first.member.visit_type).await?;
        let mut practitioners: Vec<_> = moves.iter().map(|one| one.practitioner).collect();
        practitioners.sort_unstable();
        practitioners.dedup();
        let starts = moves.iter().filter_map(|one| one.starts_at);
        let timetables = match (starts.clone().min(), starts.max(), &visit_type) {
            (Some(from), Some(last), Some(visit_type)) => {
                let to = visit_type.occupies(last).1;
                availability::timetables(connection, clinic, &practitioners, from, to).await?
            }
            _ => BTreeMap::new(),
        };
        let ids: Vec<_> = moves.iter().map(|one| one.member.id).collect();
        let needs = tables::reservations::needs_of(connection, clinic, &ids).await?;
        let interpreters = match &first.member.interpreted_between {
            Some(between) => tables::resources::interpreters(connection, clinic, between).await?,
            None => Vec::new(),
        };
        Ok(Self { has_practitioner, visit_type, timetables, needs, interpreters })
    }

    /// What an appointment needs at its new time: what it needed before, with whoever interprets now before others.
    pub(super) fn wish(&self, one: &Move<'_>, request: &Reschedule, now: Timestamp) -> Result<Wish, BookError> {
        let starts_at = one.starts_at.ok_or(BookError::OutsideSchedule)?;
        if starts_at <= now {
            return Err(BookError::InThePast);
        }
        if !self.has_practitioner {
            return Err(BookError::NoSuchPractitioner);
        }
        let offered = self.visit_type.clone().filter(|offered| offered.practitioners.contains(&one.practitioner));
        let visit_type = offered.ok_or(BookError::NotOffered)?;
        let nothing = Timetable::default();
        let timetable = self.timetables.get(&one.practitioner).unwrap_or(&nothing);
        let when = (starts_at, request.starts);
        let offer = availability::offer(visit_type, timetable, one.practitioner, when, now)?;
        let mut wish =
            Wish { patient: Some(one.member.patient), may_overbook: request.overbook.is_some(), ..Wish::new(&offer) };
        for resource in self.needs.get(&one.member.id).into_iter().flatten() {
            match *resource {
                Resource::Room(id) => wish.room = Some(id),
                Resource::Device(id) => wish.device = Some(id),
                Resource::Interpreter(id) => wish.interpreters = Some(vec![id]),
                Resource::Patient(_) | Resource::Practitioner(_) => {}
            }
        }
        if let Some(interpreters) = &mut wish.interpreters {
            interpreters.extend(&self.interpreters);
        }
        Ok(wish)
    }
}
