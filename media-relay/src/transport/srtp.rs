//! SRTP and SRTCP with AES-128-GCM (RFC 7714), in place, keys from the DTLS handshake (RFC 5764).

use aws_lc_rs::{
    aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    cipher::{AES_128, EncryptingKey, EncryptionContext, UnboundCipherKey},
    iv::FixedLength,
};

/// Bytes that sealing adds to an RTP packet.
pub const TAG_BYTES: usize = 16;
/// Bytes that sealing adds to an RTCP packet: the tag and the index (RFC 7714 §9.2).
const RTCP_TRAILER_BYTES: usize = TAG_BYTES + 4;
/// RTCP header and SSRC stay in clear.
const RTCP_CLEAR_BYTES: usize = 8;
const ENCRYPTED_FLAG: u32 = 1 << 31;
/// How many RTCP senders one participant may have (one for each track and a few of the browser's own).
const MAX_RTCP_SENDERS: usize = 32;
/// Bytes of `EXTRACTOR-dtls_srtp` for AES-128-GCM: two keys of 16, two salts of 12 (RFC 7714 §12).
pub const KEYING_MATERIAL_BYTES: usize = 56;

/// A packet that is not authentic, not fresh or not well-formed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAuthentic;

/// One direction's session keys for RTP and RTCP.
struct SessionKeys {
    rtp: LessSafeKey,
    rtp_salt: [u8; 12],
    rtcp: LessSafeKey,
    rtcp_salt: [u8; 12],
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

/// Derives both directions from the DTLS exporter's output, as the DTLS server.
pub fn from_keying_material(material: &[u8; KEYING_MATERIAL_BYTES]) -> (Opener, Sealer) {
    let key = |at: usize| material[at..at + 16].try_into().expect("16 bytes");
    let client = SessionKeys::derive(key(0), &material[32..44]);
    let server = SessionKeys::derive(key(16), &material[44..56]);
    (
        Opener { keys: client, rtcp_senders: Vec::with_capacity(MAX_RTCP_SENDERS) },
        Sealer { keys: server, rtcp_index: 0 },
    )
}

/// Derives both directions from the DTLS exporter's output, as the DTLS client.
pub fn from_keying_material_of_client(material: &[u8; KEYING_MATERIAL_BYTES]) -> (Opener, Sealer) {
    let mut swapped = *material;
    swapped[..16].copy_from_slice(&material[16..32]);
    swapped[16..32].copy_from_slice(&material[..16]);
    swapped[32..44].copy_from_slice(&material[44..]);
    swapped[44..].copy_from_slice(&material[32..44]);
    from_keying_material(&swapped)
}

impl Opener {
    /// Opens an RTP packet in place. `header_len` bytes are in clear; `index` is the 48-bit packet index.
    ///
    /// Returns the length of the opened packet. The caller has checked `index` against the stream's
    /// [`ReplayWindow`] before and marks it after.
    pub fn open_rtp(&self, packet: &mut [u8], header_len: usize, ssrc: u32, index: u64) -> Result<usize, NotAuthentic> {
        if packet.len() < header_len + TAG_BYTES {
            return Err(NotAuthentic);
        }
        let (header, sealed) = packet.split_at_mut(header_len);
        let nonce = rtp_nonce(&self.keys.rtp_salt, ssrc, index);
        let plain = self.keys.rtp.open_in_place(nonce, Aad::from(&*header), sealed).map_err(|_| NotAuthentic)?;
        Ok(header_len + plain.len())
    }

    /// Opens an SRTCP datagram in place and returns the length of the RTCP packets in it.
    ///
    /// A sender's replay window comes into being only after its first authentic packet.
    pub fn open_rtcp(&mut self, packet: &mut [u8]) -> Result<usize, NotAuthentic> {
        let sealed_end = packet.len().checked_sub(4).ok_or(NotAuthentic)?;
        if sealed_end < RTCP_CLEAR_BYTES + TAG_BYTES {
            return Err(NotAuthentic);
        }
        let (packet, trailer) = packet.split_at_mut(sealed_end);
        let flagged = u32::from_be_bytes(trailer.try_into().expect("4 bytes"));
        let index = u64::from(flagged & !ENCRYPTED_FLAG);
        let ssrc = u32::from_be_bytes(packet[4..8].try_into().expect("4 bytes"));
        let known = self.rtcp_senders.iter().position(|(sender, _)| *sender == ssrc);
        // RFC 7714 allows RTCP in clear; WebRTC never uses it.
        let fresh = known.is_none_or(|at| self.rtcp_senders[at].1.is_fresh(index));
        if flagged & ENCRYPTED_FLAG == 0 || !fresh || (known.is_none() && self.rtcp_senders.len() == MAX_RTCP_SENDERS) {
            return Err(NotAuthentic);
        }
        let (header, sealed) = packet.split_at_mut(RTCP_CLEAR_BYTES);
        let aad = rtcp_aad(header, flagged);
        let nonce = rtcp_nonce(&self.keys.rtcp_salt, ssrc, flagged & !ENCRYPTED_FLAG);
        let plain = self.keys.rtcp.open_in_place(nonce, Aad::from(aad), sealed).map_err(|_| NotAuthentic)?.len();
        let at = known.unwrap_or_else(|| {
            self.rtcp_senders.push((ssrc, ReplayWindow::default()));
            self.rtcp_senders.len() - 1
        });
        self.rtcp_senders[at].1.mark(index);
        Ok(RTCP_CLEAR_BYTES + plain)
    }
}

impl Sealer {
    /// Seals the RTP packet that begins at `start` of `buffer` and runs to its end, and appends the tag.
    ///
    /// An `index` must never be used twice for an `ssrc` unless the packet is the same.
    pub fn seal_rtp(&self, buffer: &mut Vec<u8>, start: usize, header_len: usize, ssrc: u32, index: u64) {
        let (header, plain) = buffer[start..].split_at_mut(header_len);
        let nonce = rtp_nonce(&self.keys.rtp_salt, ssrc, index);
        let sealed = self.keys.rtp.seal_in_place_separate_tag(nonce, Aad::from(&*header), plain);
        buffer.extend_from_slice(sealed.expect("a packet is shorter than AES-GCM's limit").as_ref());
    }

    /// Seals the RTCP packets that begin at `start` of `buffer` and run to its end, and appends tag and index.
    pub fn seal_rtcp(&mut self, buffer: &mut Vec<u8>, start: usize) {
        self.rtcp_index = (self.rtcp_index + 1) & !ENCRYPTED_FLAG;
        let flagged = self.rtcp_index | ENCRYPTED_FLAG;
        let (header, plain) = buffer[start..].split_at_mut(RTCP_CLEAR_BYTES);
        let ssrc = u32::from_be_bytes(header[4..8].try_into().expect("4 bytes"));
        let nonce = rtcp_nonce(&self.keys.rtcp_salt, ssrc, self.rtcp_index);
        let sealed = self.keys.rtcp.seal_in_place_separate_tag(nonce, Aad::from(rtcp_aad(header, flagged)), plain);
        buffer.extend_from_slice(sealed.expect("a packet is shorter than AES-GCM's limit").as_ref());
        buffer.extend_from_slice(&flagged.to_be_bytes());
    }

    /// How many bytes [`seal_rtcp`](Self::seal_rtcp) adds.
    pub const fn rtcp_overhead() -> usize {
        RTCP_TRAILER_BYTES
    }
}

impl SessionKeys {
    /// RFC 3711 §4.3 with the 96-bit master salt of RFC 7714 §11 and a key derivation rate of 0.
    fn derive(master_key: &[u8; 16], master_salt: &[u8]) -> Self {
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
}

fn gcm_key(bytes: &[u8; 16]) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&AES_128_GCM, bytes).expect("a key of 16 bytes"))
}

/// AES in counter mode over the salt with the label at byte 7 (RFC 3711 §4.3.3).
fn derive(master_key: &[u8; 16], master_salt: &[u8], label: u8, out: &mut [u8]) {
    let mut iv = [0; 16];
    iv[..master_salt.len()].copy_from_slice(master_salt);
    iv[7] ^= label;
    out.fill(0);
    let key = UnboundCipherKey::new(&AES_128, master_key).expect("a key of 16 bytes");
    let key = EncryptingKey::ctr(key).expect("AES-128 has a counter mode");
    key.less_safe_encrypt(out, EncryptionContext::Iv128(FixedLength::from(iv))).expect("an IV of 16 bytes");
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

fn xor(into: &mut [u8], with: &[u8]) {
    into.iter_mut().zip(with).for_each(|(a, b)| *a ^= b);
}

/// Which packets of a stream have been seen: the highest index and the 127 before it (RFC 3711 §3.3.2).
#[derive(Debug, Clone, Copy, Default)]
pub struct ReplayWindow {
    highest: Option<u64>,
    /// Bit n: the index `highest - n` has been seen.
    seen: u128,
}

impl ReplayWindow {
    /// The 48-bit index that a 16-bit sequence number most likely stands for (RFC 3711 §3.3.1).
    pub fn index_of(&self, sequence: u16) -> Option<u64> {
        let Some(highest) = self.highest else { return Some(u64::from(sequence)) };
        let distance = i64::from(sequence.wrapping_sub(highest as u16) as i16);
        highest.checked_add_signed(distance)
    }

    /// Not seen before, and not too old to know.
    pub fn is_fresh(&self, index: u64) -> bool {
        match self.highest {
            Some(highest) if index <= highest => highest - index < 128 && self.seen & (1 << (highest - index)) == 0,
            _ => true,
        }
    }

    /// Remembers an authentic packet.
    pub fn mark(&mut self, index: u64) {
        match self.highest {
            Some(highest) if index <= highest => self.seen |= 1_u128.checked_shl((highest - index) as u32).unwrap_or(0),
            before => {
                let shift = before.map_or(128, |highest| index - highest);
                self.seen = u32::try_from(shift).ok().and_then(|s| self.seen.checked_shl(s)).unwrap_or(0) | 1;
                self.highest = Some(index);
            }
        }
    }

    /// The highest index seen.
    #[cfg(test)]
    pub(crate) fn highest(&self) -> Option<u64> {
        self.highest
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) use super::from_keying_material_of_client as client;

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
        digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
    }

    fn with_session_key() -> SessionKeys {
        let key: [u8; 16] = hex("000102030405060708090a0b0c0d0e0f").try_into().unwrap();
        let salt: [u8; 12] = hex("51756964 2070726f 2071756f").try_into().unwrap();
        SessionKeys { rtp: gcm_key(&key), rtp_salt: salt, rtcp: gcm_key(&key), rtcp_salt: salt }
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

    #[test]
    fn the_window_knows_repeats_wraps_and_the_too_old() {
        let mut window = ReplayWindow::default();
        for sequence in [65_534_u16, 65_535, 0, 1] {
            let index = window.index_of(sequence).unwrap();
            assert!(window.is_fresh(index));
            window.mark(index);
            assert!(!window.is_fresh(index));
        }
        assert_eq!(window.highest(), Some(65_537));
        assert_eq!(window.index_of(65_533), Some(65_533));
        assert!(window.is_fresh(65_533));
        window.mark(65_537 + 500);
        assert!(!window.is_fresh(65_533), "too old to know");
        assert!(window.is_fresh(65_537 + 499));
    }
}
