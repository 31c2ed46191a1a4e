//! The ICE-lite side of connectivity checks (RFC 8445 §7.3): who is not known gets no answer.

use rtc_stun::{
    attributes::{ATTR_FINGERPRINT, ATTR_ICE_CONTROLLED, ATTR_MESSAGE_INTEGRITY, ATTR_USE_CANDIDATE, ATTR_USERNAME},
    crypto::RTCCryptoProvider,
    fingerprint::FINGERPRINT,
    integrity::MessageIntegrity,
    message::{BINDING_REQUEST, BINDING_SUCCESS, MAGIC_COOKIE, MESSAGE_HEADER_SIZE, Message, Setter},
    xoraddr::XorMappedAddress,
};
use std::net::SocketAddr;

/// No browser's check is longer; longer ones are not looked at.
const MAX_CHECK_BYTES: usize = 548;
/// `4 hex digits of the participant's index` at the beginning of a user fragment.
const INDEX_DIGITS: usize = 4;

/// The relay's ICE credentials for one participant.
#[derive(Clone)]
pub(crate) struct Credentials {
    /// Names the participant: its index on the shard, then random digits.
    pub ufrag: String,
    /// The key of MESSAGE-INTEGRITY.
    pub password: String,
}

impl Credentials {
    /// Credentials for the participant at `index` of a shard, from 24 random bytes.
    pub(crate) fn new(index: u16, random: &[u8; 24]) -> Self {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        Self { ufrag: format!("{index:04x}{}", hex(&random[..8])), password: hex(&random[8..]) }
    }
}

/// The index that a user fragment made by [`Credentials::new`] names.
pub(crate) fn index_of(ufrag: &str) -> Option<usize> {
    usize::from_str_radix(ufrag.get(..INDEX_DIGITS)?, 16).ok()
}

/// The relay's user fragment that a Binding request claims to know; not authenticated, and nothing is allocated.
pub(crate) fn claimed_ufrag(packet: &[u8]) -> Option<&str> {
    if packet.len() < MESSAGE_HEADER_SIZE || packet.len() > MAX_CHECK_BYTES {
        return None;
    }
    let word = |at: usize| u16::from_be_bytes([packet[at], packet[at + 1]]);
    let cookie = u32::from_be_bytes(packet[4..8].try_into().expect("4 bytes"));
    let whole = usize::from(word(2)) + MESSAGE_HEADER_SIZE == packet.len() && packet.len().is_multiple_of(4);
    if word(0) != BINDING_REQUEST.value() || cookie != MAGIC_COOKIE || !whole {
        return None;
    }
    let mut at = MESSAGE_HEADER_SIZE;
    while at + 4 <= packet.len() {
        let (attribute, length) = (word(at), usize::from(word(at + 2)));
        let value = packet.get(at + 4..at + 4 + length)?;
        if attribute == ATTR_USERNAME.0 {
            // RFC 8445 §7.2.2: the receiver's fragment, a colon, the sender's.
            return std::str::from_utf8(value).ok()?.split_once(':').map(|(ours, _)| ours);
        }
        at += 4 + length.next_multiple_of(4);
    }
    None
}

/// An authentic check and what is answered to it.
pub(crate) struct ValidCheck {
    /// The other side takes this address pair into use.
    pub nominates: bool,
    /// The Binding success response.
    pub response: Vec<u8>,
}

/// Verifies a check with the participant's credentials. Anything less than perfect is `None` and gets no answer.
pub(crate) fn verify(
    packet: &[u8],
    from: SocketAddr,
    credentials: &Credentials,
    crypto: &dyn RTCCryptoProvider,
) -> Option<ValidCheck> {
    if claimed_ufrag(packet) != Some(credentials.ufrag.as_str()) {
        return None;
    }
    let mut check = Message::new();
    check.unmarshal_binary(packet).ok()?;
    // What stands behind MESSAGE-INTEGRITY is not covered by it: only FINGERPRINT may, as the very last.
    let [covered @ .., integrity, fingerprint] = check.attributes.0.as_slice() else { return None };
    let tail_is_right = integrity.typ == ATTR_MESSAGE_INTEGRITY && fingerprint.typ == ATTR_FINGERPRINT;
    let has = |wanted| covered.iter().any(|attribute| attribute.typ == wanted);
    if !tail_is_right || has(ATTR_MESSAGE_INTEGRITY) || has(ATTR_FINGERPRINT) || !has(ATTR_USERNAME) {
        return None;
    }
    // RFC 8445 §6.1.1: against a lite agent the full one always controls.
    if has(ATTR_ICE_CONTROLLED) {
        return None;
    }
    let nominates = has(ATTR_USE_CANDIDATE);
    FINGERPRINT.check(&check).ok()?;
    MessageIntegrity::check(&mut check, credentials.password.as_bytes(), crypto.crypto()).ok()?;
    Some(ValidCheck { nominates, response: success(&check, from, credentials, crypto)? })
}

/// At most 76 bytes, less than any request that carries what [`verify`] demands from a browser.
fn success(
    check: &Message,
    from: SocketAddr,
    credentials: &Credentials,
    crypto: &dyn RTCCryptoProvider,
) -> Option<Vec<u8>> {
    let key = credentials.password.clone();
    let setters: [Box<dyn Setter + '_>; 5] = [
        Box::new(BINDING_SUCCESS),
        Box::new(check.transaction_id),
        Box::new(XorMappedAddress { ip: from.ip().to_canonical(), port: from.port() }),
        Box::new(MessageIntegrity::new_short_term_integrity_with_provider(key, crypto.crypto())),
        Box::new(FINGERPRINT),
    ];
    let mut response = Message::new();
    response.build(&setters).ok()?;
    Some(response.raw)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use rtc_stun::{
        attributes::{ATTR_PRIORITY, AttrType},
        crypto::default_provider,
        message::TransactionId,
        textattrs::TextAttribute,
    };
    use std::sync::Arc;

    struct Raw(AttrType, Vec<u8>);

    impl Setter for Raw {
        fn add_to(&self, message: &mut Message) -> rtc_shared::error::Result<()> {
            message.add(self.0, &self.1);
            Ok(())
        }
    }

    fn crypto() -> Arc<dyn RTCCryptoProvider> {
        default_provider().unwrap()
    }

    fn credentials() -> Credentials {
        Credentials::new(7, &std::array::from_fn(|n| n as u8))
    }

    fn browser() -> SocketAddr {
        "192.0.2.9:50000".parse().unwrap()
    }

    /// A browser's check.
    pub(crate) fn request(credentials: &Credentials, nominates: bool) -> Vec<u8> {
        let before = if nominates { vec![Raw(ATTR_USE_CANDIDATE, vec![])] } else { vec![] };
        build(&credentials.ufrag, &credentials.password, before, vec![])
    }

    fn request_with(password: &str, before: Vec<Raw>, after: Vec<Raw>) -> Vec<u8> {
        build(&credentials().ufrag, password, before, after)
    }

    fn build(ufrag: &str, password: &str, before: Vec<Raw>, after: Vec<Raw>) -> Vec<u8> {
        let crypto = crypto();
        let username = format!("{ufrag}:abcd");
        let mut setters: Vec<Box<dyn Setter + '_>> = vec![
            Box::new(BINDING_REQUEST),
            Box::new(TransactionId([1; 12])),
            Box::new(TextAttribute::new(ATTR_USERNAME, username)),
            Box::new(Raw(ATTR_PRIORITY, vec![0, 0, 0, 1])),
        ];
        before.into_iter().for_each(|raw| setters.push(Box::new(raw)));
        let integrity = MessageIntegrity::new_short_term_integrity_with_provider(password.to_owned(), crypto.crypto());
        setters.push(Box::new(integrity));
        after.into_iter().for_each(|raw| setters.push(Box::new(raw)));
        setters.push(Box::new(FINGERPRINT));
        let mut message = Message::new();
        message.build(&setters).unwrap();
        message.raw
    }

    fn verify_here(packet: &[u8]) -> Option<ValidCheck> {
        verify(packet, browser(), &credentials(), crypto().as_ref())
    }

    #[test]
    fn an_authentic_check_is_answered_with_fewer_bytes() {
        let packet = request_with(&credentials().password, vec![], vec![]);
        let check = verify_here(&packet).expect("authentic");
        assert!(!check.nominates);
        assert!(check.response.len() <= packet.len());
        assert_eq!(index_of(claimed_ufrag(&packet).unwrap()), Some(7));
        let mut response = Message::new();
        response.unmarshal_binary(&check.response).unwrap();
        assert_eq!(response.typ, BINDING_SUCCESS);
        FINGERPRINT.check(&response).unwrap();
        MessageIntegrity::check(&mut response, credentials().password.as_bytes(), crypto().crypto()).unwrap();
    }

    #[test]
    fn use_candidate_nominates() {
        let packet = request_with(&credentials().password, vec![Raw(ATTR_USE_CANDIDATE, vec![])], vec![]);
        assert!(verify_here(&packet).expect("authentic").nominates);
    }

    #[test]
    fn a_wrong_password_gets_no_answer() {
        assert!(verify_here(&request_with("guess", vec![], vec![])).is_none());
    }

    #[test]
    fn what_stands_behind_the_integrity_gets_no_answer() {
        let packet = request_with(&credentials().password, vec![], vec![Raw(ATTR_USE_CANDIDATE, vec![])]);
        assert!(verify_here(&packet).is_none());
    }

    #[test]
    fn any_changed_or_missing_byte_gets_no_answer() {
        let packet = request_with(&credentials().password, vec![Raw(ATTR_USE_CANDIDATE, vec![])], vec![]);
        for at in 0..packet.len() {
            let mut changed = packet.clone();
            changed[at] ^= 0x01;
            assert!(verify_here(&changed).is_none(), "byte {at}");
            assert!(verify_here(&packet[..at]).is_none(), "cut at {at}");
        }
    }

    #[test]
    fn a_client_that_does_not_control_gets_no_answer() {
        let packet = request_with(&credentials().password, vec![Raw(ATTR_ICE_CONTROLLED, vec![0; 8])], vec![]);
        assert!(verify_here(&packet).is_none());
    }

    #[test]
    fn a_check_without_integrity_gets_no_answer() {
        let mut message = Message::new();
        let username = TextAttribute::new(ATTR_USERNAME, format!("{}:abcd", credentials().ufrag));
        message.build(&[Box::new(BINDING_REQUEST), Box::new(username), Box::new(FINGERPRINT)]).unwrap();
        assert!(verify_here(&message.raw).is_none());
    }
}
