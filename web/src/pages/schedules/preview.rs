//! Two weeks as they would be: in words for everybody, and as a bar of the day for a glance.

use crate::words;
use askama::Template;
use domain::AppointmentId;
use jiff::{Timestamp, tz::TimeZone};
use scheduler::{DayPreview, SchedulePreview};

/// The most appointments listed; how many there are is said.
const MAX_LISTED: usize = 50;

/// The part of the page that a change of the form changes.
#[derive(Template)]
#[template(path = "schedules/preview.html")]
pub(crate) struct Preview {
    /// Something is being tried, and nothing is saved yet.
    is_trial: bool,
    /// What is tried changes something in these days.
    changes: bool,
    practitioners: Vec<Weeks>,
    outside: Vec<Outside>,
    /// How many more there are than are listed.
    more: usize,
}

struct Weeks {
    name: Option<String>,
    days: Vec<Day>,
}

struct Day {
    date: String,
    hours: String,
    opens: String,
    closes: String,
    bars: Vec<Bar>,
}

/// A piece of the day in minutes from its start.
struct Bar {
    class: &'static str,
    from: i64,
    length: i64,
}

struct Outside {
    appointment: AppointmentId,
    when: String,
    patient: String,
    practitioner: String,
}

impl Preview {
    /// Something is being tried, and nothing is saved yet.
    pub(crate) fn is_trial(&self) -> bool {
        self.is_trial
    }

    /// `is_trial`: a change is shown that is not saved. Of several practitioners only the days that it changes are shown.
    pub(crate) fn new(preview: SchedulePreview, is_trial: bool, zone: &TimeZone) -> Self {
        let is_changed = |day: &DayPreview| !day.opens.is_empty() || !day.closes.is_empty();
        let changes = preview.practitioners.iter().flat_map(|one| &one.days).any(is_changed);
        let is_one = preview.practitioners.len() == 1;
        let weeks = |one: scheduler::PractitionerPreview| Weeks {
            days: one.days.iter().filter(|day| is_one || is_changed(day)).map(|day| Day::new(day, zone)).collect(),
            name: (!is_one).then_some(one.practitioner.title_and_name),
        };
        let more = preview.outside.len().saturating_sub(MAX_LISTED);
        let outside = preview.outside.into_iter().take(MAX_LISTED).map(|visit| Outside {
            appointment: visit.id,
            when: words::date_and_time(visit.starts_at, zone),
            patient: visit.patient.name,
            practitioner: visit.practitioner.short,
        });
        let mut practitioners: Vec<_> = preview.practitioners.into_iter().map(weeks).collect();
        practitioners.retain(|one| !one.days.is_empty());
        Self { is_trial, changes, practitioners, outside: outside.collect(), more }
    }
}

impl Day {
    fn new(day: &DayPreview, zone: &TimeZone) -> Self {
        let stays = |class, spans: &[(Timestamp, Timestamp)]| -> Vec<Bar> {
            spans.iter().map(|(from, to)| Bar::new(class, day.bounds.0, *from, *to)).collect()
        };
        let bars = [stays("open", &day.hours), stays("opens", &day.opens), stays("closes", &day.closes)];
        Self {
            date: day.date.strftime("%a %-d %b").to_string(),
            hours: if day.hours.is_empty() { "closed".to_owned() } else { spans(day, &day.hours, zone) },
            opens: spans(day, &day.opens, zone),
            closes: spans(day, &day.closes, zone),
            bars: bars.into_iter().flatten().collect(),
        }
    }
}

/// `09:00–12:00, 13:00–24:00`, or `all day`.
fn spans(day: &DayPreview, spans: &[(Timestamp, Timestamp)], zone: &TimeZone) -> String {
    let words = |span: &(Timestamp, Timestamp)| {
        if *span == day.bounds {
            return "all day".to_owned();
        }
        let end = if span.1 == day.bounds.1 { "24:00".to_owned() } else { words::time(span.1, zone) };
        format!("{}–{end}", words::time(span.0, zone))
    };
    spans.iter().map(words).collect::<Vec<_>>().join(", ")
}

impl Bar {
    fn new(class: &'static str, start: Timestamp, from: Timestamp, to: Timestamp) -> Self {
        Self { class, from: from.duration_since(start).as_mins(), length: to.duration_since(from).as_mins() }
    }
}
