//! What the generator counts: over a window, and of each participant's way in.

use crate::relay::target::Seat;
use hdrhistogram::Histogram;
use std::time::{Duration, Instant};

/// Packets between two marked ones of a track, by the sources' own numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Arrivals {
    /// How many should have come.
    pub expected: u64,
    /// How many came, retransmissions among them.
    pub arrived: u64,
}

/// Everything counted since a window began.
#[derive(Debug, Clone)]
pub struct Tally {
    /// Media packets sent, retransmissions not counted.
    pub sent: u64,
    /// Their bytes, as UDP payload.
    pub sent_bytes: u64,
    /// Media packets received, each once: a retransmission counts when it brings what was missing.
    pub received: u64,
    /// Their bytes.
    pub received_bytes: u64,
    /// Of sound.
    pub sounds: Arrivals,
    /// Of pictures.
    pub pictures: Arrivals,
    /// Came behind a later one of their track.
    pub reordered: u64,
    /// Came twice.
    pub duplicates: u64,
    /// Came into another room, or back to where they were made.
    pub wrong_room: u64,
    /// Did not open, or were not made here.
    pub unreadable: u64,
    /// Packets from which loss and latency are taken.
    pub marked: u64,
    /// Of them, those that could not be read.
    pub unread: u64,
    /// Tracks that are expected and silent at the window's end.
    pub silent_tracks: u64,
    /// Sends that the system did not take.
    pub send_failures: u64,
    /// Pictures that were due more than a picture's time ago when they were sent.
    pub late_frames: u64,
    /// Key-frame requests received (PLI, FIR).
    pub keyframe_requests: u64,
    /// Key frames sent.
    pub keyframes: u64,
    /// Requests for a missed packet, each time that one was asked for.
    pub nacked: u64,
    /// Missed packets that were not asked for any more.
    pub given_up: u64,
    /// Requests of the server for a packet that it missed.
    pub asked: u64,
    /// Retransmissions that came, also of what was not missed any more.
    pub retransmitted: u64,
    /// Key frames asked for by receivers.
    pub keyframes_wanted: u64,
    /// Pictures that should have been shown.
    pub frames_expected: u64,
    /// Pictures that could be shown.
    pub frames_shown: u64,
    /// Of them, those that could be within 400 ms after they were made.
    pub frames_on_time: u64,
    /// From when a picture was made until it could be shown, microseconds.
    pub frame_delay: Histogram<u64>,
    /// Missed packets that came as retransmission.
    pub repaired: u64,
    /// Packets sent again since they were asked for.
    pub resent: u64,
    /// From just before sending until the kernel had the forwarded packet, in nanoseconds.
    pub latency: Histogram<u64>,
    /// Since when.
    pub began: Instant,
}

impl Tally {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            sent: 0,
            sent_bytes: 0,
            received: 0,
            received_bytes: 0,
            sounds: Arrivals::default(),
            pictures: Arrivals::default(),
            reordered: 0,
            duplicates: 0,
            wrong_room: 0,
            unreadable: 0,
            marked: 0,
            unread: 0,
            silent_tracks: 0,
            send_failures: 0,
            late_frames: 0,
            keyframe_requests: 0,
            keyframes: 0,
            nacked: 0,
            given_up: 0,
            asked: 0,
            retransmitted: 0,
            keyframes_wanted: 0,
            frames_expected: 0,
            frames_shown: 0,
            frames_on_time: 0,
            frame_delay: Histogram::new_with_bounds(1, 60_000_000, 3).expect("bounds in order"),
            repaired: 0,
            resent: 0,
            // Up to a minute, at three digits.
            latency: Histogram::new_with_bounds(1, 60_000_000_000, 3).expect("bounds in order"),
            began: now,
        }
    }

    /// Packets that did not come, as part of those that should have.
    pub fn loss(&self) -> f64 {
        self.expected().saturating_sub(self.arrived()) as f64 / self.expected().max(1) as f64
    }

    /// Packets that should have come.
    pub const fn expected(&self) -> u64 {
        self.sounds.expected + self.pictures.expected
    }

    /// Packets that came of those.
    pub const fn arrived(&self) -> u64 {
        self.sounds.arrived + self.pictures.arrived
    }

    /// A percentile of the latency in microseconds; `None` when nothing came.
    pub fn latency_us(&self, quantile: f64) -> Option<f64> {
        (!self.latency.is_empty()).then(|| self.latency.value_at_quantile(quantile) as f64 / 1_000.0)
    }
}

/// How one participant's transport came into the room.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Whose.
    pub seat: Seat,
    /// From the wish to the answer.
    pub signaling: Duration,
    /// From the answer to the first checked pair.
    pub ice: Option<Duration>,
    /// From there to the keys.
    pub dtls: Option<Duration>,
    /// From the wish to the first packet of somebody else.
    pub first_packet: Option<Duration>,
    /// From the wish to the first whole key frame of somebody else.
    pub first_keyframe: Option<Duration>,
    /// The negotiated protection.
    pub suite: Option<&'static str>,
    /// Why it ended, when the server or an error ended it.
    pub ended: Option<String>,
}

/// Where all participants are, told several times a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Transports that the generator holds.
    pub transports: usize,
    /// Those with keys.
    pub connected: usize,
    /// Those that receive every track they expect, with a key frame of each picture.
    pub flowing: usize,
    /// Transports that the server or an error ended.
    pub ended: usize,
    /// Requested key frames that have not come yet.
    pub keyframes_owed: usize,
    /// Media packets received by all since the generator began, each once.
    pub received: u64,
    /// Packets of pictures that are missed at the moment.
    pub missing: usize,
    /// Pictures that could be shown since the generator began.
    pub shown: u64,
}
