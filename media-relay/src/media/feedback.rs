//! Transport-wide feedback to a publisher (draft-holmer-rmcat-transport-wide-cc-extensions-01): without it
//! Chromium stays at 0.3 Mb/s.

use rtc_rtcp::transport_feedbacks::transport_layer_cc::{
    PacketStatusChunk, RecvDelta, RunLengthChunk, StatusChunkTypeTcc, StatusVectorChunk, SymbolSizeTypeTcc,
    SymbolTypeTcc, TransportLayerCc,
};
use std::time::{Duration, Instant};

/// How often a publisher that sends is told what arrived. Browsers themselves report at about this rate.
pub(crate) const FEEDBACK_INTERVAL: Duration = Duration::from_millis(60);
/// Packets between two reports: 60 ms at more than 100 Mb/s.
const WINDOW: usize = 1_024;
/// Packets in one report; more go into the next. It then fits in one datagram.
const MAX_REPORTED: i64 = 256;
const TICK_US: i64 = 250;
const REFERENCE_US: i64 = 64_000;

/// Arrival times of one participant's packets by transport-wide sequence number.
pub(crate) struct ArrivalLog {
    started: Instant,
    /// The first number not yet reported, unwrapped.
    base: Option<i64>,
    highest: i64,
    /// Microseconds since `started`, or -1.
    arrived_us: Vec<i64>,
    reports: u8,
}

impl ArrivalLog {
    /// An empty log; times count from `started`.
    pub(crate) fn new(started: Instant) -> Self {
        Self { started, base: None, highest: 0, arrived_us: vec![-1; WINDOW], reports: 0 }
    }

    /// A packet with this transport-wide sequence number came.
    pub(crate) fn record(&mut self, sequence: u16, now: Instant) {
        let base = *self.base.get_or_insert_with(|| {
            self.highest = i64::from(sequence) - 1;
            i64::from(sequence)
        });
        let sequence = self.highest + i64::from(sequence.wrapping_sub(self.highest as u16) as i16);
        if sequence < base {
            return;
        }
        if sequence - base >= WINDOW as i64 {
            // Nobody asked for a report meanwhile, or the sender jumped: the old ones count as lost.
            self.arrived_us.fill(-1);
            self.base = Some(sequence);
        }
        self.highest = self.highest.max(sequence);
        let elapsed = now.saturating_duration_since(self.started).as_micros();
        self.arrived_us[sequence as usize % WINDOW] = i64::try_from(elapsed).unwrap_or(i64::MAX);
    }

    /// The next report, when there is something to report.
    pub(crate) fn report(&mut self, sender_ssrc: u32, media_ssrc: u32) -> Option<TransportLayerCc> {
        let first = self.base?;
        let end = (self.highest + 1).min(first + MAX_REPORTED);
        let first_arrival = (first..end).map(|s| self.at(s)).find(|at| *at >= 0)?;
        let reference = first_arrival / REFERENCE_US;
        let mut symbols = Vec::with_capacity((end - first) as usize);
        let mut recv_deltas = Vec::with_capacity((end - first) as usize);
        let mut clock = reference * REFERENCE_US / TICK_US;
        for sequence in first..end {
            let arrived = self.at(sequence);
            if arrived < 0 {
                symbols.push(SymbolTypeTcc::PacketNotReceived);
                continue;
            }
            let ticks = arrived / TICK_US - clock;
            let symbol = match ticks {
                0..=255 => SymbolTypeTcc::PacketReceivedSmallDelta,
                -32_768..=32_767 => SymbolTypeTcc::PacketReceivedLargeDelta,
                // Eight seconds of silence: begin a new report with a new reference time.
                _ => break,
            };
            clock += ticks;
            symbols.push(symbol);
            recv_deltas.push(RecvDelta { type_tcc_packet: symbol, delta: ticks * TICK_US });
        }
        let count = symbols.len() as i64;
        (first..first + count).for_each(|sequence| self.arrived_us[sequence as usize % WINDOW] = -1);
        self.base = Some(first + count);
        self.reports = self.reports.wrapping_add(1);
        Some(TransportLayerCc {
            sender_ssrc,
            media_ssrc,
            base_sequence_number: first as u16,
            packet_status_count: count as u16,
            reference_time: (reference & 0x00ff_ffff) as u32,
            fb_pkt_count: self.reports.wrapping_sub(1),
            packet_chunks: chunks(&symbols),
            recv_deltas,
        })
    }

    fn at(&self, sequence: i64) -> i64 {
        self.arrived_us[sequence as usize % WINDOW]
    }
}

/// Runs of one symbol become a run-length chunk, the rest vectors of seven.
fn chunks(symbols: &[SymbolTypeTcc]) -> Vec<PacketStatusChunk> {
    let mut chunks = Vec::with_capacity(symbols.len() / 7 + 1);
    let mut rest = symbols;
    while let Some(first) = rest.first() {
        let run = rest.iter().take_while(|symbol| *symbol == first).count();
        if run >= 7 || run == rest.len() {
            chunks.push(PacketStatusChunk::RunLengthChunk(RunLengthChunk {
                type_tcc: StatusChunkTypeTcc::RunLengthChunk,
                packet_status_symbol: *first,
                run_length: run as u16,
            }));
            rest = &rest[run..];
        } else {
            let (now, later) = rest.split_at(rest.len().min(7));
            let mut symbol_list = now.to_vec();
            symbol_list.resize(7, SymbolTypeTcc::PacketNotReceived);
            chunks.push(PacketStatusChunk::StatusVectorChunk(StatusVectorChunk {
                type_tcc: StatusChunkTypeTcc::StatusVectorChunk,
                symbol_size: SymbolSizeTypeTcc::TwoBit,
                symbol_list,
            }));
            rest = later;
        }
    }
    chunks
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use proptest::prelude::*;
    use rtc_shared::marshal::{Marshal, Unmarshal};

    /// What the publisher reads out of a report: sequence number and arrival in microseconds, or lost.
    fn read(report: &TransportLayerCc) -> Vec<(u16, Option<i64>)> {
        let bytes: Bytes = report.marshal().unwrap().freeze();
        let report = TransportLayerCc::unmarshal(&mut bytes.clone()).unwrap();
        let symbols = report.packet_chunks.iter().flat_map(|chunk| match chunk {
            PacketStatusChunk::RunLengthChunk(run) => vec![run.packet_status_symbol; usize::from(run.run_length)],
            PacketStatusChunk::StatusVectorChunk(vector) => vector.symbol_list.clone(),
        });
        let mut deltas = report.recv_deltas.iter();
        let mut clock = i64::from(report.reference_time) * REFERENCE_US;
        let statuses = symbols.take(usize::from(report.packet_status_count)).enumerate();
        statuses
            .map(|(n, symbol)| {
                let arrived = (symbol != SymbolTypeTcc::PacketNotReceived).then(|| {
                    clock += deltas.next().unwrap().delta;
                    clock
                });
                (report.base_sequence_number.wrapping_add(n as u16), arrived)
            })
            .collect()
    }

    #[test]
    fn arrivals_and_losses_are_reported_once() {
        let start = Instant::now();
        let mut log = ArrivalLog::new(start);
        assert!(log.report(1, 2).is_none());
        for (sequence, ms) in [(65_534, 100), (65_535, 101), (1, 150)] {
            log.record(sequence, start + Duration::from_millis(ms));
        }
        let expected = vec![(65_534, Some(100_000)), (65_535, Some(101_000)), (0, None), (1, Some(150_000))];
        assert_eq!(read(&log.report(1, 2).unwrap()), expected);
        assert!(log.report(1, 2).is_none());
        log.record(0, start + Duration::from_millis(151));
        assert!(log.report(1, 2).is_none(), "reported as lost, later is too late");
    }

    proptest! {
        #[test]
        fn every_received_packet_is_reported_with_its_time(
            first in any::<u16>(),
            gaps in proptest::collection::vec((1_u16..9, 0_u64..20_000), 1..200),
        ) {
            let start = Instant::now();
            let mut log = ArrivalLog::new(start);
            let (mut sequence, mut us) = (first, 0);
            let mut sent = Vec::new();
            for (step, later) in gaps {
                sequence = sequence.wrapping_add(step);
                us += later;
                log.record(sequence, start + Duration::from_micros(us));
                sent.push((sequence, us as i64 / TICK_US * TICK_US));
                if sent.len() % 64 == 63 { /* the log is read now and then */ }
            }
            let mut seen = Vec::new();
            while let Some(report) = log.report(1, 2) {
                seen.extend(read(&report).into_iter().filter_map(|(s, at)| Some((s, at?))));
            }
            // More than the window since the last report may be lost; what is reported is right and in order.
            prop_assert!(sent.ends_with(&seen));
            prop_assert!(!seen.is_empty());
        }
    }
}
