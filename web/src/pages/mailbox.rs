//! The demo's mailbox: what would have been sent, by e-mail and as text messages. Only where nobody is a real patient.

use crate::{
    errors::PageError,
    extract::SignedIn,
    page::{Here, Page, Staff},
    state::WebState,
    words,
};
use askama::Template;
use axum::{
    extract::{Path, State},
    http::header,
    response::{Html, IntoResponse},
};
use scheduler::messages::{Channel, Mail, mailed};
use uuid::Uuid;

#[derive(Template)]
#[template(path = "mailbox.html")]
struct MailboxPage {
    page: Page,
    staff: Staff,
    mails: Vec<Shown>,
}

struct Shown {
    id: Uuid,
    is_text_message: bool,
    at: String,
    recipient: String,
    subject: String,
    lines: Vec<Vec<Piece>>,
    has_html: bool,
    /// The names of the calendar files, in the order of the visits.
    invitations: Vec<String>,
}

/// A piece of a line: an address is a link.
enum Piece {
    Words(String),
    Link(String),
}

/// What a message as HTML may do: show itself, in a place of its own. No script, nothing loaded, and none of the clinic's cookies.
const SANDBOX: &str = "default-src 'none'; style-src 'unsafe-inline'; sandbox allow-popups allow-popups-to-escape-sandbox; \
                       base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The messages, newest first. There is no such page outside of the demo.
pub(crate) async fn get(
    State(state): State<WebState>,
    person: SignedIn,
    page: Page,
) -> Result<Html<String>, PageError> {
    only_in_the_demo(&state)?;
    let zone = person.clinic.zone.clone();
    let mails = scheduler::mailbox(&state.db, &person.actor()).await?;
    let mails = mails.into_iter().map(|mail| shown(mail, &zone)).collect();
    Ok(Html(MailboxPage { page, staff: Staff::at_desk(&state, &person, Here::Mailbox).await?, mails }.render()?))
}

/// An e-mail as a mail program shows it.
pub(crate) async fn html(
    State(state): State<WebState>,
    person: SignedIn,
    Path(id): Path<Uuid>,
) -> Result<impl IntoResponse, PageError> {
    only_in_the_demo(&state)?;
    let mail = mailed(&state.db, &person.actor(), id).await?.ok_or(PageError::NotFound)?;
    Ok(([(header::CONTENT_SECURITY_POLICY, SANDBOX)], Html(mail.html.ok_or(PageError::NotFound)?)))
}

/// A calendar file that came with an e-mail, by its name.
pub(crate) async fn invitation(
    State(state): State<WebState>,
    person: SignedIn,
    Path((id, name)): Path<(Uuid, String)>,
) -> Result<impl IntoResponse, PageError> {
    only_in_the_demo(&state)?;
    let mail = mailed(&state.db, &person.actor(), id).await?.ok_or(PageError::NotFound)?;
    let file = mail.invitations.into_iter().find(|file| file.name == name).ok_or(PageError::NotFound)?;
    let headers = [
        (header::CONTENT_TYPE, "text/calendar; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", file.name)),
    ];
    Ok((headers, file.text))
}

fn only_in_the_demo(state: &WebState) -> Result<(), PageError> {
    if state.site.demo { Ok(()) } else { Err(PageError::NotFound) }
}

fn shown(mail: Mail, zone: &jiff::tz::TimeZone) -> Shown {
    Shown {
        id: mail.id,
        is_text_message: mail.channel == Channel::Sms,
        at: words::date_and_time(mail.delivered_at, zone),
        recipient: mail.recipient,
        subject: if mail.subject.is_empty() { "Text message".to_owned() } else { mail.subject },
        lines: mail.body.lines().filter(|line| !line.trim().is_empty()).map(pieces).collect(),
        has_html: mail.html.is_some(),
        invitations: mail.invitations.into_iter().map(|file| file.name).collect(),
    }
}

/// A line cut into words and addresses. A text message has its addresses within the line.
fn pieces(line: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut words = String::new();
    for word in line.trim().split(' ') {
        if word.starts_with("https://") || word.starts_with("http://") {
            if !words.is_empty() {
                pieces.push(Piece::Words(std::mem::take(&mut words)));
            }
            pieces.push(Piece::Link(word.to_owned()));
        } else {
            words.push_str(word);
            words.push(' ');
        }
    }
    if !words.is_empty() {
        pieces.push(Piece::Words(words));
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_within_a_line_is_a_link() {
        let told: Vec<_> = pieces("Open it then: http://x/visit/t Coming, or cancel: http://x/answer/t")
            .into_iter()
            .map(|piece| match piece {
                Piece::Words(words) => format!("words {}", words.trim()),
                Piece::Link(address) => format!("link {address}"),
            })
            .collect();
        let expected =
            ["words Open it then:", "link http://x/visit/t", "words Coming, or cancel:", "link http://x/answer/t"];
        assert_eq!(told, expected);
    }
}
