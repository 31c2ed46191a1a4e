//! SRTP and SRTCP in place, keys from the DTLS handshake (RFC 5764): AES-128-GCM for whoever has it, AES in counter mode with
//! HMAC-SHA-1 for devices that have nothing newer.

mod cm;
mod gcm;
mod replay;

pub use gcm::TAG_BYTES;
pub use replay::ReplayWindow;

use aws_lc_rs::{
    cipher::{AES_128, EncryptingKey, EncryptionContext, UnboundCipherKey},
    iv::FixedLength,
};
use cm::CmKeys;
use gcm::GcmKeys;

/// RTCP header and SSRC stay in clear.
const RTCP_CLEAR_BYTES: usize = 8;
const ENCRYPTED_FLAG: u32 = 1 << 31;
/// How many RTCP senders one participant may have (one for each track and a few of the browser's own).
const MAX_RTCP_SENDERS: usize = 32;
/// Bytes of `EXTRACTOR-dtls_srtp` for AES-128-GCM: two keys of 16, two salts of 12 (RFC 7714 §12).
pub const KEYING_MATERIAL_BYTES: usize = 56;
/// The same for AES-CM with HMAC-SHA-1: two keys of 16, two salts of 14 (RFC 5764 §4.1.2).
pub const CM_KEYING_MATERIAL_BYTES: usize = 60;

/// A packet that is not authentic, not fresh or not well-formed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAuthentic;

/// One direction's session keys for RTP and RTCP.
enum SessionKeys {
    Gcm(GcmKeys),
    Cm(Box<CmKeys>),
}

/// Opens what a participant sends.
pub struct Opener {
    keys: SessionKeys,
    rtcp_senders: Vec<(u32, ReplayWindow)>,
}

/// Seals what the relay sends to a participant.
pub struct Sealer {
    keys: SessionKeys,
    rtcp_index: u32,
}

/// Derives both directions from the DTLS exporter's output, as the DTLS server, for AES-128-GCM.
pub fn from_keying_material(material: &[u8; KEYING_MATERIAL_BYTES]) -> (Opener, Sealer) {
    let keys =
        |key: usize, salt: usize| SessionKeys::Gcm(GcmKeys::derive(part(material, key), &material[salt..salt + 12]));
    pair(keys(0, 32), keys(16, 44))
}

/// Derives both directions from the DTLS exporter's output, as the DTLS client, for AES-128-GCM.
pub fn from_keying_material_of_client(material: &[u8; KEYING_MATERIAL_BYTES]) -> (Opener, Sealer) {
    from_keying_material(&swapped(material))
}

/// Derives both directions from the DTLS exporter's output, as the DTLS server, for AES-CM with HMAC-SHA-1.
pub fn from_cm_keying_material(material: &[u8; CM_KEYING_MATERIAL_BYTES]) -> (Opener, Sealer) {
    let keys = |key: usize, salt: usize| {
        SessionKeys::Cm(Box::new(CmKeys::derive(part(material, key), &material[salt..salt + 14])))
    };
    pair(keys(0, 32), keys(16, 46))
}

/// Derives both directions from the DTLS exporter's output, as the DTLS client, for AES-CM with HMAC-SHA-1.
pub fn from_cm_keying_material_of_client(material: &[u8; CM_KEYING_MATERIAL_BYTES]) -> (Opener, Sealer) {
    from_cm_keying_material(&swapped(material))
}

/// Two keys and two salts, the server's first.
fn swapped<const BYTES: usize>(material: &[u8; BYTES]) -> [u8; BYTES] {
    let (keys, salts) = material.split_at(32);
    let (client_key, server_key) = keys.split_at(16);
    let (client_salt, server_salt) = salts.split_at(salts.len() / 2);
    let swapped = [server_key, client_key, server_salt, client_salt].concat();
    swapped.try_into().expect("the same parts")
}

fn part(material: &[u8], at: usize) -> &[u8; 16] {
    material[at..].first_chunk().expect("16 bytes")
}

fn pair(client: SessionKeys, server: SessionKeys) -> (Opener, Sealer) {
    (
        Opener { keys: client, rtcp_senders: Vec::with_capacity(MAX_RTCP_SENDERS) },
        Sealer { keys: server, rtcp_index: 0 },
    )
}

impl Opener {
    /// Opens an RTP packet in place. `header_len` bytes are in clear; `index` is the 48-bit packet index.
    ///
    /// Returns the length of the opened packet. The caller has checked `index` against the stream's
    /// [`ReplayWindow`] before and marks it after.
    pub fn open_rtp(&self, packet: &mut [u8], header_len: usize, ssrc: u32, index: u64) -> Result<usize, NotAuthentic> {
        match &self.keys {
            SessionKeys::Gcm(keys) => keys.open_rtp(packet, header_len, ssrc, index),
            SessionKeys::Cm(keys) => keys.open_rtp(packet, header_len, ssrc, index),
        }
    }

    /// Opens an SRTCP datagram in place and returns the length of the RTCP packets in it.
    ///
    /// A sender's replay window comes into being only after its first authentic packet.
    pub fn open_rtcp(&mut self, packet: &mut [u8]) -> Result<usize, NotAuthentic> {
        let flagged = match &self.keys {
            SessionKeys::Gcm(_) => GcmKeys::rtcp_index(packet),
            SessionKeys::Cm(_) => CmKeys::rtcp_index(packet),
        };
        let flagged = flagged.ok_or(NotAuthentic)?;
        let index = u64::from(flagged & !ENCRYPTED_FLAG);
        let ssrc = u32::from_be_bytes(packet[4..8].try_into().expect("4 bytes"));
        let known = self.rtcp_senders.iter().position(|(sender, _)| *sender == ssrc);
        // Both profiles allow RTCP in clear; WebRTC never uses it.
        let fresh = known.is_none_or(|at| self.rtcp_senders[at].1.is_fresh(index));
        if flagged & ENCRYPTED_FLAG == 0 || !fresh || (known.is_none() && self.rtcp_senders.len() == MAX_RTCP_SENDERS) {
            return Err(NotAuthentic);
        }
        let length = match &self.keys {
            SessionKeys::Gcm(keys) => keys.open_rtcp(packet, ssrc, flagged),
            SessionKeys::Cm(keys) => keys.open_rtcp(packet, ssrc, flagged),
        }?;
        let at = known.unwrap_or_else(|| {
            self.rtcp_senders.push((ssrc, ReplayWindow::default()));
            self.rtcp_senders.len() - 1
        });
        self.rtcp_senders[at].1.mark(index);
        Ok(length)
    }
}

impl Sealer {
    /// Seals the RTP packet that begins at `start` of `buffer` and runs to its end, and appends the tag.
    ///
    /// An `index` must never be used twice for an `ssrc` unless the packet is the same.
    pub fn seal_rtp(&self, buffer: &mut Vec<u8>, start: usize, header_len: usize, ssrc: u32, index: u64) {
        match &self.keys {
            SessionKeys::Gcm(keys) => keys.seal_rtp(buffer, start, header_len, ssrc, index),
            SessionKeys::Cm(keys) => keys.seal_rtp(buffer, start, header_len, ssrc, index),
        }
    }

    /// Seals the RTCP packets that begin at `start` of `buffer` and run to its end, and appends tag and index.
    pub fn seal_rtcp(&mut self, buffer: &mut Vec<u8>, start: usize) {
        self.rtcp_index = (self.rtcp_index + 1) & !ENCRYPTED_FLAG;
        let flagged = self.rtcp_index | ENCRYPTED_FLAG;
        let ssrc = u32::from_be_bytes(buffer[start + 4..start + 8].try_into().expect("4 bytes"));
        match &self.keys {
            SessionKeys::Gcm(keys) => keys.seal_rtcp(buffer, start, ssrc, flagged),
            SessionKeys::Cm(keys) => keys.seal_rtcp(buffer, start, ssrc, flagged),
        }
    }

    /// How many bytes [`seal_rtp`](Self::seal_rtp) adds.
    pub fn rtp_overhead(&self) -> usize {
        match self.keys {
            SessionKeys::Gcm(_) => TAG_BYTES,
            SessionKeys::Cm(_) => cm::TAG_BYTES,
        }
    }

    /// How many bytes [`seal_rtcp`](Self::seal_rtcp) adds: a tag and the index.
    pub fn rtcp_overhead(&self) -> usize {
        self.rtp_overhead() + 4
    }
}

/// AES in counter mode over the salt with the label at byte 7 (RFC 3711 §4.3.3).
fn derive(master_key: &[u8; 16], master_salt: &[u8], label: u8, out: &mut [u8]) {
    let mut iv = [0; 16];
    iv[..master_salt.len()].copy_from_slice(master_salt);
    iv[7] ^= label;
    out.fill(0);
    apply_counter_mode(&counter_mode_key(master_key), iv, out);
}

fn counter_mode_key(bytes: &[u8; 16]) -> EncryptingKey {
    let key = UnboundCipherKey::new(&AES_128, bytes).expect("a key of 16 bytes");
    EncryptingKey::ctr(key).expect("AES-128 has a counter mode")
}

/// Enciphers and deciphers alike.
fn apply_counter_mode(key: &EncryptingKey, iv: [u8; 16], bytes: &mut [u8]) {
    key.less_safe_encrypt(bytes, EncryptionContext::Iv128(FixedLength::from(iv))).expect("an IV of 16 bytes");
}

fn xor(into: &mut [u8], with: &[u8]) {
    into.iter_mut().zip(with).for_each(|(a, b)| *a ^= b);
}

#[cfg(test)]
pub(crate) mod tests {
    use super::{gcm::gcm_key, *};

    pub(crate) use super::from_keying_material_of_client as client;

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
        digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
    }

    fn with_session_key() -> SessionKeys {
        let key: [u8; 16] = hex("000102030405060708090a0b0c0d0e0f").try_into().unwrap();
        let salt: [u8; 12] = hex("51756964 2070726f 2071756f").try_into().unwrap();
        SessionKeys::Gcm(GcmKeys { rtp: gcm_key(&key), rtp_salt: salt, rtcp: gcm_key(&key), rtcp_salt: salt })
    }

    #[test]
    fn the_example_of_rfc_7714_section_16_1_comes_out() {
        let plain = hex("8040f17b 8041f8d3 5501a0b2 47616c6c 69612065 7374206f 6d6e6973 20646976
                         69736120 696e2070 61727465 73207472 6573");
        let sealed = hex("8040f17b 8041f8d3 5501a0b2 f24de3a3 fb34de6c acba861c 9d7e4bca be633bd5
                          0d294e6f 42a5f47a 51c7d19b 36de3adf 8833899d 7f27beb1 6a9152cf 765ee439 0cce");
        let sealer = Sealer { keys: with_session_key(), rtcp_index: 0 };
        let mut packet = plain.clone();
        sealer.seal_rtp(&mut packet, 0, 12, 0x5501_a0b2, 0xf17b);
        assert_eq!(packet, sealed);
        let opener = Opener { keys: with_session_key(), rtcp_senders: Vec::new() };
        let length = opener.open_rtp(&mut packet, 12, 0x5501_a0b2, 0xf17b).unwrap();
        assert_eq!(packet[..length], plain);
    }

    #[test]
    fn the_key_derivation_of_rfc_3711_appendix_b_3_comes_out() {
        let key: [u8; 16] = hex("E1F97A0D3E018BE0D64FA32C06DE4139").try_into().unwrap();
        let salt = hex("0EC675AD498AFEEBB6960B3AABE6");
        let (mut cipher_key, mut cipher_salt) = ([0; 16], [0; 14]);
        derive(&key, &salt, 0x00, &mut cipher_key);
        derive(&key, &salt, 0x02, &mut cipher_salt);
        assert_eq!(cipher_key.to_vec(), hex("C61E7A93744F39EE10734AFE3FF7A087"));
        assert_eq!(cipher_salt.to_vec(), hex("30CBBC08863D8C85D49DB34A9AE1"));
    }

    #[test]
    fn rtcp_opens_once_and_only_once() {
        let material: [u8; KEYING_MATERIAL_BYTES] = std::array::from_fn(|n| n as u8);
        let (mut opener, _) = from_keying_material(&material);
        let (_, mut browser) = client(&material);
        let plain = hex("80c90001 11223344");
        let mut packet = plain.clone();
        packet.extend_from_slice(&[7; 12]);
        browser.seal_rtcp(&mut packet, 0);
        let mut again = packet.clone();
        assert_eq!(opener.open_rtcp(&mut packet), Ok(20));
        assert_eq!(opener.open_rtcp(&mut again), Err(NotAuthentic));
    }

    #[test]
    fn a_forged_rtcp_sender_leaves_nothing_behind() {
        let (mut opener, _) = from_keying_material(&[3; KEYING_MATERIAL_BYTES]);
        for ssrc in 0..1_000_u32 {
            let mut packet = hex("80c90001");
            packet.extend_from_slice(&ssrc.to_be_bytes());
            packet.extend_from_slice(&[9; 24]);
            packet.extend_from_slice(&(ENCRYPTED_FLAG | 1).to_be_bytes());
            assert_eq!(opener.open_rtcp(&mut packet), Err(NotAuthentic));
        }
        assert!(opener.rtcp_senders.is_empty());
    }

    #[test]
    fn a_changed_packet_does_not_open() {
        let material = [5; KEYING_MATERIAL_BYTES];
        let (opener, _) = from_keying_material(&material);
        let (_, browser) = client(&material);
        let mut sealed = hex("80600001 00000001 0000002a 0102030405");
        browser.seal_rtp(&mut sealed, 0, 12, 42, 1);
        for at in 0..sealed.len() {
            let mut packet = sealed.clone();
            packet[at] ^= 1;
            assert_eq!(opener.open_rtp(&mut packet, 12, 42, 1), Err(NotAuthentic), "byte {at}");
        }
    }
}
