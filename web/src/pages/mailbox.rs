//! The demo's mailbox: what would have been sent. Only where nobody is a real patient.

use crate::{
    errors::PageError,
    extract::SignedIn,
    page::{Here, Page, Staff},
    state::WebState,
    words,
};
use askama::Template;
use axum::{extract::State, response::Html};

#[derive(Template)]
#[template(path = "mailbox.html")]
struct MailboxPage {
    page: Page,
    staff: Staff,
    mails: Vec<Shown>,
}

struct Shown {
    at: String,
    recipient: String,
    subject: String,
    lines: Vec<Line>,
}

/// A line of a mail: an address is a link.
enum Line {
    Words(String),
    Link(String),
}

/// The mails, newest first. There is no such page outside of the demo.
pub(crate) async fn get(
    State(state): State<WebState>,
    person: SignedIn,
    page: Page,
) -> Result<Html<String>, PageError> {
    if !state.site.demo {
        return Err(PageError::NotFound);
    }
    let zone = person.clinic.zone.clone();
    let mails = scheduler::mailbox(&state.db, &person.actor()).await?;
    let mails = mails
        .into_iter()
        .map(|mail| Shown {
            at: words::date_and_time(mail.delivered_at, &zone),
            recipient: mail.recipient,
            subject: mail.subject,
            lines: mail.body.lines().map(line).collect(),
        })
        .collect();
    Ok(Html(MailboxPage { page, staff: Staff::new(&person, Here::Mailbox), mails }.render()?))
}

fn line(text: &str) -> Line {
    let text = text.trim();
    let is_link = (text.starts_with("https://") || text.starts_with("http://")) && !text.contains(char::is_whitespace);
    if is_link { Line::Link(text.to_owned()) } else { Line::Words(text.to_owned()) }
}
