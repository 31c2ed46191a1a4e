//! What open pages are told after a commit. They read again; nothing of a visit is in the news itself.

use crate::state::WebState;
use domain::{Actor, AppointmentId, PractitionerId};
use service::bus::{Happening, Topic};

/// Tells open desks and days, the patient, and those who wait for the same practitioner that an appointment is not as it was.
pub(crate) async fn appointment(state: &WebState, by: &Actor, changed: AppointmentId) {
    appointments(state, by, &[changed]).await;
}

/// The same of several that were changed together.
pub(crate) async fn appointments(state: &WebState, by: &Actor, changed: &[AppointmentId]) {
    for &appointment in changed {
        for topic in [Topic::Clinic(by.clinic), Topic::Appointment(appointment)] {
            state.bus.publish(topic, Happening::AppointmentChanged { appointment }).await;
        }
    }
    match scheduler::practitioners_of(&state.db, by, changed).await {
        Ok(practitioners) => queues(state, changed, practitioners).await,
        Err(error) => {
            tracing::warn!(%error, "whose appointments changed is unknown; who waits learns it when they read again")
        }
    }
}

/// The same of appointments that were moved, also to those who wait for the practitioner whose the first was `before`.
pub(crate) async fn moved(state: &WebState, by: &Actor, moved: &[AppointmentId], before: Option<PractitionerId>) {
    appointments(state, by, moved).await;
    queues(state, moved, before).await;
}

async fn queues(state: &WebState, changed: &[AppointmentId], of: impl IntoIterator<Item = PractitionerId>) {
    let Some(&appointment) = changed.first() else { return };
    for practitioner in of {
        state.bus.publish(Topic::Queue(practitioner), Happening::AppointmentChanged { appointment }).await;
    }
}

/// Tells every open desk of the clinic that it shows other hours now, or another held time.
pub(crate) async fn desks(state: &WebState, by: &Actor) {
    state.bus.publish(Topic::Clinic(by.clinic), Happening::Resync).await;
}
