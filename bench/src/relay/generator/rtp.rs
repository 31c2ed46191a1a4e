//! RTP headers as the generator writes them (RFC 3550, RFC 8285); it reads them as the relay does.

use crate::relay::peer::Extensions;

/// What is written into a header.
pub(super) struct Fields<'a> {
    pub marker: bool,
    pub payload_type: u8,
    pub sequence: u16,
    pub timestamp: u32,
    pub ssrc: u32,
    pub extensions: &'a Extensions,
    /// Named while the server may not know the source yet.
    pub mid: Option<&'a str>,
    pub rid: Option<&'a str>,
    /// Counts every packet of the transport.
    pub transport_sequence: u16,
}

/// Appends a header and returns its length.
pub(super) fn write(bytes: &mut Vec<u8>, fields: &Fields<'_>) -> usize {
    let start = bytes.len();
    bytes.extend_from_slice(&[0x80, u8::from(fields.marker) << 7 | fields.payload_type]);
    bytes.extend_from_slice(&fields.sequence.to_be_bytes());
    bytes.extend_from_slice(&fields.timestamp.to_be_bytes());
    bytes.extend_from_slice(&fields.ssrc.to_be_bytes());
    bytes.extend_from_slice(&[0xbe, 0xde, 0, 0]);
    let begin = bytes.len();
    let transport_sequence = fields.transport_sequence.to_be_bytes();
    element(bytes, fields.extensions.transport_cc, Some(&transport_sequence));
    element(bytes, fields.extensions.mid, fields.mid.map(str::as_bytes));
    element(bytes, fields.extensions.rid, fields.rid.map(str::as_bytes));
    if bytes.len() == begin {
        bytes.truncate(begin - 4);
    } else {
        let words = (bytes.len() - begin).div_ceil(4);
        bytes.resize(begin + 4 * words, 0);
        bytes[start] |= 0x10;
        bytes[begin - 1] = u8::try_from(words).expect("three short elements");
    }
    bytes.len() - start
}

fn element(bytes: &mut Vec<u8>, id: Option<u8>, value: Option<&[u8]>) {
    let (Some(id), Some(value)) = (id, value) else { return };
    let Ok(length) = u8::try_from(value.len()) else { return };
    if (1..=16).contains(&length) {
        bytes.push(id << 4 | (length - 1));
        bytes.extend_from_slice(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use media_relay::RtpHeader;

    #[test]
    fn a_header_with_extensions_is_read_as_written() {
        let extensions = Extensions { mid: Some(4), rid: Some(10), transport_cc: Some(3) };
        let mut fields = Fields {
            marker: true,
            payload_type: 96,
            sequence: 0xfffe,
            timestamp: 90_000,
            ssrc: 0x1234_5678,
            extensions: &extensions,
            mid: Some("1"),
            rid: Some("f"),
            transport_sequence: 0x0102,
        };
        let mut bytes = Vec::new();
        let length = write(&mut bytes, &fields);
        let header = RtpHeader::parse(&bytes).expect("a header");
        assert_eq!((header.len, header.marker, header.payload_type), (length, true, 96));
        assert_eq!((header.sequence, header.ssrc), (0xfffe, 0x1234_5678));
        assert_eq!(header.extension(&bytes, 3), Some(&[1, 2][..]));
        assert_eq!(header.extension(&bytes, 4), Some(&b"1"[..]));
        assert_eq!(header.extension(&bytes, 10), Some(&b"f"[..]));
        assert_eq!(header.extension(&bytes, 5), None);
        fields.extensions = &const { Extensions { mid: None, rid: None, transport_cc: None } };
        bytes.clear();
        assert_eq!(write(&mut bytes, &fields), 12);
    }
}
