//! Appointments at one time share the width of their column: what is booked on purpose beside another, or after a no-show.

use super::calendar::{Entry, MAX_BESIDE};

/// Gives each of `entries` its place beside those that overlap it, directly or by way of others.
pub(super) fn side_by_side(entries: &mut [Entry]) {
    entries.sort_by_key(|entry| (entry.row, -entry.span));
    let mut first = 0;
    while first < entries.len() {
        let mut end = entries[first].row + entries[first].span;
        let mut last = first + 1;
        while last < entries.len() && entries[last].row < end {
            end = end.max(entries[last].row + entries[last].span);
            last += 1;
        }
        divide(&mut entries[first..last]);
        first = last;
    }
}

/// Each goes to the first place that is free again.
fn divide(cluster: &mut [Entry]) {
    let mut ends: Vec<i64> = Vec::new();
    let mut places = Vec::new();
    for entry in cluster.iter() {
        let place = ends.iter().position(|end| *end <= entry.row).unwrap_or(ends.len()).min(MAX_BESIDE - 1);
        let end = entry.row + entry.span;
        if place == ends.len() {
            ends.push(end);
        } else {
            ends[place] = ends[place].max(end);
        }
        places.push(place + 1);
    }
    for (entry, place) in cluster.iter_mut().zip(places) {
        entry.beside = (place, ends.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::desk::entry::Content;

    fn beside(rows: &[(i64, i64)]) -> Vec<(usize, usize)> {
        let entry = |(row, span): &(i64, i64)| Entry {
            row: *row,
            span: *span,
            beside: (1, 1),
            time: String::new(),
            content: Content::Closed { until: String::new() },
        };
        let mut entries: Vec<_> = rows.iter().map(entry).collect();
        side_by_side(&mut entries);
        entries.iter().map(|entry| entry.beside).collect()
    }

    #[test]
    fn one_after_the_other_each_has_the_whole_width() {
        assert_eq!(beside(&[(0, 6), (6, 6), (12, 3)]), [(1, 1); 3]);
    }

    #[test]
    fn two_at_one_time_share_it() {
        assert_eq!(beside(&[(0, 6), (0, 6), (6, 6)]), [(1, 2), (2, 2), (1, 1)]);
    }

    #[test]
    fn a_chain_of_overlaps_is_divided_alike_and_a_place_is_used_again() {
        assert_eq!(beside(&[(0, 12), (3, 3), (6, 6)]), [(1, 2), (2, 2), (2, 2)]);
    }

    #[test]
    fn the_fifth_at_one_time_lies_on_the_fourth() {
        assert_eq!(beside(&[(0, 6); 5])[4], (4, 4));
    }
}
