//! What open pages are told after a commit. They read again; nothing of a visit is in the news itself.

use crate::state::WebState;
use domain::{Actor, AppointmentId, PractitionerId};
use service::bus::{Happening, Topic};

/// Tells open desks and days, the patient, and those who wait for the same practitioner that an appointment is not as it was.
pub(crate) async fn appointment(state: &WebState, by: &Actor, appointment: AppointmentId) {
    let changed = Happening::AppointmentChanged { appointment };
    for topic in [Topic::Clinic(by.clinic), Topic::Appointment(appointment)] {
        state.bus.publish(topic, changed).await;
    }
    match scheduler::practitioner_of(&state.db, by, appointment).await {
        Ok(Some(practitioner)) => state.bus.publish(Topic::Queue(practitioner), changed).await,
        Ok(None) => {}
        Err(error) => {
            tracing::warn!(%error, "whose appointment changed is unknown; who waits learns it when they read again")
        }
    }
}

/// Tells the same of appointments that were moved, and those who wait for the practitioner whose the first was `before`.
pub(crate) async fn moved(state: &WebState, by: &Actor, moved: &[AppointmentId], before: Option<PractitionerId>) {
    for one in moved {
        appointment(state, by, *one).await;
    }
    if let (Some(practitioner), Some(&appointment)) = (before, moved.first()) {
        state.bus.publish(Topic::Queue(practitioner), Happening::AppointmentChanged { appointment }).await;
    }
}

/// Tells every open desk of the clinic that it shows other hours now, or another held time.
pub(crate) async fn desks(state: &WebState, by: &Actor) {
    state.bus.publish(Topic::Clinic(by.clinic), Happening::Resync).await;
}
