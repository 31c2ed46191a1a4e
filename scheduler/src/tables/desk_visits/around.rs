//! What is around the visits of a day, and each visit with it.

use super::{
    Row,
    lookups::{self, Call, Callee, Seats},
};
use crate::{
    desk::DeskVisit,
    tables::views::{distinct, lookups as by_id},
    views::{EncounterView, PractitionerView, ResourceView, Standing},
};
use domain::{AppointmentId, AppointmentState, ClinicId, PatientId, VisitTypeId};
use jiff::Timestamp;
use sqlx::PgConnection;
use std::{collections::HashMap, sync::Arc};

/// Everything around some visits.
pub(super) struct Around {
    patients: HashMap<PatientId, Callee>,
    visit_types: HashMap<VisitTypeId, Arc<str>>,
    calls: HashMap<AppointmentId, Call>,
    seats: Seats,
    resources: HashMap<AppointmentId, Vec<Arc<ResourceView>>>,
}

impl Around {
    /// Of these visits, which are all that start within these two instants if they are given.
    pub(super) async fn of(
        connection: &mut PgConnection,
        clinic: ClinicId,
        rows: &[Row],
        all_within: Option<(Timestamp, Timestamp)>,
    ) -> Result<Self, sqlx::Error> {
        let in_state = |state| rows.iter().filter(move |row: &&Row| row.state == state);
        let mut calls = match all_within {
            Some(window) => lookups::calls_within(connection, clinic, window).await?,
            None => HashMap::new(),
        };
        // Around midnight a call may have begun on another day than its visit.
        let elsewhen = in_state(AppointmentState::Fulfilled).filter(|row| !calls.contains_key(&row.id));
        let elsewhen = by_id::encounters(connection, clinic, elsewhen.map(|row| row.id.0).collect()).await?;
        let call = |one: EncounterView| Call { started_at: one.started_at, finished_at: one.finished_at };
        calls.extend(elsewhen.into_iter().map(|(appointment, one)| (appointment, call(one))));
        let visit_types = by_id::visit_types(connection, clinic, distinct(rows.iter().map(|row| row.visit_type_id.0)));
        let visit_types = visit_types.await?.into_iter().map(|(id, name)| (id, name.into())).collect();
        let resources = match all_within {
            Some(window) => lookups::resources_within(connection, clinic, window).await?,
            None => shared(by_id::resources(connection, clinic, rows.iter().map(|row| row.id.0).collect()).await?),
        };
        let somebody_waits = in_state(AppointmentState::Arrived).next().is_some();
        Ok(Self {
            patients: lookups::patients(connection, clinic, rows.iter().map(|row| row.patient_id.0).collect()).await?,
            visit_types,
            calls,
            seats: if somebody_waits { lookups::seats(connection, clinic).await? } else { Seats::default() },
            resources,
        })
    }

    pub(super) fn visit(&self, row: Row, practitioner: Arc<PractitionerView>) -> DeskVisit {
        let patient = self.patients.get(&row.patient_id).expect("a visit has a patient");
        let visit_type = self.visit_types.get(&row.visit_type_id).expect("a visit has a type");
        let seat = self.seats.of(row.id).filter(|_| row.state == AppointmentState::Arrived);
        let call = self.calls.get(&row.id);
        DeskVisit {
            id: row.id,
            standing: Standing {
                state: row.state,
                starts_at: row.starts_at.to_jiff(),
                arrived_at: seat.map(|seat| seat.arrived_at),
                left: seat.is_some_and(|seat| seat.left),
                admitted_at: call.map(|call| call.started_at),
                finished_at: call.and_then(|call| call.finished_at),
                absent: row.absent,
            },
            ends_at: row.ends_at.to_jiff(),
            patient: patient.name.clone(),
            phone: patient.phone.clone(),
            practitioner,
            visit_type: Arc::clone(visit_type),
            lane: row.lane,
            overbook_reason: row.overbook_reason,
            is_confirmed: row.is_confirmed,
            is_walk_in: row.is_walk_in,
            readiness: seat.map(|seat| seat.readiness).unwrap_or_default(),
            ahead: seat.map_or(0, |seat| self.seats.ahead(row.id, seat)),
            resources: self.resources.get(&row.id).cloned().unwrap_or_default(),
        }
    }
}

fn shared(resources: HashMap<AppointmentId, Vec<ResourceView>>) -> HashMap<AppointmentId, Vec<Arc<ResourceView>>> {
    resources.into_iter().map(|(appointment, all)| (appointment, all.into_iter().map(Arc::new).collect())).collect()
}
