//! Which numbers of a row are shown and compared, with their units.

use crate::relay::figures::Row;

/// One number of a row.
#[derive(Clone, Copy)]
pub struct Figure {
    /// Stable name, for files and anchors.
    pub key: &'static str,
    /// Its heading.
    pub name: &'static str,
    /// What it is counted in.
    pub unit: &'static str,
    /// What it says and how it comes about, in a sentence.
    pub meaning: &'static str,
    /// Whether less of it is better. What the generator decides has no better.
    pub better: Better,
    /// Reads it from a row; `None` where it was not measured.
    pub of: fn(&Row) -> Option<f64>,
}

impl Figure {
    /// Name and unit.
    pub fn heading(&self) -> String {
        if self.unit.is_empty() { self.name.to_owned() } else { format!("{}, {}", self.name, self.unit) }
    }
}

/// Which way is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    /// A cost.
    Less,
    /// A yield.
    More,
    /// A circumstance.
    Neither,
}

/// The cost of a packet: the figure that everything else is read beside.
pub const COST: Figure = Figure {
    key: "us_per_packet",
    name: "CPU a packet",
    unit: "µs",
    meaning: "Processor time of the server, user and system, for each packet that it forwarded.",
    better: Better::Less,
    of: |row| row.cpu.map(|cpu| cpu.us_per_packet),
};

/// All figures, in the order in which they are shown.
pub const ALL: [Figure; 30] = [
    COST,
    Figure {
        key: "seconds_per_gb",
        name: "CPU a GB",
        unit: "s",
        meaning: "Processor time of the server for each forwarded GB (10⁹ bytes of UDP payload).",
        better: Better::Less,
        of: |row| row.cpu.map(|cpu| cpu.seconds_per_gb),
    },
    Figure {
        key: "core",
        name: "of a core",
        unit: "%",
        meaning: "How much of its one core the server used.",
        better: Better::Less,
        of: |row| row.cpu.map(|cpu| (cpu.user + cpu.system) * 100.0),
    },
    Figure {
        key: "system",
        name: "in the kernel",
        unit: "%",
        meaning: "Part of the server's processor time that was spent in the kernel.",
        better: Better::Neither,
        of: |row| {
            row.cpu.filter(|cpu| cpu.user + cpu.system > 0.0).map(|cpu| cpu.system / (cpu.user + cpu.system) * 100.0)
        },
    },
    Figure {
        key: "packets",
        name: "forwarded",
        unit: "packets/s",
        meaning: "Packets that came back out of the server, each counted once.",
        better: Better::Neither,
        of: |row| Some(row.packets_out),
    },
    Figure {
        key: "latency_p50",
        name: "delay p50",
        unit: "µs",
        meaning: "From just before a packet is sent until the kernel has the forwarded one: half are faster.",
        better: Better::Less,
        of: |row| row.latency.map(|latency| latency.p50),
    },
    Figure {
        key: "latency_p99",
        name: "delay p99",
        unit: "µs",
        meaning: "From just before a packet is sent until the kernel has the forwarded one: one of a hundred is slower.",
        better: Better::Less,
        of: |row| row.latency.map(|latency| latency.p99),
    },
    Figure {
        key: "latency_p999",
        name: "delay p99.9",
        unit: "µs",
        meaning: "From just before a packet is sent until the kernel has the forwarded one: one of a thousand is slower.",
        better: Better::Less,
        of: |row| row.latency.map(|latency| latency.p999),
    },
    Figure {
        key: "loss",
        name: "lost",
        unit: "%",
        meaning: "Packets that should have come and did not.",
        better: Better::Less,
        of: |row| Some(row.loss * 100.0),
    },
    Figure {
        key: "syscalls",
        name: "system calls a packet",
        unit: "",
        meaning: "Calls of the server's processes for each forwarded packet, by a short look with strace outside of the window.",
        better: Better::Less,
        of: |row| row.syscalls_per_packet,
    },
    Figure {
        key: "memory",
        name: "memory a participant",
        unit: "KB",
        meaning: "Proportional set size beyond that of the empty server, for each participant.",
        better: Better::Less,
        of: |row| row.memory_per_participant.map(|bytes| bytes / 1_000.0),
    },
    Figure {
        key: "join_signaling",
        name: "answer p50",
        unit: "ms",
        meaning: "From the wish to join until the answer was there.",
        better: Better::Less,
        of: |row| row.join.as_ref().map(|join| join.signaling.p50),
    },
    Figure {
        key: "join_first_packet",
        name: "first packet p50",
        unit: "ms",
        meaning: "From the wish to join until the first packet of somebody else.",
        better: Better::Less,
        of: |row| row.join.as_ref().map(|join| join.first_packet.p50),
    },
    Figure {
        key: "join_first_keyframe",
        name: "first picture p50",
        unit: "ms",
        meaning: "From the wish to join until the first whole key frame of somebody else.",
        better: Better::Less,
        of: |row| row.join.as_ref().map(|join| join.first_keyframe.p50),
    },
    Figure {
        key: "join_first_keyframe_p99",
        name: "first picture p99",
        unit: "ms",
        meaning: "From the wish to join until the first whole key frame of somebody else: one of a hundred takes longer.",
        better: Better::Less,
        of: |row| row.join.as_ref().map(|join| join.first_keyframe.p99),
    },
    Figure {
        key: "setups",
        name: "joins",
        unit: "1/s",
        meaning: "How many joined a second, while they did. The generator joins only so fast: a bound, not a limit of the server.",
        better: Better::More,
        of: |row| row.join.as_ref().map(|join| join.per_second),
    },
    Figure {
        key: "path_loss",
        name: "lost on the way",
        unit: "%",
        meaning: "Packets of pictures that the path lost, each way, retransmissions among them.",
        better: Better::Neither,
        of: |row| row.repair.map(|repair| repair.path_loss * 100.0),
    },
    Figure {
        key: "residual",
        name: "never came",
        unit: "%",
        meaning: "Packets of pictures that a receiver never got, all retransmissions counted.",
        better: Better::Less,
        of: |row| row.repair.map(|repair| repair.residual * 100.0),
    },
    Figure {
        key: "residual_sound",
        name: "sound never came",
        unit: "%",
        meaning: "Packets of sound that a receiver never got. Nobody agreed on retransmission of sound.",
        better: Better::Less,
        of: |row| row.repair.map(|repair| repair.residual_sound * 100.0),
    },
    Figure {
        key: "frames_on_time",
        name: "pictures on time",
        unit: "%",
        meaning: "Pictures that could be shown within 400 ms after they were made: whole, and the one before was shown or it is a key frame.",
        better: Better::More,
        of: |row| row.repair.map(|repair| repair.frames_on_time * 100.0),
    },
    Figure {
        key: "frame_p50",
        name: "picture after p50",
        unit: "ms",
        meaning: "From when a picture was made until it could be shown: half are faster.",
        better: Better::Less,
        of: |row| row.repair.map(|repair| repair.frame_delay.p50),
    },
    Figure {
        key: "frame_p99",
        name: "picture after p99",
        unit: "ms",
        meaning: "From when a picture was made until it could be shown: one of a hundred is slower.",
        better: Better::Less,
        of: |row| row.repair.map(|repair| repair.frame_delay.p99),
    },
    Figure {
        key: "asked_per_lost",
        name: "asked for again",
        unit: "",
        meaning: "How often receivers and server asked for a packet, for each packet of a picture that the path lost.",
        better: Better::Less,
        of: |row| row.repair.filter(|repair| repair.path_loss > 0.0).map(|repair| repair.asked_per_lost),
    },
    Figure {
        key: "resent_per_lost",
        name: "sent again",
        unit: "",
        meaning: "Retransmissions that publishers sent and receivers got, for each packet of a picture that the path lost.",
        better: Better::Less,
        of: |row| row.repair.filter(|repair| repair.path_loss > 0.0).map(|repair| repair.resent_per_lost),
    },
    Figure {
        key: "keyframes_wanted",
        name: "key frames asked",
        unit: "1/min",
        meaning: "Key frames that a receiver asked for since packets did not come, a minute.",
        better: Better::Less,
        of: |row| row.repair.map(|repair| repair.keyframes_a_minute),
    },
    Figure {
        key: "narrow_sent",
        name: "sent into the narrow path",
        unit: "% of its rate",
        meaning: "What the server sent to a receiver while the path took 1 Mb/s. Above 100 it overfills the queue.",
        better: Better::Neither,
        of: |row| row.narrow.map(|narrow| narrow.sent * 100.0),
    },
    Figure {
        key: "narrow_dropped",
        name: "dropped before it",
        unit: "%",
        meaning: "Packets that the queue before the narrow path did not hold.",
        better: Better::Less,
        of: |row| row.narrow.map(|narrow| narrow.dropped * 100.0),
    },
    Figure {
        key: "narrow_queue",
        name: "in its queue p99",
        unit: "ms",
        meaning: "How long a packet waits before the narrow path, whose queue holds 300 ms: one of a hundred waits longer.",
        better: Better::Less,
        of: |row| row.narrow.map(|narrow| narrow.queue_p99),
    },
    Figure {
        key: "narrow_recovery",
        name: "recovery",
        unit: "s",
        meaning: "From when the path is wide again until nine tenths of the pictures can be shown that could be before; the longest of the run.",
        better: Better::Less,
        of: |row| row.narrow.and_then(|narrow| narrow.recovery),
    },
    Figure {
        key: "generator",
        name: "generator's core",
        unit: "%",
        meaning: "How much of its own core the generator used. Above 85 % a window is not judged.",
        better: Better::Neither,
        of: |row| Some(row.generator_cpu * 100.0),
    },
];

/// Those of these names, in their order.
pub fn named<'a>(keys: &'a [&str]) -> impl Iterator<Item = Figure> + 'a {
    keys.iter().filter_map(|key| ALL.into_iter().find(|figure| figure.key == *key))
}

/// A number with three digits that say something, and commas.
pub fn number(value: f64) -> String {
    let decimals = match value.abs() {
        size if size >= 99.95 || size == 0.0 => 0,
        size if size >= 9.995 => 1,
        size if size >= 0.1 => 2,
        _ => 3,
    };
    let text = format!("{value:.decimals$}");
    let (whole, rest) = text.split_once('.').map_or((text.as_str(), None), |(whole, rest)| (whole, Some(rest)));
    let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |digits| ("-", digits));
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{sign}{grouped}{}", rest.map(|rest| format!(".{rest}")).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_keeps_three_digits_and_is_grouped() {
        let shown = [0.0, 0.0123, 0.5, 2.345, 12.34, 123.4, 12_345.6, -1_234_567.0].map(number);
        assert_eq!(shown, ["0", "0.012", "0.50", "2.35", "12.3", "123", "12,346", "-1,234,567"]);
    }

    #[test]
    fn keys_are_unique() {
        let mut keys: Vec<&str> = ALL.iter().map(|figure| figure.key).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), ALL.len());
    }
}
