//! What many rounds come to: medians, with the least and the most beside them.

use super::figures::{Figure, number};
use crate::relay::figures::Row;

/// One figure over all rounds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// Half of the rounds had less.
    pub median: f64,
    /// The least.
    pub min: f64,
    /// The most.
    pub max: f64,
    /// How many rounds.
    pub rounds: usize,
}

impl Spread {
    /// Of some values; `None` without any.
    pub fn of(mut values: Vec<f64>) -> Option<Self> {
        values.retain(|value| value.is_finite());
        values.sort_by(f64::total_cmp);
        let (min, max) = (*values.first()?, *values.last()?);
        let middle = values.len() / 2;
        let median = if values.len().is_multiple_of(2) {
            f64::midpoint(values[middle - 1], values[middle])
        } else {
            values[middle]
        };
        Some(Self { median, min, max, rounds: values.len() })
    }

    /// The median, the least and the most.
    pub fn text(self) -> String {
        format!("{} ({}–{})", number(self.median), number(self.min), number(self.max))
    }
}

/// All rounds of one target in one scenario under one load.
#[derive(Debug, Clone)]
pub struct Group<'a> {
    /// The target's name.
    pub target: &'a str,
    /// The scenario's name.
    pub scenario: &'a str,
    /// Part of the full load.
    pub load: f64,
    /// Its windows.
    pub rows: Vec<&'a Row>,
}

impl Group<'_> {
    /// A figure over the rounds that may be judged.
    pub fn spread(&self, figure: Figure) -> Option<Spread> {
        Spread::of(self.judged().filter_map(figure.of).collect())
    }

    /// Whether there is anything to judge.
    pub fn is_judged(&self) -> bool {
        self.judged().next().is_some()
    }

    /// What the reader must know, each once.
    pub fn notes(&self) -> Vec<&str> {
        let mut notes: Vec<&str> = Vec::new();
        for note in self.rows.iter().flat_map(|row| &row.notes) {
            if !notes.contains(&note.as_str()) {
                notes.push(note);
            }
        }
        notes
    }

    /// Whether it is of this target, scenario and load.
    pub fn is_of(&self, target: &str, scenario: &str, load: f64) -> bool {
        self.target == target && self.scenario == scenario && (self.load - load).abs() < 1e-9
    }

    fn judged(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().copied().filter(|row| row.judged)
    }
}

/// The rows in groups, in the order in which the first of each came.
pub fn groups(rows: &[Row]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for row in rows {
        match groups.iter_mut().find(|group| group.is_of(&row.target, &row.scenario, row.load)) {
            Some(group) => group.rows.push(row),
            None => {
                groups.push(Group { target: &row.target, scenario: &row.scenario, load: row.load, rows: vec![row] })
            }
        }
    }
    groups
}

/// Each of these once, in the order in which they come.
pub fn each_once<T: PartialEq>(all: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut once = Vec::new();
    for one in all {
        if !once.contains(&one) {
            once.push(one);
        }
    }
    once
}

/// The name of our relay among the targets.
pub const OURS: &str = "bedside";

/// The name of the floor among the targets.
pub const FLOOR: &str = "null";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::relay::output::{figures::COST, results::tests::made_up};

    #[test]
    fn the_median_of_an_even_number_lies_between_the_two_in_the_middle() {
        let spread = Spread::of(vec![4.0, 1.0, 3.0, 2.0]).expect("values");
        assert_eq!(spread, Spread { median: 2.5, min: 1.0, max: 4.0, rounds: 4 });
        assert_eq!(Spread::of(vec![f64::NAN]), None);
    }

    #[test]
    fn a_round_that_may_not_be_judged_counts_nothing() {
        let mut results = made_up(&[("bedside", &[5.0, 50.0, 6.0])]);
        let spoiled = results.rows.iter_mut().filter(|row| row.round == 2);
        spoiled.for_each(|row| {
            row.judged = false;
            row.notes = vec!["the generator was the bottleneck".to_owned()];
        });
        let groups = groups(&results.rows);
        assert_eq!(groups.len(), 2, "one for each load");
        assert_eq!(groups[0].spread(COST).map(|spread| (spread.max, spread.rounds)), Some((6.0, 2)));
        assert_eq!(groups[0].notes(), ["the generator was the bottleneck"]);
    }
}
