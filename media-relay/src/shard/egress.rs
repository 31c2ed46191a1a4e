//! What goes out at the end of a receive batch: for each destination runs of equal size, one system call each.

use super::socket::{MAX_BATCH_BYTES, ShardSocket};
use crate::{stats::ShardStats, transport::pairs::Pair};
use quinn_udp::Transmit;

struct Batch {
    pair: Pair,
    bytes: Vec<u8>,
    segment: usize,
    segments: usize,
    /// A shorter datagram ends a segmented send.
    is_closed: bool,
}

/// Batches under construction. Their memory is used again and again.
pub(crate) struct Egress {
    batches: Vec<Batch>,
    used: usize,
    max_segments: usize,
}

/// A participant's batch under construction.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct BatchHint(usize);

impl Egress {
    /// Nothing to send yet.
    pub(crate) fn new(max_segments: usize) -> Self {
        Self { batches: Vec::new(), used: 0, max_segments }
    }

    /// How many batches wait.
    pub(crate) fn len(&self) -> usize {
        self.used
    }

    /// Room for a datagram of exactly `size` bytes to `pair`; the caller appends it.
    pub(crate) fn datagram(&mut self, pair: Pair, hint: &mut BatchHint, size: usize) -> &mut Vec<u8> {
        let is_open = |batch: &Batch| {
            batch.pair == pair
                && !batch.is_closed
                && size <= batch.segment
                && batch.segments < self.max_segments
                && batch.bytes.len() + size <= MAX_BATCH_BYTES
        };
        if hint.0 >= self.used || !is_open(&self.batches[hint.0]) {
            hint.0 = self.begin(pair, size);
        }
        let batch = &mut self.batches[hint.0];
        batch.segments += 1;
        batch.is_closed = size < batch.segment;
        &mut batch.bytes
    }

    /// Sends everything. What the system does not take at once is lost, as on any full link.
    pub(crate) fn flush(&mut self, socket: &ShardSocket, stats: &ShardStats) {
        for batch in &mut self.batches[..self.used] {
            let transmit = Transmit {
                destination: batch.pair.remote,
                ecn: None,
                contents: &batch.bytes,
                segment_size: (batch.segments > 1).then_some(batch.segment),
                src_ip: batch.pair.local,
            };
            if socket.send(&transmit).is_err() {
                stats.dropped_full.add(batch.segments as u64);
            }
            batch.bytes.clear();
        }
        self.used = 0;
        self.max_segments = socket.max_segments();
    }

    fn begin(&mut self, pair: Pair, size: usize) -> usize {
        let index = self.used;
        self.used += 1;
        match self.batches.get_mut(index) {
            Some(batch) => {
                (batch.pair, batch.segment, batch.segments, batch.is_closed) = (pair, size, 0, false);
                batch.bytes.clear();
            }
            None => {
                let bytes = Vec::with_capacity(MAX_BATCH_BYTES);
                self.batches.push(Batch { pair, bytes, segment: size, segments: 0, is_closed: false });
            }
        }
        index
    }

    /// The datagrams that wait, instead of sending them.
    #[cfg(test)]
    pub(crate) fn take(&mut self) -> Vec<(Pair, Vec<u8>)> {
        let waiting = self.batches[..std::mem::take(&mut self.used)].iter_mut().flat_map(|batch| {
            let bytes = std::mem::take(&mut batch.bytes);
            let datagrams = bytes.chunks(batch.segment).map(|datagram| (batch.pair, datagram.to_vec()));
            datagrams.collect::<Vec<_>>()
        });
        waiting.collect()
    }
}
