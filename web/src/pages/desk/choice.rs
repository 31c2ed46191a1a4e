//! Which day and whose time the desk shows: chosen by links and a list, so it may stand in the address.

use domain::PractitionerId;
use jiff::civil::Date;
use scheduler::{DeskOf, DeskView, MAX_DESK_COLUMNS, PractitionerView};
use serde::Deserialize;
use std::sync::Arc;

/// From so many practitioners on, a list chooses among them.
const WORTH_CHOOSING: usize = 5;

/// As the address says it. What cannot be read is as if it were not there: the desk opens on today, with everybody.
#[derive(Deserialize, Default, Clone)]
#[serde(default)]
pub(crate) struct Choice {
    date: String,
    practitioner: String,
    page: String,
}

impl Choice {
    pub(super) fn date(&self) -> Option<Date> {
        self.date.parse().ok()
    }

    pub(super) fn practitioner(&self) -> Option<PractitionerId> {
        self.practitioner.parse().ok()
    }

    fn page(&self) -> usize {
        self.page.parse::<usize>().unwrap_or(1).clamp(1, 10_000) - 1
    }

    pub(super) fn of(&self) -> DeskOf {
        self.practitioner().map_or(DeskOf::Page(self.page()), DeskOf::One)
    }
}

/// The choice, with what else there is to choose.
pub(super) struct Chosen {
    pub(super) practitioners: Vec<Arc<PractitionerView>>,
    pub(super) practitioner: Option<PractitionerId>,
    /// The page that is shown, and how many there are, from 1.
    pub(super) page: usize,
    pub(super) pages: usize,
    /// The first and the last of those who are shown, from 1.
    pub(super) range: (usize, usize),
}

impl Chosen {
    pub(super) fn new(choice: &Choice, view: &DeskView) -> Self {
        let practitioner = choice.practitioner().filter(|id| view.shown.iter().any(|one| one.id == *id));
        let first = choice.page() * MAX_DESK_COLUMNS;
        Self {
            practitioners: view.practitioners.clone(),
            practitioner,
            page: choice.page() + 1,
            pages: view.practitioners.len().div_ceil(MAX_DESK_COLUMNS).max(1),
            range: (first + 1, first + view.shown.len()),
        }
    }

    /// Whether the page has a list to choose from.
    pub(super) fn is_offered(&self) -> bool {
        self.practitioners.len() >= WORTH_CHOOSING || self.practitioner.is_some()
    }

    /// Whether there are more than one page shows.
    pub(super) fn is_paged(&self) -> bool {
        self.practitioner.is_none() && self.pages > 1
    }

    pub(super) fn is_chosen(&self, one: &PractitionerView) -> bool {
        self.practitioner == Some(one.id)
    }

    /// What an address needs to keep the choice, after its date.
    pub(super) fn query(&self) -> String {
        match (self.practitioner, self.page) {
            (Some(id), _) => format!("&practitioner={id}"),
            (None, 1) => String::new(),
            (None, page) => format!("&page={page}"),
        }
    }
}
