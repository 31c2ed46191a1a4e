//! The addresses that stand in messages.

use crate::visit_link::visit_link;
use domain::{AppointmentId, Redacted};
use service::keys::VisitLinkKey;
use url::Url;

/// Where the installation is reached, and what signs the links of patients.
#[derive(Debug, Clone)]
pub struct Links {
    /// What people type, without a path.
    pub public_url: Url,
    /// Signs the links.
    pub key: VisitLinkKey,
}

impl Links {
    /// The patient's link: there they wait and are seen, and before that check camera and microphone.
    pub fn visit(&self, appointment: AppointmentId, version: i16) -> Redacted<String> {
        self.address_of(&format!("/visit/{}", visit_link(&self.key, appointment, version).expose()))
    }

    /// Where the patient says that they will come, or calls the visit off. Signed like the link, so it opens as long as that does.
    pub fn answer(&self, appointment: AppointmentId, version: i16) -> Redacted<String> {
        self.address_of(&format!("/answer/{}", visit_link(&self.key, appointment, version).expose()))
    }

    /// A path below the public address, as a whole address.
    pub fn address_of(&self, path: &str) -> Redacted<String> {
        Redacted::new(format!("{}{path}", self.public_url.as_str().trim_end_matches('/')))
    }

    /// The name under which messages have their ids: the host of the installation.
    pub(crate) fn host(&self) -> &str {
        self.public_url.host_str().unwrap_or("localhost")
    }
}
