//! What changed between two runs beyond the noise: a median that lies outside of what the other run ever saw, both ways.

use super::{
    Results,
    figures::{ALL, Better, number},
    summary::{Group, Spread, groups},
};
use std::{fmt::Write as _, path::Path};

/// One figure of one target that is not what it was.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The target's name.
    pub target: String,
    /// The scenario's name.
    pub scenario: String,
    /// Part of the full load.
    pub load: f64,
    /// Heading and unit of the figure.
    pub figure: String,
    /// In the first run.
    pub before: Spread,
    /// In the second run.
    pub after: Spread,
    /// Whether that is good news, where one can say.
    pub is_better: Option<bool>,
}

/// What a comparison came to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Comparison {
    /// What is not what it was, in the order of the first run.
    pub changes: Vec<Change>,
    /// How many figures both runs have.
    pub compared: usize,
    /// What only one of the runs has, and what differs in how they were measured.
    pub remarks: Vec<String>,
}

/// Reads two files, compares them and prints what changed.
///
/// # Errors
/// When a file cannot be read.
pub fn run(before: &Path, after: &Path) -> anyhow::Result<()> {
    print!("{}", compare(&Results::read(before)?, &Results::read(after)?).text());
    Ok(())
}

/// Compares every figure that both runs have.
pub fn compare(before: &Results, after: &Results) -> Comparison {
    let mut comparison = Comparison { remarks: circumstances(before, after), ..Comparison::default() };
    let (old, new) = (groups(&before.rows), groups(&after.rows));
    for group in old.iter().filter(|group| group.is_judged()) {
        match new.iter().find(|other| is_same(group, other) && other.is_judged()) {
            Some(other) => comparison.add(group, other),
            None => comparison.remarks.push(format!("only in the first: {}", name(group))),
        }
    }
    for group in new.iter().filter(|group| group.is_judged()) {
        if !old.iter().any(|other| is_same(group, other) && other.is_judged()) {
            comparison.remarks.push(format!("only in the second: {}", name(group)));
        }
    }
    comparison
}

impl Comparison {
    fn add(&mut self, before: &Group<'_>, after: &Group<'_>) {
        for figure in ALL {
            let (Some(old), Some(new)) = (before.spread(figure), after.spread(figure)) else { continue };
            self.compared += 1;
            if is_beyond_noise(old, new) {
                self.changes.push(Change {
                    target: before.target.to_owned(),
                    scenario: before.scenario.to_owned(),
                    load: before.load,
                    figure: figure.heading(),
                    before: old,
                    after: new,
                    is_better: match figure.better {
                        Better::Less => Some(new.median < old.median),
                        Better::More => Some(new.median > old.median),
                        Better::Neither => None,
                    },
                });
            }
        }
    }

    /// For the terminal.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for remark in &self.remarks {
            line(&mut text, format_args!("note: {remark}"));
        }
        match (self.compared, self.changes.is_empty()) {
            (0, _) => line(&mut text, format_args!("The two runs have no figure in common.")),
            (compared, true) => {
                line(&mut text, format_args!("Nothing changed beyond the noise ({compared} figures compared)."));
            }
            (compared, false) => {
                let changed = self.changes.len();
                line(&mut text, format_args!("{changed} of {compared} figures changed beyond the noise:\n"));
                self.changes.iter().for_each(|change| line(&mut text, format_args!("{}", change.text())));
            }
        }
        text
    }
}

impl Change {
    fn text(&self) -> String {
        let verdict = match self.is_better {
            Some(true) => "better",
            Some(false) => "worse",
            None => "changed",
        };
        let ratio = if self.before.median == 0.0 {
            "new".to_owned()
        } else {
            format!("×{}", number(self.after.median / self.before.median))
        };
        format!(
            "{verdict:8} {:12} {} at {:<5} {:26} {:>26} → {:26} {ratio}",
            self.target,
            self.scenario,
            load(self.load),
            self.figure,
            self.before.text(),
            self.after.text(),
        )
    }
}

/// Each median lies outside of the other run's least and most. One round has no noise of its own, so it needs five percent.
fn is_beyond_noise(before: Spread, after: Spread) -> bool {
    let outside = |value: f64, of: Spread| {
        let margin = if of.rounds == 1 { of.median.abs() * 0.05 } else { 0.0 };
        value < of.min - margin || value > of.max + margin
    };
    outside(after.median, before) && outside(before.median, after)
}

fn circumstances(before: &Results, after: &Results) -> Vec<String> {
    let (a, b) = (&before.machine, &after.machine);
    let mut differ: Vec<String> = [
        ("processor", &a.processor, &b.processor),
        ("kernel", &a.kernel, &b.kernel),
        ("compiler", &a.compiler, &b.compiler),
        ("commit", &a.commit, &b.commit),
    ]
    .into_iter()
    .filter(|(_, a, b)| a != b)
    .map(|(what, a, b)| format!("another {what}: {a} → {b}"))
    .collect();
    if before.settings != after.settings {
        differ.push("measured with other settings".to_owned());
    }
    differ
}

fn is_same(a: &Group<'_>, b: &Group<'_>) -> bool {
    a.is_of(b.target, b.scenario, b.load)
}

fn name(group: &Group<'_>) -> String {
    format!("{} {} at {}", group.target, group.scenario, load(group.load))
}

/// A part of the full load, as people say it.
pub fn load(part: f64) -> String {
    match part {
        part if (part - 1.0).abs() < 1e-9 => "full".to_owned(),
        part if part > 0.0 && ((1.0 / part) - (1.0 / part).round()).abs() < 1e-6 => format!("1/{:.0}", 1.0 / part),
        part => number(part),
    }
}

fn line(text: &mut String, what: std::fmt::Arguments<'_>) {
    text.write_fmt(what).and_then(|()| text.write_char('\n')).expect("writing to a string");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::relay::output::results::tests::made_up;

    #[test]
    fn the_same_run_has_not_changed() {
        let run = made_up(&[("bedside", &[6.0, 6.2, 6.1]), ("janus", &[80.0, 90.0, 85.0])]);
        let comparison = compare(&run, &run);
        assert_eq!(comparison.changes, []);
        assert!(comparison.text().starts_with("Nothing changed beyond the noise ("), "{}", comparison.text());
    }

    #[test]
    fn a_change_within_the_noise_is_none() {
        let before = made_up(&[("bedside", &[6.0, 7.0, 6.5])]);
        let after = made_up(&[("bedside", &[6.2, 6.9, 6.8])]);
        assert_eq!(compare(&before, &after).changes, []);
    }

    #[test]
    fn a_slow_down_of_a_fifth_is_seen_with_its_ratio_and_what_did_not_change_is_not() {
        let before = made_up(&[("bedside", &[6.0, 6.1, 6.05]), ("null", &[5.0, 5.2, 5.1])]);
        let after = made_up(&[("bedside", &[7.2, 7.3, 7.26]), ("null", &[5.1, 5.2, 5.0])]);
        let comparison = compare(&before, &after);
        assert!(comparison.changes.iter().all(|change| change.target == "bedside"), "{comparison:#?}");
        let text = comparison.text();
        let cost = text.lines().find(|line| line.contains("full") && line.contains("CPU a packet")).expect("the cost");
        assert!(cost.starts_with("worse") && cost.ends_with("×1.20"), "{cost}");
    }

    #[test]
    fn what_only_one_run_has_is_said() {
        let comparison = compare(&made_up(&[("bedside", &[6.0])]), &made_up(&[("null", &[5.0])]));
        assert_eq!(comparison.compared, 0);
        let text = comparison.text();
        assert!(text.contains("only in the first: bedside S1 at full"), "{text}");
        assert!(text.contains("only in the second: null S1 at 1/2"), "{text}");
        assert!(text.contains("no figure in common"), "{text}");
    }
}
