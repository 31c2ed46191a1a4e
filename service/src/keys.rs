//! The keys that grow from the one secret: each for one purpose, so that none can stand in for another.

use aws_lc_rs::hkdf::{HKDF_SHA256, Prk, Salt};
use domain::Redacted;

/// The shortest secret accepted, in bytes: what HKDF-SHA-256 can make full use of.
pub const MIN_SECRET_BYTES: usize = 32;

/// Signs the patients' links (HMAC-SHA-256).
pub type VisitLinkKey = Redacted<[u8; 32]>;

/// Signs the links of waitlist offers (HMAC-SHA-256).
pub type OfferLinkKey = Redacted<[u8; 32]>;

/// Grows into the Ed25519 key of the join tokens.
pub type JoinTokenSeed = Redacted<[u8; 32]>;

/// Grows into the demo's API tokens.
pub type DemoTokenKey = Redacted<[u8; 32]>;

/// Signs the links and cookies of patients who book themselves (HMAC-SHA-256).
pub type SelfBookingKey = Redacted<[u8; 32]>;

/// All of them.
#[derive(Debug, Clone)]
pub struct Keys {
    /// For `scheduler::visit_link` and `scheduler::open_visit`.
    pub visit_link: VisitLinkKey,
    /// For `scheduler::offer_link` and `scheduler::open_offer`.
    pub offer_link: OfferLinkKey,
    /// For `scheduler::join_tokens`.
    pub join_token: JoinTokenSeed,
    /// For `scheduler::demo::api_tokens`.
    pub demo_token: DemoTokenKey,
    /// For `scheduler::self_booking`.
    pub self_booking: SelfBookingKey,
}

/// The secret is shorter than [`MIN_SECRET_BYTES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("SECRET must hold at least {MIN_SECRET_BYTES} bytes")]
pub struct SecretTooShort;

impl Keys {
    /// Derives every key from `secret` (HKDF, RFC 5869). Another secret makes all links and tokens given out before worthless.
    pub fn derive(secret: &Redacted<String>) -> Result<Self, SecretTooShort> {
        if secret.expose().len() < MIN_SECRET_BYTES {
            return Err(SecretTooShort);
        }
        let root = Salt::new(HKDF_SHA256, b"bedside").extract(secret.expose().as_bytes());
        Ok(Self {
            visit_link: expand(&root, b"visit link v1"),
            offer_link: expand(&root, b"offer link v1"),
            join_token: expand(&root, b"join token v1"),
            demo_token: expand(&root, b"demo token v1"),
            self_booking: expand(&root, b"self-booking v1"),
        })
    }
}

fn expand(root: &Prk, purpose: &[u8]) -> Redacted<[u8; 32]> {
    let mut key = [0; 32];
    root.expand(&[purpose], HKDF_SHA256)
        .and_then(|material| material.fill(&mut key))
        .expect("32 bytes are within what HKDF-SHA-256 gives");
    Redacted::new(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_purpose_has_its_own_key_and_the_same_secret_gives_the_same_keys() {
        let secret = Redacted::new("a secret of at least thirty-two bytes".to_owned());
        let keys = Keys::derive(&secret).expect("long enough");
        assert_ne!(keys.visit_link, keys.join_token);
        assert_ne!(keys.visit_link, keys.offer_link);
        assert_ne!(keys.visit_link, keys.self_booking);
        assert_eq!(keys.visit_link, Keys::derive(&secret).expect("long enough").visit_link);
    }

    #[test]
    fn a_short_secret_is_refused() {
        assert_eq!(Keys::derive(&Redacted::new("short".to_owned())).err(), Some(SecretTooShort));
    }
}
