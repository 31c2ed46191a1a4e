//! Connectivity checks of a full ICE agent that controls (RFC 8445): ours, and answers to the server's.

use super::Credentials;
use rtc_stun::{
    attributes::{ATTR_ICE_CONTROLLING, ATTR_PRIORITY, ATTR_USE_CANDIDATE, ATTR_USERNAME, AttrType},
    crypto::RTCCryptoProvider,
    fingerprint::FINGERPRINT,
    integrity::MessageIntegrity,
    message::{BINDING_REQUEST, BINDING_SUCCESS, Message, Setter, TransactionId},
    textattrs::TextAttribute,
    xoraddr::XorMappedAddress,
};
use std::net::SocketAddr;

/// Host candidate, component 1, peer reflexive (RFC 8445 §5.1.2.1).
const PRIORITY: u32 = (110 << 24) | (65_535 << 8) | 255;

struct Raw<'a>(AttrType, &'a [u8]);

impl Setter for Raw<'_> {
    fn add_to(&self, message: &mut Message) -> rtc_shared::error::Result<()> {
        message.add(self.0, self.1);
        Ok(())
    }
}

/// A check that nominates at once: there is one candidate pair, and nothing to wait for.
pub fn request(
    local: &Credentials,
    remote: &Credentials,
    transaction: [u8; 12],
    crypto: &dyn RTCCryptoProvider,
) -> Vec<u8> {
    let username = format!("{}:{}", remote.ufrag, local.ufrag);
    let priority = PRIORITY.to_be_bytes();
    let setters: [Box<dyn Setter + '_>; 8] = [
        Box::new(BINDING_REQUEST),
        Box::new(TransactionId(transaction)),
        Box::new(TextAttribute::new(ATTR_USERNAME, username)),
        Box::new(Raw(ATTR_PRIORITY, &priority)),
        Box::new(Raw(ATTR_ICE_CONTROLLING, &transaction[..8])),
        Box::new(Raw(ATTR_USE_CANDIDATE, &[])),
        integrity(&remote.password, crypto),
        Box::new(FINGERPRINT),
    ];
    build(&setters)
}

/// What a datagram of the server's says.
pub enum Heard {
    /// It answers our check of this transaction.
    Success([u8; 12]),
    /// It checks, and this answers it.
    Check(Vec<u8>),
}

/// Reads a STUN datagram; `None` when it is not authentic.
pub fn read(
    packet: &[u8],
    from: SocketAddr,
    local: &Credentials,
    remote: &Credentials,
    crypto: &dyn RTCCryptoProvider,
) -> Option<Heard> {
    let mut message = Message::new();
    message.unmarshal_binary(packet).ok()?;
    if message.typ == BINDING_SUCCESS {
        MessageIntegrity::check(&mut message, remote.password.as_bytes(), crypto.crypto()).ok()?;
        return Some(Heard::Success(message.transaction_id.0));
    }
    if message.typ != BINDING_REQUEST {
        return None;
    }
    MessageIntegrity::check(&mut message, local.password.as_bytes(), crypto.crypto()).ok()?;
    let setters: [Box<dyn Setter + '_>; 5] = [
        Box::new(BINDING_SUCCESS),
        Box::new(message.transaction_id),
        Box::new(XorMappedAddress { ip: from.ip(), port: from.port() }),
        integrity(&local.password, crypto),
        Box::new(FINGERPRINT),
    ];
    Some(Heard::Check(build(&setters)))
}

fn integrity<'a>(password: &str, crypto: &'a dyn RTCCryptoProvider) -> Box<dyn Setter + 'a> {
    Box::new(MessageIntegrity::new_short_term_integrity_with_provider(password.to_owned(), crypto.crypto()))
}

fn build(setters: &[Box<dyn Setter + '_>]) -> Vec<u8> {
    let mut message = Message::new();
    message.build(setters).expect("attributes of ours fit a message");
    message.raw
}
