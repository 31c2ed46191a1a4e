//! The RTP header (RFC 3550 §5.1) and its extensions (RFC 8285), read and written without copies.

/// Bytes of a header without contributing sources and extensions.
pub(crate) const FIXED_HEADER_BYTES: usize = 12;
const ONE_BYTE_PROFILE: u16 = 0xBEDE;

/// The header of one packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Last packet of a frame, or first after silence.
    pub marker: bool,
    /// The payload ends in padding.
    pub padding: bool,
    /// In the sender's numbering.
    pub payload_type: u8,
    /// Counts packets, modulo 2^16.
    pub sequence: u16,
    /// When the payload was sampled, in clock ticks modulo 2^32.
    pub timestamp: u32,
    /// The stream.
    pub ssrc: u32,
    /// Where the payload begins.
    pub len: usize,
    extension: Option<(u16, usize)>,
}

impl Header {
    /// Reads a header; `None` when it is not RTP or does not fit.
    pub fn parse(packet: &[u8]) -> Option<Self> {
        if packet.len() < FIXED_HEADER_BYTES || packet[0] >> 6 != 2 {
            return None;
        }
        let word = |at: usize| packet.get(at..at + 2).map(|b| u16::from_be_bytes([b[0], b[1]]));
        let long = |at: usize| u32::from_be_bytes([packet[at], packet[at + 1], packet[at + 2], packet[at + 3]]);
        let mut len = FIXED_HEADER_BYTES + 4 * usize::from(packet[0] & 0x0f);
        let mut extension = None;
        if packet[0] & 0x10 != 0 {
            extension = Some((word(len)?, len + 4));
            len += 4 + 4 * usize::from(word(len + 2)?);
        }
        (len <= packet.len()).then(|| Self {
            marker: packet[1] & 0x80 != 0,
            padding: packet[0] & 0x20 != 0,
            payload_type: packet[1] & 0x7f,
            sequence: u16::from_be_bytes([packet[2], packet[3]]),
            timestamp: long(4),
            ssrc: long(8),
            len,
            extension,
        })
    }

    /// The value of the header extension `id`.
    pub fn extension<'a>(&self, packet: &'a [u8], id: u8) -> Option<&'a [u8]> {
        let (profile, start) = self.extension?;
        let mut rest = packet.get(start..self.len)?;
        loop {
            let (found, length, head) = match (*rest.first()?, profile) {
                (0, _) => {
                    rest = &rest[1..];
                    continue;
                }
                (byte, ONE_BYTE_PROFILE) if byte >> 4 == 15 => return None,
                (byte, ONE_BYTE_PROFILE) => (byte >> 4, usize::from(byte & 0x0f) + 1, 1),
                (byte, profile) if profile & 0xfff0 == 0x1000 => (byte, usize::from(*rest.get(1)?), 2),
                _ => return None,
            };
            let value = rest.get(head..head + length)?;
            if found == id {
                return Some(value);
            }
            rest = &rest[head + length..];
        }
    }

    /// The payload of an opened packet, without its padding; `None` when the padding is longer than it.
    pub fn payload<'a>(&self, packet: &'a [u8]) -> Option<&'a [u8]> {
        let payload = packet.get(self.len..)?;
        if !self.padding {
            return Some(payload);
        }
        let padding = usize::from(*payload.last()?);
        payload.get(..payload.len().checked_sub(padding)?)
    }
}

/// What is written in front of an outgoing payload.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OutgoingHeader<'a> {
    /// See [`Header::marker`].
    pub marker: bool,
    /// In the receiver's numbering.
    pub payload_type: u8,
    /// Lower half of the extended sequence number.
    pub sequence: u16,
    /// In clock ticks.
    pub timestamp: u32,
    /// The slot's stream.
    pub ssrc: u32,
    /// One-byte extension elements.
    pub extensions: &'a [u8],
}

/// The length of a header with so many bytes of extension elements.
pub(crate) fn header_len(extensions: usize) -> usize {
    FIXED_HEADER_BYTES + if extensions == 0 { 0 } else { 4 + extensions.next_multiple_of(4) }
}

impl OutgoingHeader<'_> {
    /// Appends the header and returns its length.
    pub(crate) fn write(&self, buffer: &mut Vec<u8>) -> usize {
        let has_extensions = !self.extensions.is_empty();
        buffer.push(0x80 | u8::from(has_extensions) << 4);
        buffer.push(u8::from(self.marker) << 7 | self.payload_type);
        buffer.extend_from_slice(&self.sequence.to_be_bytes());
        buffer.extend_from_slice(&self.timestamp.to_be_bytes());
        buffer.extend_from_slice(&self.ssrc.to_be_bytes());
        if !has_extensions {
            return FIXED_HEADER_BYTES;
        }
        let words = self.extensions.len().div_ceil(4);
        buffer.extend_from_slice(&ONE_BYTE_PROFILE.to_be_bytes());
        buffer.extend_from_slice(&(words as u16).to_be_bytes());
        buffer.extend_from_slice(self.extensions);
        buffer.extend_from_slice(&[0; 3][..words * 4 - self.extensions.len()]);
        FIXED_HEADER_BYTES + 4 + 4 * words
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_written_is_read() {
        let mut packet = Vec::new();
        let header = OutgoingHeader {
            marker: true,
            payload_type: 96,
            sequence: 65_535,
            timestamp: 7,
            ssrc: 42,
            extensions: &[0x31, b'a', b'0', 0x10, 0x85],
        };
        let len = header.write(&mut packet);
        packet.extend_from_slice(b"payload");
        let read = Header::parse(&packet).unwrap();
        assert_eq!((read.marker, read.payload_type, read.sequence), (true, 96, 65_535));
        assert_eq!((read.timestamp, read.ssrc, read.len), (7, 42, len));
        assert_eq!(read.extension(&packet, 3), Some(&b"a0"[..]));
        assert_eq!(read.extension(&packet, 1), Some(&[0x85][..]));
        assert_eq!(read.extension(&packet, 2), None);
        assert_eq!(read.payload(&packet), Some(&b"payload"[..]));
    }

    #[test]
    fn padding_is_taken_off_and_too_much_padding_is_refused() {
        let mut packet = vec![0xa0, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 9, 9, 0, 2];
        let header = Header::parse(&packet).unwrap();
        assert_eq!(header.payload(&packet), Some(&[9, 9][..]));
        *packet.last_mut().unwrap() = 5;
        assert_eq!(header.payload(&packet), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64), id in 0_u8..16) {
            if let Some(header) = Header::parse(&bytes) {
                let _ = header.extension(&bytes, id);
                let _ = header.payload(&bytes);
            }
        }
    }
}
