//! What is told when everything runs: to a person on the terminal, to a script in `.bedside/ready.json`.

use domain::Role;
use scheduler::demo::{Demo, DemoAccount, DemoToken, DemoVisit};
use serde::Serialize;
use service::keys::VisitLinkKey;
use std::net::SocketAddr;
use url::Url;

/// The file that a script reads to begin where a person would.
#[derive(Serialize)]
pub struct Ready {
    url: String,
    internal_url: String,
    accounts: Vec<Account>,
    visits: Vec<Visit>,
    /// Of the first clinic, one for each role.
    api_tokens: Vec<Token>,
}

#[derive(Serialize)]
struct Token {
    role: Role,
    clinic: String,
    token: String,
}

#[derive(Serialize)]
struct Account {
    role: Role,
    clinic: String,
    name: String,
    email: String,
    password: String,
}

#[derive(Serialize)]
struct Visit {
    clinic: String,
    patient: String,
    practitioner: String,
    at: String,
    link: String,
}

impl Ready {
    /// What to tell about a running installation.
    pub fn new(url: &Url, internal: SocketAddr, demo: Demo, tokens: Vec<DemoToken>, key: &VisitLinkKey) -> Self {
        let url = url.as_str().trim_end_matches('/').to_owned();
        let visits = demo.visits.into_iter().map(|visit| Visit::new(visit, &url, key)).collect();
        let accounts = demo.accounts.into_iter().map(Account::from).collect();
        let first = tokens.first().map(|token| token.clinic);
        let tokens = tokens.into_iter().filter(|token| Some(token.clinic) == first).map(Token::from).collect();
        Self { url, internal_url: format!("http://{internal}"), accounts, visits, api_tokens: tokens }
    }

    /// The text of `.bedside/ready.json`.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("plain text and lists are JSON")
    }

    /// The words on the terminal: who may sign in, and the way to a first video visit.
    pub fn words(&self) -> String {
        let mut text = format!("\nBedside is ready at {}\n\nWho may sign in, at {0}/sign-in\n\n", self.url);
        for account in &self.accounts {
            text += &account.line();
        }
        text += &self.first_visit();
        text += "\nEverything is kept in .bedside/ until `bin/up --fresh` begins anew. Ctrl-C stops Bedside.\n";
        text
    }

    fn first_visit(&self) -> String {
        let Some((visit, account)) = self.visits.iter().find_map(|visit| Some((visit, self.account_of(visit)?))) else {
            return "\nNo visit lies ahead today: sign in as receptionist and book one.\n".to_owned();
        };
        let Visit { patient, practitioner, link, .. } = visit;
        format!(
            "\nA video visit between two windows of one browser\n\n\
             \x20 1. Sign in as {practitioner} ({}, password {}).\n\
             \x20    The day shows who comes; {patient} has the next visit.\n\
             \x20 2. Be the patient: open this link in a second window and press \"I'm here\".\n\
             \x20    {link}\n\
             \x20    Let the browser use the camera and the microphone when it asks.\n\
             \x20 3. In the first window, press \"Admit\" beside {patient}. Both windows open the consultation.\n\
             \x20 4. Press \"End visit\" when you are done.\n\
             \n\
             To book a visit of your own first, sign in as receptionist: \"Book appointment\", then copy the \"Visit link\".\n",
            account.email, account.password
        )
    }

    fn account_of(&self, visit: &Visit) -> Option<&Account> {
        self.accounts.iter().find(|account| {
            account.role == Role::Practitioner
                && account.clinic == visit.clinic
                && account.is_called(&visit.practitioner)
        })
    }
}

impl Account {
    fn line(&self) -> String {
        let role = self.role.as_str();
        let place = format!("{}, {}", self.name, self.clinic);
        format!("  {role:<14} {:<32} {:<26} {place}\n", self.email, self.password)
    }

    /// Names come with and without their title.
    fn is_called(&self, name: &str) -> bool {
        self.name == name || name.ends_with(&self.name) || self.name.ends_with(name)
    }
}

impl From<DemoToken> for Token {
    fn from(DemoToken { role, clinic, token }: DemoToken) -> Self {
        Self { role, clinic: clinic.to_owned(), token: token.into_inner() }
    }
}

impl From<DemoAccount> for Account {
    fn from(DemoAccount { role, clinic, name, email, password }: DemoAccount) -> Self {
        Self { role, clinic, name, email, password }
    }
}

impl Visit {
    fn new(visit: DemoVisit, url: &str, key: &VisitLinkKey) -> Self {
        let token = scheduler::visit_link(key, visit.appointment, visit.link_version);
        Self {
            clinic: visit.clinic,
            patient: visit.patient,
            practitioner: visit.practitioner,
            at: visit.starts_at.to_string(),
            link: format!("{url}/visit/{}", token.expose()),
        }
    }
}
