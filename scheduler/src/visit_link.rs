//! The patient's link: names an appointment, and is signed so that it cannot be guessed.
//!
//! Token = base64url(appointment id, 16 bytes ‖ version, 2 ‖ HMAC-SHA-256 of both, first 16). It can be made again at any time,
//! so the desk shows it as often as it likes and the database keeps nothing that would open a visit.

use crate::tables;
use aws_lc_rs::{constant_time::verify_slices_are_equal, hmac};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{Actor, AppointmentId, Redacted, Who};
use service::{keys::VisitLinkKey, postgres::Db};
use uuid::Uuid;

/// 128 bits cannot be guessed, and keep the link short enough to be read out.
const TAG_BYTES: usize = 16;

const MESSAGE_BYTES: usize = 18;

/// The token in the link of an appointment.
pub fn visit_link(key: &VisitLinkKey, id: AppointmentId, version: i16) -> Redacted<String> {
    let message = message(id, version);
    let tag = hmac::sign(&hmac_key(key), &message);
    Redacted::new(URL_SAFE_NO_PAD.encode([message.as_slice(), &tag.as_ref()[..TAG_BYTES]].concat()))
}

/// Whose visit a link's token opens: the patient, who may act on that one appointment. `None` for anything but a good link.
///
/// Nothing is used up and nobody arrives: mail scanners open links.
pub async fn open_visit(
    db: &Db,
    key: &VisitLinkKey,
    token: &str,
) -> Result<Option<(Actor, AppointmentId)>, sqlx::Error> {
    let Some((id, version)) = verify(key, token) else {
        return Ok(None);
    };
    let visit = tables::appointments::find_visit(&mut *db.anonymous().await?, id, version).await?;
    Ok(visit.map(|(clinic, patient)| (Actor { clinic, who: Who::Patient { id: patient, appointment: id } }, id)))
}

fn verify(key: &VisitLinkKey, token: &str) -> Option<(AppointmentId, i16)> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let bytes: &[u8; MESSAGE_BYTES + TAG_BYTES] = bytes.as_slice().try_into().ok()?;
    let (message, tag) = bytes.split_first_chunk::<MESSAGE_BYTES>()?;
    let right = hmac::sign(&hmac_key(key), message);
    verify_slices_are_equal(&right.as_ref()[..TAG_BYTES], tag).ok()?;
    let (id, version) = message.split_first_chunk::<16>()?;
    Some((AppointmentId(Uuid::from_bytes(*id)), i16::from_be_bytes(version.try_into().ok()?)))
}

fn message(id: AppointmentId, version: i16) -> [u8; MESSAGE_BYTES] {
    let mut message = [0; MESSAGE_BYTES];
    message[..16].copy_from_slice(id.0.as_bytes());
    message[16..].copy_from_slice(&version.to_be_bytes());
    message
}

fn hmac_key(key: &VisitLinkKey) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, key.expose())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_names_its_appointment_and_one_that_was_changed_names_none() {
        let key = Redacted::new([7; 32]);
        let id = AppointmentId(Uuid::from_u128(42));
        let token = visit_link(&key, id, 1).into_inner();
        assert_eq!(verify(&key, &token), Some((id, 1)));
        assert_eq!(verify(&Redacted::new([8; 32]), &token), None);
        for position in 0..token.len() {
            let mut forged = token.clone();
            let other = if &token[position..=position] == "A" { "B" } else { "A" };
            forged.replace_range(position..=position, other);
            assert_eq!(verify(&key, &forged), None, "changed at {position}");
        }
        for wrong in ["", "AAAA", "not base64", &token[1..]] {
            assert_eq!(verify(&key, wrong), None);
        }
    }
}
