//! The patient's link: names an appointment and the version of its link, see [`signed_link`](crate::signed_link). The desk shows it as
//! often as it likes.

use crate::{
    signed_link::{read_versioned, sign, verify, versioned},
    tables,
};
use domain::{Actor, AppointmentId, Redacted, Who};
use service::{keys::VisitLinkKey, postgres::Db};

/// The token in the link of an appointment.
pub fn visit_link(key: &VisitLinkKey, id: AppointmentId, version: i16) -> Redacted<String> {
    sign(key, b"", &versioned(id.0, version))
}

/// Whose visit a link's token opens: the patient, who may act on that one appointment. `None` for anything but a good link.
///
/// Nothing is used up and nobody arrives: mail scanners open links.
pub async fn open_visit(
    db: &Db,
    key: &VisitLinkKey,
    token: &str,
) -> Result<Option<(Actor, AppointmentId)>, sqlx::Error> {
    let Some((id, version)) = verify(key, b"", token).map(read_versioned) else {
        return Ok(None);
    };
    let id = AppointmentId(id);
    let visit = tables::appointments::find_visit(&mut *db.door().await?, id, version).await?;
    Ok(visit.map(|(clinic, patient)| (Actor { clinic, who: Who::Patient { id: patient, appointment: id } }, id)))
}
