//! Appointments: book one, open one, and what is done to it there.

pub(crate) mod admit;
pub(crate) mod attendance;
pub(crate) mod book;
pub(crate) mod cancel;
pub(crate) mod hold;
pub(crate) mod messages;
pub(crate) mod move_to;
pub(crate) mod send_link;
pub(crate) mod show;
pub(crate) mod undo_missed;
pub(crate) mod walk_in;

use crate::state::WebState;
use domain::{Actor, AppointmentId};
use service::bus::{Happening, Topic};

/// Tells the desk, the day and the patient's page. After the commit.
pub(crate) async fn announce(state: &WebState, by: &Actor, appointment: AppointmentId) {
    let happening = Happening::AppointmentChanged { appointment };
    state.bus.publish(Topic::Clinic(by.clinic), happening).await;
    state.bus.publish(Topic::Appointment(appointment), happening).await;
}
