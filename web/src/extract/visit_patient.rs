//! The patient of one visit: whoever holds the cookie that *I'm here* gave for the appointment in the path.

use super::Id;
use crate::{
    cookies,
    errors::PageError,
    state::{Site, WebState},
};
use axum::{extract::FromRequestParts, http::request::Parts};
use axum_extra::extract::CookieJar;
use domain::{Actor, AppointmentId, Who};

/// A patient in the browser in which they arrived.
pub struct VisitPatient {
    /// On whose behalf transactions act.
    pub actor: Actor,
    /// The appointment they came for.
    pub appointment: AppointmentId,
}

/// The name of the cookie of one visit. Each has its own, so that two visits in one browser do not end each other.
pub fn visit_cookie(appointment: AppointmentId) -> String {
    format!("visit-{}", appointment.0.simple())
}

/// The cookie of one visit, as this browser sent it.
pub(crate) fn token<'jar>(site: &Site, jar: &'jar CookieJar, appointment: AppointmentId) -> Option<&'jar str> {
    Some(jar.get(&cookies::name(site, &visit_cookie(appointment)))?.value())
}

impl FromRequestParts<WebState> for VisitPatient {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, PageError> {
        let Id(appointment) = Id::<AppointmentId>::from_request_parts(parts, state).await?;
        let jar = CookieJar::from_headers(&parts.headers);
        let token = token(&state.site, &jar, appointment).ok_or(PageError::NotFound)?;
        let actor =
            scheduler::visit_sessions::find(&state.db, &*state.clock, token).await?.ok_or(PageError::NotFound)?;
        match actor.who {
            Who::Patient { appointment: own, .. } if own == appointment => Ok(Self { actor, appointment }),
            _ => Err(PageError::NotFound),
        }
    }
}
