//! Counters: written by one shard each, read by anybody, without locks.

use std::sync::atomic::{AtomicU64, Ordering};

/// What a relay counts; totals since its start unless said otherwise.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RelayStats {
    /// Rooms at present.
    pub rooms: u64,
    /// Participants at present, connected or not.
    pub participants: u64,
    /// Transports at present; as many as participants, or a few more while replaced ones are cleaned up.
    pub transports: u64,
    /// Address pairs at present.
    pub address_pairs: u64,
    /// Media packets received and authenticated.
    pub packets_in: u64,
    /// Bytes of these.
    pub bytes_in: u64,
    /// Media packets sent, retransmissions included.
    pub packets_out: u64,
    /// Bytes of these.
    pub bytes_out: u64,
    /// Packets sent again on request.
    pub retransmissions: u64,
    /// Keyframes asked for.
    pub keyframe_requests: u64,
    /// Datagrams from addresses that never passed a check.
    pub dropped_unknown_address: u64,
    /// Checks without right credentials.
    pub dropped_unauthentic_checks: u64,
    /// Media with an SSRC that was not declared.
    pub dropped_unknown_ssrc: u64,
    /// Media and RTCP that did not authenticate or came twice.
    pub dropped_unauthentic: u64,
    /// Datagrams that are nothing the relay knows.
    pub dropped_malformed: u64,
    /// Datagrams the network did not take at once, or a queue had no room for.
    pub dropped_full: u64,
    /// Datagrams, commands and ticks that panicked; each is a fault of ours.
    pub panics: u64,
}

macro_rules! shard_stats {
    ($($name:ident)*) => {
        /// One shard's share of [`RelayStats`].
        #[derive(Debug, Default)]
        pub(crate) struct ShardStats {
            $(pub $name: Counter,)*
        }

        impl ShardStats {
            /// Adds this shard's numbers to `total`.
            pub(crate) fn add_to(&self, total: &mut RelayStats) {
                $(total.$name += self.$name.get();)*
            }
        }
    };
}

shard_stats! {
    transports address_pairs packets_in bytes_in packets_out bytes_out retransmissions keyframe_requests
    dropped_unknown_address dropped_unauthentic_checks dropped_unknown_ssrc dropped_unauthentic dropped_malformed
    dropped_full panics
}

/// A number with one writer.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    /// Counts up.
    pub(crate) fn add(&self, more: u64) {
        // One writer: no read-modify-write is needed.
        self.0.store(self.0.load(Ordering::Relaxed) + more, Ordering::Relaxed);
    }

    /// Sets a number that also goes down.
    pub(crate) fn set(&self, value: usize) {
        self.0.store(value as u64, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl RelayStats {
    /// Hands the numbers to the process's metrics.
    pub(crate) fn publish(&self) {
        metrics::gauge!("bedside_relay_rooms").set(self.rooms as f64);
        metrics::gauge!("bedside_relay_participants").set(self.participants as f64);
        metrics::counter!("bedside_relay_packets_total", "direction" => "in").absolute(self.packets_in);
        metrics::counter!("bedside_relay_packets_total", "direction" => "out").absolute(self.packets_out);
        metrics::counter!("bedside_relay_bytes_total", "direction" => "in").absolute(self.bytes_in);
        metrics::counter!("bedside_relay_bytes_total", "direction" => "out").absolute(self.bytes_out);
        metrics::counter!("bedside_relay_retransmissions_total").absolute(self.retransmissions);
        metrics::counter!("bedside_relay_keyframe_requests_total").absolute(self.keyframe_requests);
        let dropped = [
            ("unknown_address", self.dropped_unknown_address),
            ("unauthentic_check", self.dropped_unauthentic_checks),
            ("unknown_ssrc", self.dropped_unknown_ssrc),
            ("unauthentic", self.dropped_unauthentic),
            ("malformed", self.dropped_malformed),
            ("full", self.dropped_full),
            ("panic", self.panics),
        ];
        for (reason, count) in dropped {
            metrics::counter!("bedside_relay_dropped_total", "reason" => reason).absolute(count);
        }
    }
}
