//! AES-128 in counter mode with an 80-bit tag of HMAC-SHA-1 (RFC 3711 §4), which every WebRTC client has: four to eight times
//! the arithmetic of AES-GCM, so only for those that have nothing else.

use super::{NotAuthentic, RTCP_CLEAR_BYTES, apply_counter_mode, counter_mode_key, derive, xor};
use aws_lc_rs::{
    cipher::EncryptingKey,
    constant_time::verify_slices_are_equal,
    hmac::{Context, HMAC_SHA1_FOR_LEGACY_USE_ONLY, Key},
};

/// Bytes that sealing adds to an RTP packet.
pub(super) const TAG_BYTES: usize = 10;

/// One direction's session keys.
pub(super) struct CmKeys {
    rtp: Keys,
    rtcp: Keys,
}

struct Keys {
    cipher: EncryptingKey,
    salt: [u8; 14],
    authentication: Key,
}

impl CmKeys {
    /// RFC 3711 §4.3 with a key derivation rate of 0.
    pub(super) fn derive(master_key: &[u8; 16], master_salt: &[u8]) -> Self {
        let keys = |first_label: u8| {
            let (mut cipher, mut authentication, mut salt) = ([0; 16], [0; 20], [0; 14]);
            derive(master_key, master_salt, first_label, &mut cipher);
            derive(master_key, master_salt, first_label + 1, &mut authentication);
            derive(master_key, master_salt, first_label + 2, &mut salt);
            let authentication = Key::new(HMAC_SHA1_FOR_LEGACY_USE_ONLY, &authentication);
            Keys { cipher: counter_mode_key(&cipher), salt, authentication }
        };
        Self { rtp: keys(0x00), rtcp: keys(0x03) }
    }

    pub(super) fn open_rtp(
        &self,
        packet: &mut [u8],
        header_len: usize,
        ssrc: u32,
        index: u64,
    ) -> Result<usize, NotAuthentic> {
        let end = packet.len().checked_sub(TAG_BYTES).filter(|end| *end >= header_len).ok_or(NotAuthentic)?;
        let (packet, tag) = packet.split_at_mut(end);
        self.rtp.verify(packet, &rollover_counter(index), tag)?;
        self.rtp.apply(&mut packet[header_len..], ssrc, index);
        Ok(end)
    }

    pub(super) fn seal_rtp(&self, buffer: &mut Vec<u8>, start: usize, header_len: usize, ssrc: u32, index: u64) {
        self.rtp.apply(&mut buffer[start + header_len..], ssrc, index);
        let tag = self.rtp.tag(&buffer[start..], &rollover_counter(index));
        buffer.extend_from_slice(&tag);
    }

    /// Flag and index of an SRTCP datagram that is long enough: the four bytes before the tag (RFC 3711 §3.4).
    pub(super) fn rtcp_index(packet: &[u8]) -> Option<u32> {
        let end = packet.len().checked_sub(TAG_BYTES).filter(|end| *end >= RTCP_CLEAR_BYTES + 4)?;
        packet[..end].last_chunk().map(|bytes| u32::from_be_bytes(*bytes))
    }

    pub(super) fn open_rtcp(&self, packet: &mut [u8], ssrc: u32, flagged: u32) -> Result<usize, NotAuthentic> {
        let (packet, tag) = packet.split_at_mut(packet.len() - TAG_BYTES);
        self.rtcp.verify(packet, &[], tag)?;
        let end = packet.len() - 4;
        self.rtcp.apply(&mut packet[RTCP_CLEAR_BYTES..end], ssrc, u64::from(flagged & !super::ENCRYPTED_FLAG));
        Ok(end)
    }

    pub(super) fn seal_rtcp(&self, buffer: &mut Vec<u8>, start: usize, ssrc: u32, flagged: u32) {
        let index = u64::from(flagged & !super::ENCRYPTED_FLAG);
        self.rtcp.apply(&mut buffer[start + RTCP_CLEAR_BYTES..], ssrc, index);
        buffer.extend_from_slice(&flagged.to_be_bytes());
        let tag = self.rtcp.tag(&buffer[start..], &[]);
        buffer.extend_from_slice(&tag);
    }
}

impl Keys {
    /// RFC 3711 §4.1.1: salt, SSRC and index make the first counter block.
    fn apply(&self, bytes: &mut [u8], ssrc: u32, index: u64) {
        let mut iv = [0; 16];
        iv[..14].copy_from_slice(&self.salt);
        xor(&mut iv[4..8], &ssrc.to_be_bytes());
        xor(&mut iv[8..14], &index.to_be_bytes()[2..]);
        apply_counter_mode(&self.cipher, iv, bytes);
    }

    /// RFC 3711 §4.2: the first 80 bits over the packet and what is not sent with it.
    fn tag(&self, packet: &[u8], unsent: &[u8]) -> [u8; TAG_BYTES] {
        let mut context = Context::with_key(&self.authentication);
        context.update(packet);
        context.update(unsent);
        *context.sign().as_ref().first_chunk().expect("SHA-1 has 20 bytes")
    }

    fn verify(&self, packet: &[u8], unsent: &[u8], tag: &[u8]) -> Result<(), NotAuthentic> {
        verify_slices_are_equal(&self.tag(packet, unsent), tag).map_err(|_| NotAuthentic)
    }
}

/// The upper 32 bits of a packet index: authenticated and not sent.
fn rollover_counter(index: u64) -> [u8; 4] {
    ((index >> 16) as u32).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::srtp::{
        CM_KEYING_MATERIAL_BYTES, Opener, Sealer, from_cm_keying_material, from_cm_keying_material_of_client,
    };

    /// RFC 3711 appendix B.2 and B.3.
    const MASTER_KEY: [u8; 16] = 0xE1F9_7A0D_3E01_8BE0_D64F_A32C_06DE_4139_u128.to_be_bytes();
    const MASTER_SALT: [u8; 14] = [0x0E, 0xC6, 0x75, 0xAD, 0x49, 0x8A, 0xFE, 0xEB, 0xB6, 0x96, 0x0B, 0x3A, 0xAB, 0xE6];

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
        digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
    }

    fn both_sides() -> ((Opener, Sealer), (Opener, Sealer)) {
        let material: [u8; CM_KEYING_MATERIAL_BYTES] = std::array::from_fn(|n| n as u8);
        (from_cm_keying_material(&material), from_cm_keying_material_of_client(&material))
    }

    #[test]
    fn the_keystream_of_rfc_3711_appendix_b_2_comes_out() {
        let key = 0x2B7E_1516_28AE_D2A6_ABF7_1588_09CF_4F3C_u128.to_be_bytes();
        let salt: [u8; 14] = hex("F0F1F2F3F4F5F6F7F8F9FAFBFCFD").try_into().unwrap();
        let authentication = Key::new(HMAC_SHA1_FOR_LEGACY_USE_ONLY, &[0; 20]);
        let keys = Keys { cipher: counter_mode_key(&key), salt, authentication };
        let mut stream = [0; 32];
        keys.apply(&mut stream, 0, 0);
        assert_eq!(stream.to_vec(), hex("E03EAD0935C95E80E166B16DD92B4EB4 D23513162B02D0F72A43A2FE4A5F97AB"));
    }

    #[test]
    fn the_authentication_key_of_rfc_3711_appendix_b_3_comes_out() {
        let mut key = [0; 20];
        derive(&MASTER_KEY, &MASTER_SALT, 0x01, &mut key);
        assert_eq!(key.to_vec(), hex("CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4"));
    }

    #[test]
    fn what_one_side_seals_the_other_opens_also_after_65_536_packets() {
        let ((mut opener, _), (_, mut sealer)) = both_sides();
        let plain = hex("80600001 00000001 0000002a 0102030405");
        for index in [1, 65_537, 0xffff_ffff_0001] {
            let mut packet = plain.clone();
            sealer.seal_rtp(&mut packet, 0, 12, 42, index);
            assert_eq!(packet.len(), plain.len() + sealer.rtp_overhead());
            let mut wrong = packet.clone();
            assert_eq!(opener.open_rtp(&mut wrong, 12, 42, index ^ 0x1_0000), Err(NotAuthentic));
            assert_eq!(opener.open_rtp(&mut packet, 12, 42, index), Ok(plain.len()));
            assert_eq!(packet[..plain.len()], plain);
        }
        let report = hex("80c90001 11223344 01020304");
        let mut packet = report.clone();
        sealer.seal_rtcp(&mut packet, 0);
        assert_eq!(packet.len(), report.len() + sealer.rtcp_overhead());
        let mut again = packet.clone();
        assert_eq!(opener.open_rtcp(&mut packet), Ok(report.len()));
        assert_eq!(packet[..report.len()], report);
        assert_eq!(opener.open_rtcp(&mut again), Err(NotAuthentic), "once and only once");
    }

    #[test]
    fn a_changed_or_cut_packet_does_not_open() {
        let ((mut opener, _), (_, mut sealer)) = both_sides();
        let (mut media, mut report) = (hex("80600001 00000001 0000002a 0102030405"), hex("80c90001 11223344 01020304"));
        sealer.seal_rtp(&mut media, 0, 12, 42, 1);
        sealer.seal_rtcp(&mut report, 0);
        for at in 0..media.len() {
            let mut changed = media.clone();
            changed[at] ^= 1;
            assert_eq!(opener.open_rtp(&mut changed, 12, 42, 1), Err(NotAuthentic), "byte {at}");
            assert_eq!(opener.open_rtp(&mut media[..at].to_vec(), 12, 42, 1), Err(NotAuthentic), "cut at {at}");
        }
        for at in 0..report.len() {
            let mut changed = report.clone();
            changed[at] ^= 1;
            assert_eq!(opener.open_rtcp(&mut changed), Err(NotAuthentic), "byte {at}");
            assert_eq!(opener.open_rtcp(&mut report[..at].to_vec()), Err(NotAuthentic), "cut at {at}");
        }
    }
}
