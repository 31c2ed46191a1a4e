//! What is around appointments, read once for many: joined to each row it would be looked up, sent and planned for each time.

use super::{
    Row,
    lookups::{self, Named, Seat, Turn},
};
use crate::views::{AppointmentView, ClinicView, EncounterView, PatientView, ResourceView, VisitTypeName};
use domain::{AppointmentId, AppointmentState, ArrivalWindow, EncounterState, PatientId, PractitionerId, VisitTypeId};
use jiff::SignedDuration;
use sqlx::PgConnection;
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// Everything around some appointments.
pub(super) struct Around {
    early: SignedDuration,
    late: SignedDuration,
    patients: HashMap<PatientId, PatientView>,
    practitioners: HashMap<PractitionerId, Named>,
    visit_types: HashMap<VisitTypeId, String>,
    /// Interpreter, room and device of those that have any.
    resources: HashMap<AppointmentId, Vec<ResourceView>>,
    seats: HashMap<AppointmentId, Seat>,
    /// Who is in the waiting room now, by practitioner.
    waiting: HashMap<PractitionerId, Vec<Turn>>,
    encounters: HashMap<AppointmentId, EncounterView>,
}

impl Around {
    /// Of these appointments.
    pub(super) async fn of(
        connection: &mut PgConnection,
        clinic: &ClinicView,
        rows: &[Row],
    ) -> Result<Self, sqlx::Error> {
        let id = clinic.id;
        let each = |one: fn(&Row) -> Uuid| distinct(rows.iter().map(one));
        let in_state = |state| rows.iter().filter(move |row: &&Row| row.state == state);
        let admitted = in_state(AppointmentState::Fulfilled).map(|row| row.id.0).collect();
        let encounters = lookups::encounters(connection, id, admitted).await?;
        // On a full day most have been seen, and nobody asks any more how they waited.
        let seated = in_state(AppointmentState::Arrived).map(|row| row.id.0).chain(under_way(&encounters));
        let awaited = in_state(AppointmentState::Arrived).map(|row| row.practitioner_id.0);
        Ok(Self {
            early: clinic.early,
            late: clinic.late,
            patients: lookups::patients(connection, id, each(|row| row.patient_id.0)).await?,
            practitioners: lookups::practitioners(connection, id, each(|row| row.practitioner_id.0)).await?,
            visit_types: lookups::visit_types(connection, id, each(|row| row.visit_type_id.0)).await?,
            resources: lookups::resources(connection, id, each(|row| row.id.0)).await?,
            seats: lookups::seats(connection, id, seated.collect()).await?,
            waiting: lookups::waiting(connection, id, distinct(awaited)).await?,
            encounters,
        })
    }

    pub(super) fn family_name(&self, id: PractitionerId) -> Option<&str> {
        self.practitioners.get(&id).map(|one| one.family_name.as_str())
    }

    pub(super) fn view(&self, row: Row) -> AppointmentView {
        let (starts_at, ends_at) = (row.starts_at.to_jiff(), row.ends_at.to_jiff());
        let practitioner = self.practitioners.get(&row.practitioner_id).expect("an appointment has a practitioner");
        let visit_type = self.visit_types.get(&row.visit_type_id).expect("an appointment has a type");
        let patient = self.patients.get(&row.patient_id).expect("an appointment has a patient");
        let seat = self.seats.get(&row.id);
        AppointmentView {
            id: row.id,
            state: row.state,
            starts_at,
            ends_at,
            window: ArrivalWindow::new(starts_at, ends_at, self.early, self.late),
            practitioner: practitioner.view.clone(),
            link_version: row.link_version,
            arrived_at: seat.map(|seat| seat.arrived_at),
            last_seen_at: seat.map(|seat| seat.last_seen_at),
            left: seat.is_some_and(|seat| seat.left),
            readiness: seat.map(|seat| seat.readiness).unwrap_or_default(),
            ahead: seat.map_or(0, |seat| self.ahead(&row, seat)),
            encounter: self.encounters.get(&row.id).cloned(),
            cancel_reason: row.cancel_reason,
            visit_type: VisitTypeName { id: row.visit_type_id, name: visit_type.clone() },
            lane: row.lane,
            overbook_reason: row.overbook_reason,
            overbooked_by: row.overbooked_by,
            series: row.series_id,
            sequence: row.sequence,
            version: row.version,
            confirmed_at: row.confirmed_at.map(jiff_sqlx::Timestamp::to_jiff),
            source: row.source,
            absent: row.absent,
            outcome_reason: row.outcome_reason,
            reschedule_reason: row.reschedule_reason,
            resources: self.resources.get(&row.id).cloned().unwrap_or_default(),
            patient: patient.clone(),
        }
    }

    /// How many wait for the same practitioner and come before.
    fn ahead(&self, row: &Row, seat: &Seat) -> usize {
        let turn = (row.starts_at.to_jiff(), seat.arrived_at, row.id);
        let waiting = self.waiting.get(&row.practitioner_id).filter(|_| row.state == AppointmentState::Arrived);
        waiting.into_iter().flatten().filter(|one| **one < turn).count()
    }
}

fn under_way(encounters: &HashMap<AppointmentId, EncounterView>) -> impl Iterator<Item = Uuid> {
    encounters.iter().filter(|(_, one)| one.state == EncounterState::InProgress).map(|(appointment, _)| appointment.0)
}

/// Each id once.
pub(crate) fn distinct(ids: impl Iterator<Item = Uuid>) -> Vec<Uuid> {
    ids.collect::<HashSet<_>>().into_iter().collect()
}
