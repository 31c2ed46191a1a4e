//! The last packets of a publication, kept to be sent again; bounded, and one copy for all receivers.

/// How many packets are kept: about three seconds at 1.5 Mb/s, one and a half at 3.5 Mb/s.
pub(crate) const RING_PACKETS: usize = 512;
/// The largest payload kept. Browsers send at most 1,200 bytes a packet.
const MAX_PAYLOAD_BYTES: usize = 1_232;

#[derive(Clone, Copy, Default)]
struct Entry {
    /// Extended sequence number plus one; 0 is empty.
    tag: u64,
    len: u16,
    marker: bool,
    is_kept: bool,
}

/// A packet that is still there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kept<'a> {
    /// See [`Header::marker`](super::rtp::Header::marker).
    pub marker: bool,
    /// Without padding.
    pub payload: &'a [u8],
}

/// Ring of payloads by extended sequence number.
pub(crate) struct PacketRing {
    entries: Vec<Entry>,
    /// Memory that was never written costs nothing.
    bytes: Vec<u8>,
}

impl PacketRing {
    /// Room for [`RING_PACKETS`].
    pub(crate) fn new() -> Self {
        Self { entries: vec![Entry::default(); RING_PACKETS], bytes: vec![0; RING_PACKETS * MAX_PAYLOAD_BYTES] }
    }

    /// Takes a packet in, in place of the one [`RING_PACKETS`] before it.
    ///
    /// False when it was taken before, or when a newer one has its place: such a packet must not be passed on, since
    /// a second one under the same number would be sealed with the same nonce. A payload too large to be kept is
    /// remembered all the same.
    pub(crate) fn admit(&mut self, sequence: u64, marker: bool, payload: &[u8]) -> bool {
        let at = sequence as usize % RING_PACKETS;
        if self.entries[at].tag > sequence {
            return false;
        }
        let is_kept = payload.len() <= MAX_PAYLOAD_BYTES;
        if is_kept {
            let start = at * MAX_PAYLOAD_BYTES;
            self.bytes[start..start + payload.len()].copy_from_slice(payload);
        }
        self.entries[at] = Entry { tag: sequence + 1, len: payload.len() as u16, marker, is_kept };
        true
    }

    /// The packet with this number, when it is still there.
    pub(crate) fn get(&self, sequence: u64) -> Option<Kept<'_>> {
        let at = sequence as usize % RING_PACKETS;
        let entry = self.entries.get(at).filter(|entry| entry.tag == sequence + 1 && entry.is_kept)?;
        let start = at * MAX_PAYLOAD_BYTES;
        Some(Kept { marker: entry.marker, payload: &self.bytes[start..start + usize::from(entry.len)] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_packets_are_there_and_older_ones_are_not() {
        let mut ring = PacketRing::new();
        for n in 0..=RING_PACKETS as u64 {
            assert!(ring.admit(n, n % 2 == 0, &n.to_be_bytes()));
        }
        assert_eq!(ring.get(0), None);
        let last = RING_PACKETS as u64;
        assert_eq!(ring.get(last), Some(Kept { marker: true, payload: &last.to_be_bytes() }));
        assert_eq!(ring.get(1), Some(Kept { marker: false, payload: &1_u64.to_be_bytes() }));
    }

    #[test]
    fn no_number_is_admitted_twice_however_late_or_large() {
        let mut ring = PacketRing::new();
        let large = [0; MAX_PAYLOAD_BYTES + 1];
        assert!(ring.admit(0, false, b"first") && ring.admit(1, false, &large));
        assert!(!ring.admit(0, false, b"other") && !ring.admit(1, false, b"other"));
        assert_eq!(ring.get(1), None);
        assert!(ring.admit(RING_PACKETS as u64, false, b"newer"));
        assert!(!ring.admit(0, false, b"late"));
        assert_eq!(ring.get(RING_PACKETS as u64).unwrap().payload, b"newer");
    }
}
