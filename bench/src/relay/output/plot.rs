//! Lines over the load, as SVG of the width of a phone: what bends upwards does not grow well.

use super::{
    compare::load,
    figures::{Figure, number},
    summary::{Group, Spread},
};
use std::fmt::Write as _;

const WIDTH: f64 = 360.0;
const HEIGHT: f64 = 220.0;
const LEFT: f64 = 44.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 28.0;

/// One line: a class for its colour, and what was measured at each load.
struct Line {
    class: String,
    points: Vec<(f64, Spread)>,
}

/// A figure over the load, one line a target; `None` where there are no two loads to draw a line between.
///
/// `class_of` says in which colour.
pub(super) fn growth(groups: &[&Group<'_>], figure: Figure, class_of: impl Fn(&str) -> String) -> Option<String> {
    let mut lines: Vec<Line> = Vec::new();
    for group in groups {
        let Some(spread) = group.spread(figure) else { continue };
        let class = class_of(group.target);
        // What is nothing has no place on a logarithmic scale.
        if spread.min <= 0.0 {
            continue;
        }
        match lines.iter_mut().find(|line| line.class == class) {
            Some(line) => line.points.push((group.load, spread)),
            None => lines.push(Line { class, points: vec![(group.load, spread)] }),
        }
    }
    lines.retain(|line| line.points.len() > 1);
    lines.iter_mut().for_each(|line| line.points.sort_by(|a, b| a.0.total_cmp(&b.0)));
    let points = || lines.iter().flat_map(|line| &line.points);
    let most = points().map(|(_, spread)| spread.max).fold(0.0, f64::max);
    let least = points().map(|(_, spread)| spread.min).fold(f64::INFINITY, f64::min);
    (most > 0.0).then(|| draw(&lines, points().map(|(load, _)| *load).collect(), (least, most)))
}

fn draw(lines: &[Line], mut loads: Vec<f64>, (least, most): (f64, f64)) -> String {
    loads.sort_by(f64::total_cmp);
    loads.dedup();
    let ticks = ticks(least, most);
    let place = |value: f64, from: f64, to: f64| (value / from).ln() / (to / from).ln();
    let (bottom, top) = (ticks[0], ticks[ticks.len() - 1]);
    let y = |value: f64| HEIGHT - BOTTOM - place(value, bottom, top) * (HEIGHT - TOP - BOTTOM);
    let (first, last) = (loads[0], loads[loads.len() - 1]);
    let x = |part: f64| LEFT + 8.0 + place(part, first, last) * (WIDTH - LEFT - RIGHT - 16.0);

    let mut svg = format!("<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\">");
    for tick in ticks {
        let (y, label) = (y(tick), label(tick));
        add(
            &mut svg,
            format_args!(
                "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{:.0}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>",
                WIDTH - RIGHT
            ),
        );
        add(
            &mut svg,
            format_args!("<text x=\"{:.0}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>", LEFT - 6.0, y + 4.0),
        );
    }
    for part in &loads {
        let (x, y) = (x(*part), HEIGHT - 8.0);
        add(&mut svg, format_args!("<text x=\"{x:.1}\" y=\"{y:.0}\" text-anchor=\"middle\">{}</text>", load(*part)));
    }
    for line in lines {
        add(&mut svg, format_args!("<g class=\"{}\"><polyline points=\"", line.class));
        line.points.iter().for_each(|(part, spread)| {
            add(&mut svg, format_args!("{:.1},{:.1} ", x(*part), y(spread.median)));
        });
        svg.push_str("\"/>");
        for (part, spread) in &line.points {
            let x = x(*part);
            let (low, high, at) = (y(spread.min), y(spread.max), y(spread.median));
            add(&mut svg, format_args!("<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{low:.1}\" y2=\"{high:.1}\"/>"));
            add(&mut svg, format_args!("<circle cx=\"{x:.1}\" cy=\"{at:.1}\" r=\"3\"/>"));
        }
        svg.push_str("</g>");
    }
    svg.push_str("</svg>");
    svg
}

/// Of 1, 2, 5, 10, 20, … those between which all values lie: one at or below the least, one at or above the most.
fn ticks(least: f64, most: f64) -> Vec<f64> {
    let decade = 10_f64.powf(least.log10().floor());
    let steps = (0..).flat_map(|power| [1.0, 2.0, 5.0].map(|digit| digit * decade * 10_f64.powi(power)));
    let mut ticks: Vec<f64> = Vec::new();
    for step in steps {
        if step <= least {
            ticks.clear();
        }
        ticks.push(step);
        if step >= most && ticks.len() > 1 {
            break;
        }
    }
    ticks
}

/// A round number without noughts behind the point.
fn label(tick: f64) -> String {
    let text = number(tick);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

fn add(svg: &mut String, what: std::fmt::Arguments<'_>) {
    svg.write_fmt(what).expect("writing to a string");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_hold_all_values_between_them() {
        assert_eq!(ticks(4.9, 88.0), [2.0, 5.0, 10.0, 20.0, 50.0, 100.0]);
        assert_eq!(ticks(5.0, 5.0), [5.0, 10.0]);
        assert_eq!(ticks(0.3, 0.9), [0.2, 0.5, 1.0]);
        assert_eq!([0.2, 5.0, 10_000.0].map(label), ["0.2", "5", "10,000"]);
    }
}
