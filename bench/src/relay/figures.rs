//! What is measured, as numbers: one [`Row`] for each window of each target.

use serde::{Deserialize, Serialize};

/// One window: one target, scenario, load and round. What could not be measured is `None`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
pub struct Row {
    /// The target's name.
    pub target: String,
    /// All that was set.
    pub configuration: Vec<(String, String)>,
    /// `S1` to `S8`.
    pub scenario: String,
    /// Part of the full load, from 0 to 1.
    pub load: f64,
    /// Which round, from 1.
    pub round: usize,
    /// The window, in seconds.
    pub seconds: f64,
    /// Rooms in the window.
    pub rooms: usize,
    /// Participants in them.
    pub participants: usize,
    /// Packets that the generator sent, a second.
    pub packets_in: f64,
    /// Packets that came back out, a second: the forwarded ones, each once.
    pub packets_out: f64,
    /// Bytes of UDP payload sent, a second.
    pub bytes_in: f64,
    /// Bytes of UDP payload that came back out, a second.
    pub bytes_out: f64,
    /// Processor time of the server.
    pub cpu: Option<Cpu>,
    /// Added by the server and the way there and back.
    pub latency: Option<Latency>,
    /// Packets that did not come, as part of those that should have.
    pub loss: f64,
    /// Packets that came behind a later one of their track, as part of all.
    pub reordered: f64,
    /// Packets that came into another room, or from another source than their track's.
    pub wrong_room: u64,
    /// Tracks that should have come and did not.
    pub silent_tracks: u64,
    /// From the wish to join until something was seen, of everybody who joined in this round.
    pub join: Option<Join>,
    /// Memory of the server for each participant, in bytes of proportional set size, beyond what it has when empty.
    pub memory_per_participant: Option<f64>,
    /// System calls of the server for each forwarded packet.
    pub syscalls_per_packet: Option<f64>,
    /// What became of packets that the path lost.
    pub repair: Option<Repair>,
    /// What came through a path that was too narrow for a while.
    pub narrow: Option<Narrow>,
    /// What protects the packets.
    pub srtp: String,
    /// What is in the packets.
    pub codecs: String,
    /// The generator's share of its own processor, from 0 to 1.
    pub generator_cpu: f64,
    /// What the reader must know; why a window is not judged.
    pub notes: Vec<String>,
    /// Whether the figures may be judged: the target was not missing, the generator not the bottleneck, and what came could be read.
    pub judged: bool,
}

/// Processor time of a server in a window.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, Default)]
pub struct Cpu {
    /// Seconds in user space, a second.
    pub user: f64,
    /// Seconds in the kernel, a second.
    pub system: f64,
    /// Microseconds for each forwarded packet.
    pub us_per_packet: f64,
    /// Seconds for each forwarded GB (10⁹ bytes).
    pub seconds_per_gb: f64,
}

/// From just before a packet is sent until the kernel had the forwarded one, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, Default)]
pub struct Latency {
    /// Half are faster.
    pub p50: f64,
    /// One of a hundred is slower.
    pub p99: f64,
    /// One of a thousand is slower.
    pub p999: f64,
}

/// What became of packets that the path lost: parts from 0 to 1, of pictures unless it says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, Default)]
pub struct Repair {
    /// Packets that the path lost, each way.
    pub path_loss: f64,
    /// Packets that never came.
    pub residual: f64,
    /// Packets of sound that never came.
    pub residual_sound: f64,
    /// How often a packet was asked for again, by receivers and server, for each that was lost.
    pub asked_per_lost: f64,
    /// Retransmissions that publishers sent and receivers got, for each packet that was lost.
    pub resent_per_lost: f64,
    /// Pictures that could be shown within 400 ms after they were made.
    pub frames_on_time: f64,
    /// From when a picture was made until it could be shown, in milliseconds.
    pub frame_delay: Phase,
    /// Key frames that receivers asked for, each a minute.
    pub keyframes_a_minute: f64,
}

/// What came through a path that was too narrow for a while, parts from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, Default)]
pub struct Narrow {
    /// What the server sent to a receiver while it was narrow, as part of what the path takes.
    pub sent: f64,
    /// Of it, packets that its queue did not hold.
    pub dropped: f64,
    /// How long one of a hundred waits in its queue or longer, in milliseconds.
    pub queue_p99: f64,
    /// From when it is wide again until nine tenths of the pictures can be shown that could be before, in seconds.
    pub recovery: Option<f64>,
}

/// The phases of joining, in milliseconds, each from its own beginning.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
pub struct Join {
    /// How many joined.
    pub joined: usize,
    /// How many joined a second, while they did.
    pub per_second: f64,
    /// From the wish to the answer.
    pub signaling: Phase,
    /// From the answer to the first checked address pair.
    pub ice: Phase,
    /// From there to the keys.
    pub dtls: Phase,
    /// From the wish to the first packet of somebody else.
    pub first_packet: Phase,
    /// From the wish to the first whole key frame of somebody else.
    pub first_keyframe: Phase,
}

/// How long one phase took.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, Default)]
pub struct Phase {
    /// Half are faster.
    pub p50: f64,
    /// One of a hundred is slower.
    pub p99: f64,
}

impl Phase {
    /// The percentiles of some durations in milliseconds.
    pub fn of(mut milliseconds: Vec<f64>) -> Self {
        milliseconds.sort_by(f64::total_cmp);
        let at = |part: f64| {
            let index = (milliseconds.len() as f64 * part).ceil() as usize;
            milliseconds.get(index.saturating_sub(1)).copied().unwrap_or_default()
        };
        Self { p50: at(0.5), p99: at(0.99) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_occurred() {
        let phase = Phase::of((1..=200).rev().map(f64::from).collect());
        assert_eq!((phase.p50, phase.p99), (100.0, 198.0));
        assert_eq!(Phase::of(Vec::new()), Phase::default());
    }
}
