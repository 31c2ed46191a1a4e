//! Receiver reports to publishers and sender reports to receivers (RFC 3550 §6.4).

use rtc_rtcp::{reception_report::ReceptionReport, sender_report::SenderReport};
use std::time::{Duration, Instant};

/// How often both are sent.
pub(crate) const REPORT_INTERVAL: Duration = Duration::from_secs(1);

/// A publisher's latest sender report: its wall clock and media clock at one moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SenderClock {
    /// NTP format, 32.32 bits.
    pub ntp: u64,
    /// In clock ticks.
    pub rtp: u32,
    /// When the report came.
    pub at: Instant,
}

impl SenderClock {
    /// Both clocks moved on to `now`.
    pub(crate) fn at(&self, now: Instant, clock_rate: u32) -> (u64, u32) {
        let micros = now.saturating_duration_since(self.at).as_micros() as u64;
        let ntp = self.ntp.wrapping_add(((u128::from(micros) << 32) / 1_000_000) as u64);
        let ticks = u128::from(micros) * u128::from(clock_rate) / 1_000_000;
        (ntp, self.rtp.wrapping_add(ticks as u32))
    }

    /// The middle 32 bits of the NTP time, as reception reports repeat it.
    fn compact(&self) -> u32 {
        (self.ntp >> 16) as u32
    }
}

/// What is counted of one publication for its receiver reports.
#[derive(Debug, Default)]
pub(crate) struct Reception {
    first: Option<u64>,
    highest: u64,
    received: u64,
    expected_before: u64,
    received_before: u64,
    jitter: f64,
    last_transit: Option<i64>,
}

impl Reception {
    /// A packet came. `now_ticks` is the present in ticks of the stream's clock.
    pub(crate) fn arrived(&mut self, sequence: u64, timestamp: u32, now_ticks: i64) {
        let first = *self.first.get_or_insert(sequence);
        self.highest = self.highest.max(sequence).max(first);
        self.received += 1;
        // RFC 3550 appendix A.8.
        let transit = now_ticks.wrapping_sub(i64::from(timestamp));
        if let Some(last) = self.last_transit {
            // Wraps of the timestamp would show as a jump of 2^32 ticks.
            let distance = f64::from((transit.wrapping_sub(last) as i32).unsigned_abs());
            self.jitter += (distance - self.jitter) / 16.0;
        }
        self.last_transit = Some(transit);
    }

    /// The block of a receiver report about this publication.
    pub(crate) fn report(&mut self, ssrc: u32, clock: Option<&SenderClock>, now: Instant) -> Option<ReceptionReport> {
        let first = self.first?;
        let expected = self.highest - first + 1;
        let interval_expected = expected - self.expected_before;
        let interval_received = self.received - self.received_before;
        let interval_lost = interval_expected.saturating_sub(interval_received);
        (self.expected_before, self.received_before) = (expected, self.received);
        let delay =
            clock.map_or(0, |clock| now.saturating_duration_since(clock.at).as_micros() as u64 * 65_536 / 1_000_000);
        Some(ReceptionReport {
            ssrc,
            fraction_lost: (interval_lost * 256).checked_div(interval_expected).unwrap_or(0).min(255) as u8,
            total_lost: expected.saturating_sub(self.received).min(0x7f_ffff) as u32,
            last_sequence_number: self.highest as u32,
            jitter: self.jitter as u32,
            last_sender_report: clock.map_or(0, SenderClock::compact),
            delay: delay as u32,
        })
    }
}

/// What is counted of one slot for its sender reports.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Sent {
    /// Packets, without retransmissions.
    pub packets: u32,
    /// Payload bytes of these.
    pub octets: u32,
}

impl Sent {
    /// The sender report of a slot: the source's wall clock, so that its sound and picture stay together,
    /// and the slot's own timestamps.
    pub(crate) fn report(&self, ssrc: u32, ntp_time: u64, rtp_time: u32) -> SenderReport {
        let (packet_count, octet_count) = (self.packets, self.octets);
        SenderReport { ssrc, ntp_time, rtp_time, packet_count, octet_count, ..SenderReport::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_are_counted_for_the_interval_and_in_all() {
        let mut reception = Reception::default();
        let now = Instant::now();
        assert!(reception.report(1, None, now).is_none());
        (0..100_u64).filter(|n| n % 4 != 3).for_each(|n| reception.arrived(n, 0, 0));
        let report = reception.report(1, None, now).unwrap();
        assert_eq!((report.fraction_lost, report.total_lost, report.last_sequence_number), (62, 24, 98));
        (99..199_u64).for_each(|n| reception.arrived(n, 0, 0));
        let report = reception.report(1, None, now).unwrap();
        assert_eq!((report.fraction_lost, report.total_lost), (0, 24));
    }

    #[test]
    fn a_steady_stream_has_no_jitter() {
        let mut reception = Reception::default();
        (0..50_u64)
            .for_each(|n| reception.arrived(n, (u32::MAX - 96_000).wrapping_add(n as u32 * 960), n as i64 * 960));
        assert_eq!(reception.report(1, None, Instant::now()).unwrap().jitter, 0);
    }

    #[test]
    fn the_senders_clocks_move_on_together() {
        let at = Instant::now();
        let clock = SenderClock { ntp: 5 << 32, rtp: 100, at };
        assert_eq!(clock.at(at + Duration::from_millis(500), 90_000), ((5 << 32) + (1 << 31), 45_100));
    }
}
