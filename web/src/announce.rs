//! What open pages are told after a commit. They read again; nothing of a visit is in the news itself.

use crate::state::WebState;
use domain::{Actor, AppointmentId};
use service::bus::{Happening, Topic};

/// Tells open desks, days and waiting rooms that an appointment is not as it was.
pub(crate) async fn appointment(state: &WebState, by: &Actor, appointment: AppointmentId) {
    for topic in [Topic::Clinic(by.clinic), Topic::Appointment(appointment)] {
        state.bus.publish(topic, Happening::AppointmentChanged { appointment }).await;
    }
}

/// Tells every open desk of the clinic that it shows other hours now, or another held time.
pub(crate) async fn desks(state: &WebState, by: &Actor) {
    state.bus.publish(Topic::Clinic(by.clinic), Happening::Resync).await;
}
