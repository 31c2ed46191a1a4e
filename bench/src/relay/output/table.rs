//! The table on the terminal: one line a target, for each scenario at the highest load that was measured.

use super::{
    compare::load,
    figures::{COST, Figure, named, number},
    summary::{FLOOR, Group, OURS, each_once, groups},
};
use crate::relay::figures::Row;

/// The figures that fit beside each other on a terminal.
const SHOWN: [&str; 8] =
    ["seconds_per_gb", "core", "packets", "latency_p50", "latency_p99", "loss", "syscalls", "memory"];
/// Those of a path that loses.
const SHOWN_OF_REPAIR: [&str; 9] = [
    "path_loss",
    "residual",
    "residual_sound",
    "asked_per_lost",
    "resent_per_lost",
    "frames_on_time",
    "frame_p50",
    "frame_p99",
    "keyframes_wanted",
];
/// Those of a path that narrows.
const SHOWN_OF_NARROW: [&str; 5] = ["narrow_sent", "narrow_dropped", "narrow_queue", "narrow_recovery", "loss"];

/// All scenarios, one table each for the loads that were measured in the most rounds, the highest first.
pub fn tables(rows: &[Row]) -> String {
    let groups = groups(rows);
    let scenarios = each_once(groups.iter().map(|group| group.scenario));
    let tables = scenarios.into_iter().flat_map(|scenario| {
        let of_scenario: Vec<&Group<'_>> = groups.iter().filter(|group| group.scenario == scenario).collect();
        let rounds = of_scenario.iter().map(|group| group.rows.len()).max();
        let often = of_scenario.iter().filter(|group| Some(group.rows.len()) == rounds).map(|group| group.load);
        let mut loads: Vec<f64> = each_once(often);
        loads.sort_by(|a, b| b.total_cmp(a));
        let table = |load: f64| {
            let at_load = of_scenario.iter().copied().filter(|group| (group.load - load).abs() < 1e-9);
            table(scenario, load, &at_load.collect::<Vec<_>>())
        };
        loads.into_iter().map(table).collect::<Vec<_>>()
    });
    tables.collect::<Vec<_>>().join("\n")
}

fn table(scenario: &str, part: f64, at_load: &[&Group<'_>]) -> String {
    let has = |of: fn(&Row) -> bool| at_load.iter().flat_map(|group| &group.rows).any(|row| of(row));
    let keys = match () {
        () if has(|row| row.repair.is_some()) => &SHOWN_OF_REPAIR[..],
        () if has(|row| row.narrow.is_some()) => &SHOWN_OF_NARROW[..],
        () => &SHOWN[..],
    };
    let figures: Vec<Figure> = named(keys).collect();

    let mut lines = vec![heading(&figures)];
    for target in each_once(at_load.iter().map(|group| group.target)) {
        let of_target = |group: &&&Group<'_>| group.target == target;
        if let Some(group) = at_load.iter().filter(of_target).find(|group| group.is_judged()) {
            lines.push(line(group, &figures, at_load));
        }
    }
    let mut text = format!("{scenario}, {} load\n{}", load(part), aligned(&lines));
    for group in at_load {
        for note in group.notes() {
            text.push_str(&format!("  {}: {note}\n", group.target));
        }
    }
    text
}

fn heading(figures: &[Figure]) -> Vec<String> {
    let fixed = ["", "CPU a packet, µs", "to the floor", "to ours"].map(str::to_owned);
    fixed.into_iter().chain(figures.iter().map(Figure::heading)).collect()
}

fn line(group: &Group<'_>, figures: &[Figure], beside: &[&Group<'_>]) -> Vec<String> {
    let cost = group.spread(COST);
    let shown = cost.map(super::summary::Spread::text);
    let fixed = [
        group.target.to_owned(),
        or_dash(shown),
        or_dash(ratio(group, beside, FLOOR).map(times)),
        or_dash(ratio(group, beside, OURS).map(times)),
    ];
    let rest = figures.iter().map(|figure| or_dash(group.spread(*figure).map(|spread| number(spread.median))));
    fixed.into_iter().chain(rest).collect()
}

/// The cost of a packet, as a multiple of that of another target in the same scenario under the same load.
pub fn ratio(group: &Group<'_>, beside: &[&Group<'_>], other: &str) -> Option<f64> {
    let other = beside.iter().find(|one| one.is_of(other, group.scenario, group.load))?.spread(COST)?.median;
    let ours = group.spread(COST)?.median;
    (other > 0.0).then(|| ours / other)
}

/// A multiple.
pub fn times(ratio: f64) -> String {
    format!("×{}", number(ratio))
}

fn or_dash(text: Option<String>) -> String {
    text.unwrap_or_else(|| "–".to_owned())
}

/// Columns: the first to the left, the others to the right.
pub fn aligned(lines: &[Vec<String>]) -> String {
    let columns = lines.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for line in lines {
        for (column, (cell, width)) in line.iter().zip(&widths).enumerate() {
            let blanks = " ".repeat(width - cell.chars().count());
            match column {
                0 => text.push_str(&format!("  {cell}{blanks}")),
                _ => text.push_str(&format!("  {blanks}{cell}")),
            }
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::relay::output::results::tests::made_up;

    #[test]
    fn each_target_has_a_line_with_its_ratios_and_a_missing_one_says_why() {
        let mut results = made_up(&[("bedside", &[6.0, 6.5, 6.2]), ("null", &[5.0, 5.0, 5.0])]);
        results.rows.push(Row {
            target: "livekit".to_owned(),
            scenario: "S1".to_owned(),
            load: 1.0,
            notes: vec!["no program was given".to_owned()],
            ..Row::default()
        });
        let text = tables(&results.rows);
        let of =
            |target: &str| text.lines().find(|line| line.trim_start().starts_with(target)).expect(target).to_owned();
        assert!(of("bedside").contains("6.20 (6.00–6.50)") && of("bedside").contains("×1.24"), "{text}");
        assert!(of("null").contains("×1.00") && of("null").contains("×0.81"), "{text}");
        assert_eq!(of("livekit"), "  livekit: no program was given");
    }

    #[test]
    fn columns_stand_below_each_other() {
        let lines = [vec!["a".to_owned(), "1".to_owned()], vec!["bcd".to_owned(), "µs 22".to_owned()]];
        assert_eq!(aligned(&lines), "  a        1\n  bcd  µs 22\n");
    }
}
