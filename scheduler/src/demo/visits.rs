//! Visits of today for a demo clinic, made by the use-cases themselves, so that the history tells of them too.

use super::people::{ARRIVE_LATE_MINUTES, CONSULTATION, DemoClinic, DemoPractitioner};
use crate::{
    BookRequest, Cancel, admit, arrive,
    availability::{self, OpenSlot},
    book, cancel, day, finish, tables,
    views::{AppointmentView, ClinicView},
};
use anyhow::Context as _;
use domain::{Actor, AppointmentState, Clock, PatientId, PractitionerId, Random, VisitTypeId, Who};
use jiff::{SignedDuration, Timestamp, civil::Date};
use service::postgres::Db;

/// A moment that has passed or will come, for what the demo has happen then.
struct At(Timestamp);

impl Clock for At {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// Everything that making visits needs.
pub(super) struct Diary<'a> {
    pub(super) db: &'a Db,
    pub(super) random: &'a dyn Random,
    pub(super) now: Timestamp,
    pub(super) clinic: ClinicView,
    /// Who books.
    pub(super) receptionist: Actor,
    /// What to book.
    pub(super) visit_type: VisitTypeId,
    /// Whom to book, each in turn.
    pub(super) patients: Vec<PatientId>,
}

impl Diary<'_> {
    fn today(&self) -> Date {
        self.now.to_zoned(self.clinic.zone.clone()).date()
    }

    /// Today's visits that somebody can still come to, in order.
    pub(super) async fn ahead(&self) -> Result<Vec<AppointmentView>, sqlx::Error> {
        let mut visits = day(self.db, &self.receptionist, self.today(), None).await?;
        visits.retain(|visit| {
            matches!(visit.state, AppointmentState::Booked | AppointmentState::Arrived)
                && visit.window.at(self.now) != domain::appointment::Arrival::TooLate
                && self.now < visit.ends_at
        });
        Ok(visits)
    }

    /// Books visits ahead for each practitioner who has none.
    pub(super) async fn fill(&self, demo: &DemoClinic) -> anyhow::Result<()> {
        let ahead = self.ahead().await?;
        let mut next_patient = 0;
        for practitioner in demo.practitioners {
            let id = self.find(practitioner).await?;
            if !ahead.iter().any(|visit| visit.practitioner.id == id) {
                self.book_ahead(id, practitioner.visits, next_patient).await?;
            }
            next_patient += practitioner.visits;
        }
        Ok(())
    }

    /// The past of a working day: a visit each that took place, one to which nobody came, and one later that was called off.
    pub(super) async fn begin_day(&self, demo: &DemoClinic) -> anyhow::Result<()> {
        let (start, _) = availability::bounds(self.today(), &self.clinic.zone);
        for (index, practitioner) in demo.practitioners.iter().enumerate() {
            let id = self.find(practitioner).await?;
            let patient = self.patients[self.patients.len() - 1 - index % self.patients.len()];
            let past: Vec<OpenSlot> =
                self.slots(id).await?.into_iter().filter(|slot| slot.ends_at <= self.now).collect();
            if let Some(slot) = past.iter().rev().nth(1).filter(|slot| slot.starts_at >= start) {
                self.hold(id, practitioner, patient, *slot).await?;
            }
        }
        self.miss(demo).await?;
        let first = self.find(demo.practitioners.first().context("a clinic has a practitioner")?).await?;
        let mut later = self.slots(first).await?.into_iter().filter(|slot| slot.starts_at > self.now);
        let free = later.nth(demo.practitioners[0].visits);
        if let (Some(slot), Some(patient)) = (free, self.patients.iter().rev().nth(2)) {
            let request = BookRequest::new(*patient, first, self.visit_type, slot.starts_at);
            let id = book(self.db, &At(self.now), self.random, &self.receptionist, request).await?;
            let called_off = Cancel::new(id, "The patient called: feeling better.");
            cancel(self.db, &At(self.now), &self.receptionist, called_off).await?;
        }
        Ok(())
    }

    /// A visit that took place, from booking to goodbye.
    async fn hold(
        &self,
        id: PractitionerId,
        demo: &DemoPractitioner,
        patient: PatientId,
        slot: OpenSlot,
    ) -> anyhow::Result<()> {
        let minutes = SignedDuration::from_mins;
        let request = BookRequest::new(patient, id, self.visit_type, slot.starts_at);
        let booked_at = At(slot.starts_at - minutes(120));
        let appointment = book(self.db, &booked_at, self.random, &self.receptionist, request).await?;
        let visitor = Actor { clinic: self.clinic.id, who: Who::Patient { id: patient, appointment } };
        arrive(self.db, &At(slot.starts_at - minutes(6)), &visitor, appointment).await?;
        let account =
            tables::accounts::by_email(&mut *self.db.begin(&self.receptionist).await?, self.clinic.id, demo.email)
                .await?;
        let practitioner = Actor { clinic: self.clinic.id, who: account.context("the practitioner signs in")? };
        let admitted_at = At(slot.starts_at + minutes(1));
        let encounter = admit(self.db, &admitted_at, self.random, &practitioner, appointment).await?;
        finish(self.db, &At(slot.starts_at + minutes(19)), &practitioner, encounter).await?;
        Ok(())
    }

    /// A visit to which nobody came, the last that nobody can come to any more: shortly after midnight it is one of yesterday. The
    /// worker marks it.
    async fn miss(&self, demo: &DemoClinic) -> anyhow::Result<()> {
        let practitioner = self.find(demo.practitioners.first().context("a clinic has a practitioner")?).await?;
        let minutes = i64::from(ARRIVE_LATE_MINUTES) + i64::from(CONSULTATION.minutes);
        let until = self.now - SignedDuration::from_mins(minutes);
        let slots = self.slots_between(practitioner, until - SignedDuration::from_hours(24), until).await?;
        let (Some(slot), Some(patient)) = (slots.last(), self.patients.iter().rev().nth(3)) else { return Ok(()) };
        let booked_at = At(slot.starts_at - SignedDuration::from_mins(120));
        let request = BookRequest::new(*patient, practitioner, self.visit_type, slot.starts_at);
        match book(self.db, &booked_at, self.random, &self.receptionist, request).await {
            // A day of the demo that went on past midnight.
            Ok(_) | Err(crate::BookError::SlotTaken | crate::BookError::PatientBusy) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Books the next free slots of today, one patient after the other. Shortly before midnight, when none is left, the slot
    /// that runs: there is always a visit to try today.
    async fn book_ahead(
        &self,
        practitioner: PractitionerId,
        visits: usize,
        first_patient: usize,
    ) -> anyhow::Result<()> {
        let slots = self.slots(practitioner).await?;
        let mut ahead: Vec<OpenSlot> = slots.iter().copied().filter(|slot| slot.starts_at > self.now).collect();
        if ahead.is_empty() {
            ahead.extend(slots.last().filter(|slot| slot.ends_at > self.now));
        }
        let mut patients = self.patients.iter().cycle().skip(first_patient);
        for slot in ahead.into_iter().take(visits) {
            let patient = *patients.next().context("a clinic has patients")?;
            let request = BookRequest::new(patient, practitioner, self.visit_type, slot.starts_at);
            let before = At(self.now.min(slot.starts_at - SignedDuration::from_mins(1)));
            match book(self.db, &before, self.random, &self.receptionist, request).await {
                // Somebody who tries the demo booked first.
                Ok(_) | Err(crate::BookError::SlotTaken | crate::BookError::PatientBusy) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// When a consultation may begin today, taken or not.
    async fn slots(&self, practitioner: PractitionerId) -> Result<Vec<OpenSlot>, sqlx::Error> {
        let (from, to) = availability::bounds(self.today(), &self.clinic.zone);
        self.slots_between(practitioner, from, to).await
    }

    /// When a consultation may begin between two instants, taken or not.
    async fn slots_between(
        &self,
        practitioner: PractitionerId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<OpenSlot>, sqlx::Error> {
        let mut tx = self.db.begin(&self.receptionist).await?;
        let timetables = availability::timetables(&mut tx, self.clinic.id, &[practitioner], from, to).await?;
        let minutes = CONSULTATION.minutes;
        let starts = timetables.values().flat_map(|one| one.starts(minutes, from, to));
        let slot = |starts_at| OpenSlot {
            practitioner,
            starts_at,
            ends_at: starts_at + SignedDuration::from_mins(minutes.into()),
        };
        Ok(starts.map(slot).collect())
    }

    async fn find(&self, practitioner: &DemoPractitioner) -> anyhow::Result<PractitionerId> {
        let [title, given, family, _] = practitioner.words;
        let name = format!("{title} {given} {family}");
        let all = crate::practitioners(self.db, &self.receptionist).await?;
        let found = all.into_iter().find(|one| one.title_and_name == name);
        Ok(found.context("the demo's practitioners are there")?.id)
    }
}
