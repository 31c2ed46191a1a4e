//! What a receive batch leads to: for each destination, runs of equal size, one system call each.

use super::control::Counts;
use quinn_udp::{Transmit, UdpSockRef, UdpSocketState};
use std::net::SocketAddr;

/// The longest segmented send.
const MAX_BATCH_BYTES: usize = 60_000;
/// How many batches are looked at for one that is open; more destinations at once gain nothing from it.
const LOOK_BACK: usize = 64;

struct Batch {
    remote: SocketAddr,
    bytes: Vec<u8>,
    segment: usize,
    segments: usize,
    /// A shorter datagram ends a segmented send.
    is_closed: bool,
}

/// Batches under construction. Their memory is used again and again.
pub(super) struct Egress {
    batches: Vec<Batch>,
    used: usize,
    max_segments: usize,
}

impl Egress {
    /// Sends of up to so many datagrams; 1 is one call a packet.
    pub(super) const fn new(max_segments: usize) -> Self {
        Self { batches: Vec::new(), used: 0, max_segments }
    }

    /// Room for a datagram of exactly `size` bytes; the caller appends it.
    pub(super) fn datagram(&mut self, remote: SocketAddr, size: usize) -> &mut Vec<u8> {
        let from = if self.max_segments > 1 { self.used.saturating_sub(LOOK_BACK) } else { self.used };
        // Only the newest batch of a destination may grow: what is of one destination stays in order.
        let newest = self.batches[from..self.used].iter().rposition(|batch| batch.remote == remote);
        let at = match newest.map(|at| from + at).filter(|at| self.batches[*at].takes(size, self.max_segments)) {
            Some(at) => at,
            None => self.begin(remote, size),
        };
        let batch = &mut self.batches[at];
        batch.segments += 1;
        batch.is_closed = size < batch.segment;
        &mut batch.bytes
    }

    /// Sends everything. What the system does not take at once is lost, as on any full link.
    pub(super) fn flush(&mut self, state: &UdpSocketState, socket: &mio::net::UdpSocket, counts: &mut Counts) {
        for batch in &mut self.batches[..self.used] {
            let transmit = Transmit {
                destination: batch.remote,
                ecn: None,
                contents: &batch.bytes,
                segment_size: (batch.segments > 1).then_some(batch.segment),
                src_ip: None,
            };
            if batch.segments > 1 {
                counts.bursts += 1;
                counts.burst_datagrams += batch.segments as u64;
            } else {
                counts.singles += 1;
                counts.single_bytes += batch.bytes.len() as u64;
            }
            // The generator counts what does not arrive.
            let _ = state.try_send(UdpSockRef::from(socket), &transmit);
            batch.bytes.clear();
        }
        self.used = 0;
    }

    fn begin(&mut self, remote: SocketAddr, segment: usize) -> usize {
        let at = self.used;
        self.used += 1;
        if at == self.batches.len() {
            let bytes = Vec::with_capacity(MAX_BATCH_BYTES);
            self.batches.push(Batch { remote, bytes, segment, segments: 0, is_closed: false });
        }
        let batch = &mut self.batches[at];
        (batch.remote, batch.segment, batch.segments, batch.is_closed) = (remote, segment, 0, false);
        at
    }

    /// How many system calls wait.
    #[cfg(test)]
    pub(super) const fn calls(&self) -> usize {
        self.used
    }

    /// The datagrams that wait, instead of sending them.
    #[cfg(test)]
    pub(super) fn take(&mut self) -> Vec<(SocketAddr, Vec<u8>)> {
        let waiting = self.batches[..std::mem::take(&mut self.used)].iter_mut().flat_map(|batch| {
            let bytes = std::mem::take(&mut batch.bytes);
            bytes.chunks(batch.segment).map(|datagram| (batch.remote, datagram.to_vec())).collect::<Vec<_>>()
        });
        waiting.collect()
    }
}

impl Batch {
    const fn takes(&self, size: usize, max_segments: usize) -> bool {
        !self.is_closed
            && size <= self.segment
            && self.segments < max_segments
            && self.bytes.len() + size <= MAX_BATCH_BYTES
    }
}
