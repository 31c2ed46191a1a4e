//! What every layout needs: each page's struct has a field `page`, and a staff page a field `staff` beside it.

use crate::{
    cookies,
    errors::PageError,
    extract::{Nonce, SignedIn},
    state::WebState,
    static_files, words,
};
use axum::{extract::FromRequestParts, http::request::Parts};
use axum_extra::extract::CookieJar;
use domain::Role;
use scheduler::DeskCounts;
use std::convert::Infallible;

/// The cookie that keeps the choice of light or dark.
pub const THEME_COOKIE: &str = "theme";

/// What `base.html` needs.
pub struct Page {
    /// Lets our scripts run.
    pub nonce: Nonce,
    /// `light`, `dark`, or nothing for the system's.
    pub theme: &'static str,
    /// The demo says that it is one.
    pub demo: bool,
}

impl Page {
    /// The address of a file of `static/`.
    pub fn asset(&self, name: &str) -> String {
        static_files::address(name)
    }
}

impl FromRequestParts<WebState> for Page {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, Infallible> {
        let nonce = Nonce::from_request_parts(parts, state).await?;
        let jar = CookieJar::from_headers(&parts.headers);
        let theme = match jar.get(&cookies::name(&state.site, THEME_COOKIE)).map(|cookie| cookie.value()) {
            Some("light") => "light",
            Some("dark") => "dark",
            _ => "",
        };
        Ok(Self { nonce, theme, demo: state.site.demo })
    }
}

/// Which entry of the navigation is the present page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Here {
    /// The front desk.
    Today,
    /// The week at the desk.
    Week,
    /// Finding patients.
    Patients,
    /// Who would come sooner.
    Waitlist,
    /// Whom no message reached.
    Messages,
    /// The practitioner's day.
    MyDay,
    /// When practitioners work, and what may be booked.
    Schedules,
    /// The history.
    History,
    /// Tokens and webhooks.
    Programs,
    /// The demo's mailbox.
    Mailbox,
    /// None of them.
    Elsewhere,
}

/// What `staff.html` needs.
pub struct Staff {
    /// Who is signed in.
    pub name: String,
    /// For the avatar.
    pub initials: String,
    /// Where.
    pub clinic: String,
    /// What they are.
    pub role: Role,
    /// The present page.
    pub here: Here,
    /// What waits for the desk.
    pub counts: DeskCounts,
}

impl Staff {
    /// The frame around a page for `person`.
    pub fn new(person: &SignedIn, here: Here) -> Self {
        Self {
            name: person.name.clone(),
            initials: words::initials(&person.name),
            clinic: person.clinic.name.clone(),
            role: person.role,
            here,
            counts: DeskCounts::default(),
        }
    }

    /// The same with what waits for the desk, where the navigation says so.
    pub async fn at_desk(state: &WebState, person: &SignedIn, here: Here) -> Result<Self, PageError> {
        let staff = Self::new(person, here);
        if !staff.runs_the_desk() {
            return Ok(staff);
        }
        let counts = scheduler::desk_counts(&state.db, &*state.clock, &person.actor()).await?;
        Ok(staff.counting(counts))
    }

    /// With what waits for the desk, by whoever has counted already.
    pub fn counting(self, counts: DeskCounts) -> Self {
        Self { counts, ..self }
    }

    /// Whether the navigation shows the desk.
    pub fn runs_the_desk(&self) -> bool {
        self.role.may_run_the_desk()
    }

    /// Whether the navigation shows the day.
    pub fn sees_patients(&self) -> bool {
        self.role == Role::Practitioner
    }

    /// Whether the navigation shows the history.
    pub fn reads_history(&self) -> bool {
        self.role == Role::Administrator
    }

    /// Whether the navigation shows the programs.
    pub fn runs_programs(&self) -> bool {
        self.role == Role::Administrator
    }

    /// The aria-current attribute's value for an entry.
    pub fn current(&self, entry: Here) -> &'static str {
        if self.here == entry { "page" } else { "false" }
    }
}
