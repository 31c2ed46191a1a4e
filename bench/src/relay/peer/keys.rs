//! What protects the packets of a transport, and the keys of both sides.

use anyhow::ensure;
use media_relay::srtp::{self, CM_KEYING_MATERIAL_BYTES, KEYING_MATERIAL_BYTES, Opener, Sealer};
use rtc_dtls::extension::extension_use_srtp::SrtpProtectionProfile;

/// An SRTP protection profile that the generator can offer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Suite {
    /// AEAD_AES_128_GCM (RFC 7714).
    #[default]
    Gcm,
    /// SRTP_AES128_CM_HMAC_SHA1_80 (RFC 5764), for servers that know nothing newer.
    Cm,
}

/// Keys and salts of both sides, as DTLS exports them.
#[derive(Clone, PartialEq, Eq)]
pub enum Material {
    /// Of [`Suite::Gcm`].
    Gcm(Box<[u8; KEYING_MATERIAL_BYTES]>),
    /// Of [`Suite::Cm`].
    Cm(Box<[u8; CM_KEYING_MATERIAL_BYTES]>),
}

/// What opens and seals the packets.
pub struct Keys {
    /// Of what comes.
    pub opener: Opener,
    /// Of what goes.
    pub sealer: Sealer,
    /// The profile, as rows name it.
    pub suite: &'static str,
}

impl Suite {
    /// As rows name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gcm => "AES-128-GCM",
            Self::Cm => "AES-128-CM-SHA1-80",
        }
    }

    /// As the handshake names it.
    pub const fn profile(self) -> SrtpProtectionProfile {
        match self {
            Self::Gcm => SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm,
            Self::Cm => SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80,
        }
    }

    /// How many bytes of keys and salts it needs.
    pub const fn material_bytes(self) -> usize {
        match self {
            Self::Gcm => KEYING_MATERIAL_BYTES,
            Self::Cm => CM_KEYING_MATERIAL_BYTES,
        }
    }
}

impl Material {
    /// The number of bytes says of which profile they are.
    ///
    /// # Errors
    /// When they are of none.
    pub fn of(bytes: &[u8]) -> anyhow::Result<Self> {
        ensure!(
            [KEYING_MATERIAL_BYTES, CM_KEYING_MATERIAL_BYTES].contains(&bytes.len()),
            "{} bytes are no keys",
            bytes.len()
        );
        Ok(match bytes.try_into() {
            Ok(bytes) => Self::Gcm(Box::new(bytes)),
            Err(_) => Self::Cm(Box::new(bytes.try_into()?)),
        })
    }

    /// Them.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Gcm(bytes) => &bytes[..],
            Self::Cm(bytes) => &bytes[..],
        }
    }

    /// The keys of the DTLS client or server.
    pub fn keys(&self, is_client: bool) -> Keys {
        let (suite, (opener, sealer)) = match (self, is_client) {
            (Self::Gcm(bytes), true) => (Suite::Gcm, srtp::from_keying_material_of_client(bytes)),
            (Self::Gcm(bytes), false) => (Suite::Gcm, srtp::from_keying_material(bytes)),
            (Self::Cm(bytes), true) => (Suite::Cm, srtp::from_cm_keying_material_of_client(bytes)),
            (Self::Cm(bytes), false) => (Suite::Cm, srtp::from_cm_keying_material(bytes)),
        };
        Keys { opener, sealer, suite: suite.name() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_side_seals_the_other_opens_under_every_profile() {
        for suite in [Suite::Gcm, Suite::Cm] {
            let material = Material::of(&vec![9; suite.material_bytes()]).expect("keys");
            let (client, server) = (material.keys(true), material.keys(false));
            let mut packet = b"\x80\x60\0\x01\0\0\0\0\0\0\0\x07picture".to_vec();
            client.sealer.seal_rtp(&mut packet, 0, 12, 7, 1);
            assert_eq!(packet.len(), 19 + client.sealer.rtp_overhead());
            let length = server.opener.open_rtp(&mut packet, 12, 7, 1).expect("it is authentic");
            assert_eq!((&packet[12..length], server.suite), (&b"picture"[..], suite.name()));
        }
        assert!(Material::of(&[0; 57]).is_err());
    }
}
