//! The page to look at: bars, lines and tables in one file that asks nobody else for anything.

use super::{
    Results,
    compare::load,
    figures::{ALL, Better, COST, Figure, named, number},
    plot::growth,
    summary::{FLOOR, Group, OURS, each_once, groups},
    table::{ratio, times},
};
use crate::relay::{figures::Row, scenario::Scenario};
use askama::Template;

#[derive(Template)]
#[template(path = "relay.html")]
struct Page<'a> {
    results: &'a Results,
    facts: Vec<(&'a str, String)>,
    targets: Vec<TargetPart<'a>>,
    scenarios: Vec<ScenarioPart<'a>>,
    figures: [Figure; ALL.len()],
}

struct TargetPart<'a> {
    name: &'a str,
    class: String,
    configuration: &'a [(String, String)],
    srtp: &'a str,
    codecs: &'a str,
}

struct ScenarioPart<'a> {
    name: &'a str,
    title: &'static str,
    /// Its name as part of an address.
    anchor: String,
    load: String,
    rounds: usize,
    charts: Vec<Chart<'a>>,
    plots: Vec<Plot>,
    /// The targets' names and classes, in the order of the columns.
    columns: Vec<(&'a str, String)>,
    lines: Vec<TableLine>,
    notes: Vec<(&'a str, Vec<&'a str>)>,
}

struct Chart<'a> {
    figure: Figure,
    bars: Vec<Bar<'a>>,
}

struct Bar<'a> {
    target: &'a str,
    class: String,
    /// Parts of the longest, in percent.
    median: f64,
    min: f64,
    max: f64,
    value: String,
    ratios: String,
}

struct Plot {
    figure: Figure,
    svg: String,
}

struct TableLine {
    heading: String,
    cells: Vec<Cell>,
}

#[derive(Default)]
struct Cell {
    value: String,
    range: String,
    is_best: bool,
}

/// Which figures have bars, and which have lines over the load.
const BARS: [&str; 6] =
    ["us_per_packet", "latency_p99", "memory", "join_first_keyframe", "frames_on_time", "narrow_dropped"];
const LINES: [&str; 3] = ["us_per_packet", "latency_p99", "core"];

/// Writes the page.
///
/// # Errors
/// Never in practice: only when the template writes to something that is full.
pub fn render(results: &Results) -> Result<String, askama::Error> {
    let groups = groups(&results.rows);
    let names = each_once(results.rows.iter().map(|row| row.target.as_str()));
    let class_of = |target: &str| class(target, &names);
    let scenarios = each_once(groups.iter().map(|group| group.scenario));
    let page = Page {
        facts: facts(results),
        targets: names.iter().filter_map(|name| target(name, &results.rows, class_of(name))).collect(),
        scenarios: scenarios.into_iter().map(|scenario| part(scenario, &groups, &class_of)).collect(),
        figures: ALL,
        results,
    };
    page.render()
}

/// Ours and the floor look the same on every page; the others take colours in their order.
fn class(target: &str, names: &[&str]) -> String {
    match target {
        OURS => "ours".to_owned(),
        name if name == FLOOR => "floor".to_owned(),
        name if name.starts_with(FLOOR) => "floor-gso".to_owned(),
        name => {
            let others = names.iter().filter(|name| **name != OURS && !name.starts_with(FLOOR));
            format!("peer-{}", others.take_while(|other| **other != name).count() % 6 + 1)
        }
    }
}

fn facts(results: &Results) -> Vec<(&str, String)> {
    let machine = &results.machine;
    let gigabytes = number(machine.memory_bytes as f64 / 1e9);
    let mut facts = vec![
        ("began", results.began.clone()),
        ("commit", machine.commit.clone()),
        ("processor", format!("{} cores of {}", machine.cores, machine.processor)),
        ("memory", format!("{gigabytes} GB")),
        ("system", format!("{}, {}", machine.system, machine.kernel)),
        ("compiler", machine.compiler.clone()),
        ("load before", machine.load.clone()),
        ("seed", results.seed.to_string()),
    ];
    facts.extend(results.settings.iter().map(|(name, value)| (name.as_str(), value.clone())));
    facts
}

fn target<'a>(name: &'a str, rows: &'a [Row], class: String) -> Option<TargetPart<'a>> {
    let of_target = || rows.iter().filter(|row| row.target == name);
    let row = of_target().find(|row| row.judged).or_else(|| of_target().next())?;
    Some(TargetPart { name, class, configuration: &row.configuration, srtp: &row.srtp, codecs: &row.codecs })
}

fn part<'a>(scenario: &'a str, groups: &'a [Group<'a>], class_of: &impl Fn(&str) -> String) -> ScenarioPart<'a> {
    let all: Vec<&Group<'a>> = groups.iter().filter(|group| group.scenario == scenario).collect();
    let highest = all.iter().map(|group| group.load).fold(0.0, f64::max);
    let judged: Vec<&Group<'a>> =
        all.iter().copied().filter(|group| group.load >= highest && group.is_judged()).collect();
    let plot = |figure: Figure| Some(Plot { figure, svg: growth(&all, figure, class_of)? });
    ScenarioPart {
        name: scenario,
        title: scenario.get(..2).and_then(|name| name.parse().ok()).map_or("", Scenario::title),
        anchor: scenario.split(|letter: char| !letter.is_alphanumeric()).collect::<Vec<_>>().join("-"),
        load: load(highest),
        rounds: judged.iter().map(|group| group.rows.len()).max().unwrap_or(0),
        charts: named(&BARS).filter_map(|figure| chart(figure, &judged, class_of)).collect(),
        plots: named(&LINES).filter_map(plot).collect(),
        columns: judged.iter().map(|group| (group.target, class_of(group.target))).collect(),
        lines: ALL.into_iter().filter_map(|figure| line(figure, &judged)).collect(),
        notes: each_once(all.iter().map(|group| (group.target, group.notes())).filter(|(_, notes)| !notes.is_empty())),
    }
}

fn chart<'a>(figure: Figure, groups: &[&Group<'a>], class_of: &impl Fn(&str) -> String) -> Option<Chart<'a>> {
    let spreads: Vec<_> = groups.iter().filter_map(|group| Some((*group, group.spread(figure)?))).collect();
    let longest = spreads.iter().map(|(_, spread)| spread.max).fold(0.0, f64::max);
    let mut bars: Vec<Bar<'a>> = spreads
        .into_iter()
        .map(|(group, spread)| Bar {
            target: group.target,
            class: class_of(group.target),
            median: spread.median / longest * 100.0,
            min: spread.min / longest * 100.0,
            max: spread.max / longest * 100.0,
            value: number(spread.median),
            ratios: if figure.key == COST.key { ratios(group, groups) } else { String::new() },
        })
        .collect();
    bars.sort_by(|a, b| a.median.total_cmp(&b.median));
    (longest > 0.0).then_some(Chart { figure, bars })
}

fn ratios(group: &Group<'_>, beside: &[&Group<'_>]) -> String {
    let of = |other, name| Some(format!("{} {name}", times(ratio(group, beside, other)?)));
    let (floor, ours) = (of(FLOOR, "the floor"), of(OURS, "ours"));
    let wanted = [floor.filter(|_| group.target != FLOOR), ours.filter(|_| group.target != OURS)];
    wanted.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn line(figure: Figure, groups: &[&Group<'_>]) -> Option<TableLine> {
    let spreads: Vec<_> = groups.iter().map(|group| group.spread(figure)).collect();
    // The floor is no competitor.
    let medians = groups.iter().zip(&spreads).filter(|(group, _)| !group.target.starts_with(FLOOR));
    let medians = medians.filter_map(|(_, spread)| Some((*spread)?.median));
    let best = match figure.better {
        Better::Less => medians.reduce(f64::min),
        Better::More => medians.reduce(f64::max),
        Better::Neither => None,
    };
    let cell = |(group, spread): (&&Group<'_>, &Option<super::summary::Spread>)| {
        spread.map_or_else(Cell::default, |spread| Cell {
            value: number(spread.median),
            range: if spread.rounds > 1 {
                format!("{}–{}", number(spread.min), number(spread.max))
            } else {
                String::new()
            },
            is_best: Some(spread.median) == best && spread.median > 0.0 && !group.target.starts_with(FLOOR),
        })
    };
    let cells: Vec<Cell> = groups.iter().zip(&spreads).map(cell).collect();
    spreads.iter().any(Option::is_some).then(|| TableLine { heading: figure.heading(), cells })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::relay::output::results::tests::made_up;

    fn page() -> String {
        let results = made_up(&[
            ("bedside", &[6.0, 6.4, 6.1]),
            ("null", &[5.0, 5.2, 5.1]),
            ("janus", &[80.0, 95.0, 88.0]),
            ("<b>other", &[12.0, 13.0, 12.5]),
        ]);
        render(&results).expect("the page is written")
    }

    #[test]
    fn the_page_needs_nothing_from_elsewhere_and_runs_nothing() {
        let page = page();
        for word in ["<script", "src=", "href=\"http", "@import", "url("] {
            assert!(!page.contains(word), "{word}");
        }
        assert!(page.contains("prefers-color-scheme") && page.contains("name=\"viewport\""));
    }

    #[test]
    fn it_shows_medians_ratios_and_growth_and_escapes_names() {
        let page = page();
        assert!(page.contains("×17.3 the floor, ×14.4 ours"), "janus beside the floor and ours");
        assert!(page.contains("<polyline"), "two loads make a line");
        assert!(page.contains("b&#62;other") && !page.contains("<b>other"));
    }

    #[test]
    fn the_floor_is_never_called_the_best() {
        let best = page();
        let best = best.split("class=\"best\"").nth(1).expect("somebody is the best");
        assert!(best.starts_with(">6.10<"), "{}", &best[..40]);
    }
}
