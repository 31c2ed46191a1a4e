//! AES-128-GCM (RFC 7714).

use super::{NotAuthentic, RTCP_CLEAR_BYTES, derive, xor};
use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

/// Bytes that sealing adds to an RTP packet with AES-128-GCM.
pub const TAG_BYTES: usize = 16;

/// One direction's session keys.
pub(super) struct GcmKeys {
    pub(super) rtp: LessSafeKey,
    pub(super) rtp_salt: [u8; 12],
    pub(super) rtcp: LessSafeKey,
    pub(super) rtcp_salt: [u8; 12],
}

impl GcmKeys {
    /// RFC 3711 §4.3 with the 96-bit master salt of RFC 7714 §11 and a key derivation rate of 0.
    pub(super) fn derive(master_key: &[u8; 16], master_salt: &[u8]) -> Self {
        let mut bytes = [0; 16];
        let salt = |label| {
            let mut salt = [0; 12];
            derive(master_key, master_salt, label, &mut salt);
            salt
        };
        let (rtp_salt, rtcp_salt) = (salt(0x02), salt(0x05));
        let mut key = |label| {
            derive(master_key, master_salt, label, &mut bytes);
            gcm_key(&bytes)
        };
        Self { rtp: key(0x00), rtp_salt, rtcp: key(0x03), rtcp_salt }
    }

    pub(super) fn open_rtp(
        &self,
        packet: &mut [u8],
        header_len: usize,
        ssrc: u32,
        index: u64,
    ) -> Result<usize, NotAuthentic> {
        if packet.len() < header_len + TAG_BYTES {
            return Err(NotAuthentic);
        }
        let (header, sealed) = packet.split_at_mut(header_len);
        let nonce = rtp_nonce(&self.rtp_salt, ssrc, index);
        let plain = self.rtp.open_in_place(nonce, Aad::from(&*header), sealed).map_err(|_| NotAuthentic)?;
        Ok(header_len + plain.len())
    }

    pub(super) fn seal_rtp(&self, buffer: &mut Vec<u8>, start: usize, header_len: usize, ssrc: u32, index: u64) {
        let (header, plain) = buffer[start..].split_at_mut(header_len);
        let nonce = rtp_nonce(&self.rtp_salt, ssrc, index);
        let sealed = self.rtp.seal_in_place_separate_tag(nonce, Aad::from(&*header), plain);
        buffer.extend_from_slice(sealed.expect("a packet is shorter than AES-GCM's limit").as_ref());
    }

    /// Flag and index of an SRTCP datagram that is long enough: its last four bytes (RFC 7714 §9.2).
    pub(super) fn rtcp_index(packet: &[u8]) -> Option<u32> {
        let is_whole = packet.len() >= RTCP_CLEAR_BYTES + TAG_BYTES + 4;
        packet.last_chunk().filter(|_| is_whole).map(|bytes| u32::from_be_bytes(*bytes))
    }

    pub(super) fn open_rtcp(&self, packet: &mut [u8], ssrc: u32, flagged: u32) -> Result<usize, NotAuthentic> {
        let sealed_end = packet.len() - 4;
        let (header, sealed) = packet[..sealed_end].split_at_mut(RTCP_CLEAR_BYTES);
        let aad = rtcp_aad(header, flagged);
        let nonce = rtcp_nonce(&self.rtcp_salt, ssrc, flagged & !super::ENCRYPTED_FLAG);
        let plain = self.rtcp.open_in_place(nonce, Aad::from(aad), sealed).map_err(|_| NotAuthentic)?;
        Ok(RTCP_CLEAR_BYTES + plain.len())
    }

    pub(super) fn seal_rtcp(&self, buffer: &mut Vec<u8>, start: usize, ssrc: u32, flagged: u32) {
        let (header, plain) = buffer[start..].split_at_mut(RTCP_CLEAR_BYTES);
        let nonce = rtcp_nonce(&self.rtcp_salt, ssrc, flagged & !super::ENCRYPTED_FLAG);
        let sealed = self.rtcp.seal_in_place_separate_tag(nonce, Aad::from(rtcp_aad(header, flagged)), plain);
        buffer.extend_from_slice(sealed.expect("a packet is shorter than AES-GCM's limit").as_ref());
        buffer.extend_from_slice(&flagged.to_be_bytes());
    }
}

pub(super) fn gcm_key(bytes: &[u8; 16]) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&AES_128_GCM, bytes).expect("a key of 16 bytes"))
}

/// RFC 7714 §8.1.
fn rtp_nonce(salt: &[u8; 12], ssrc: u32, index: u64) -> Nonce {
    let mut iv = *salt;
    xor(&mut iv[2..6], &ssrc.to_be_bytes());
    xor(&mut iv[6..12], &index.to_be_bytes()[2..]);
    Nonce::assume_unique_for_key(iv)
}

/// RFC 7714 §9.1.
fn rtcp_nonce(salt: &[u8; 12], ssrc: u32, index: u32) -> Nonce {
    let mut iv = *salt;
    xor(&mut iv[2..6], &ssrc.to_be_bytes());
    xor(&mut iv[8..12], &index.to_be_bytes());
    Nonce::assume_unique_for_key(iv)
}

fn rtcp_aad(header: &[u8], flagged_index: u32) -> [u8; 12] {
    let mut aad = [0; 12];
    aad[..8].copy_from_slice(&header[..8]);
    aad[8..].copy_from_slice(&flagged_index.to_be_bytes());
    aad
}
