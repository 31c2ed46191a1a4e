//! E-mail by SMTP.

use super::{CalendarFile, deliver::Failure};
use anyhow::Context as _;
use domain::Redacted;
use lettre::{
    AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor,
    message::{Attachment, Mailbox, MultiPart, SinglePart, header::ContentType},
};
use std::time::Duration;
use uuid::Uuid;

/// How long an SMTP server may take for one step. The message's row stays locked meanwhile.
const SMTP_TIMEOUT: Duration = Duration::from_secs(10);

/// Where e-mail goes.
#[derive(Debug, Clone)]
pub enum Mailer {
    /// An SMTP server; the connection is made when first used.
    Smtp(AsyncSmtpTransport<Tokio1Executor>),
    /// The demo's mailbox page.
    Mailbox,
    /// Nowhere: e-mail waits in the outbox until a server is named.
    Nowhere,
}

impl Mailer {
    /// An SMTP server at `smtp://user:password@host:587?tls=required` or `smtps://…`.
    pub fn smtp(url: &Redacted<String>) -> anyhow::Result<Self> {
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(url.expose()).map_err(|_| {
            // The error's own text may quote the address, which holds a password.
            anyhow::anyhow!("SMTP_URL is not an address like smtps://user:password@host")
        })?;
        Ok(Self::Smtp(builder.timeout(Some(SMTP_TIMEOUT)).build()))
    }
}

/// Who sends e-mail: `Riverside Family Clinic <visits@example.org>`.
pub(super) fn sender(text: &str) -> anyhow::Result<Mailbox> {
    text.parse().context("the sender is not an e-mail address")
}

/// An e-mail as it is sent.
pub(super) struct Email<'a> {
    /// The message's own id: the same at every attempt, so that a mail server or a reader sees one that comes twice.
    pub(super) id: Uuid,
    pub(super) host: &'a str,
    pub(super) from: &'a Mailbox,
    pub(super) to: &'a str,
    pub(super) subject: String,
    pub(super) text: String,
    pub(super) html: String,
    /// The `.ics` files, and the method of each.
    pub(super) invitations: Vec<CalendarFile>,
    pub(super) method: &'static str,
}

/// Gives an e-mail to the server.
pub(super) async fn post(transport: &AsyncSmtpTransport<Tokio1Executor>, email: Email<'_>) -> Result<(), Failure> {
    let Ok(recipient) = email.to.parse::<Mailbox>() else {
        return Err(Failure::ForGood);
    };
    let message = message(email, recipient);
    match transport.send(message).await {
        Ok(_) => Ok(()),
        // The error's text may quote the recipient, so it is judged and dropped.
        Err(error) if error.is_permanent() && !is_about_us(&error) => Err(Failure::ForGood),
        Err(_) => Err(Failure::ForNow),
    }
}

/// 53x: the server does not accept our name, password or way of speaking. That is mended by the operator, not by giving up.
fn is_about_us(error: &lettre::transport::smtp::Error) -> bool {
    error.status().is_some_and(|code| u16::from(code) / 10 == 53)
}

fn message(email: Email<'_>, recipient: Mailbox) -> Message {
    let alternative = MultiPart::alternative_plain_html(email.text, email.html);
    let body = if email.invitations.is_empty() {
        alternative
    } else {
        let files = email.invitations.into_iter().map(|file| calendar_part(file, email.method));
        files.fold(MultiPart::mixed().multipart(alternative), MultiPart::singlepart)
    };
    Message::builder()
        .message_id(Some(format!("<{}@{}>", email.id, email.host)))
        .from(email.from.clone())
        .to(recipient)
        .subject(email.subject)
        .multipart(body)
        .expect("a message with sender and recipient is complete")
}

fn calendar_part(file: CalendarFile, method: &str) -> SinglePart {
    let kind = ContentType::parse(&format!("text/calendar; charset=utf-8; method={method}")).expect("a media type");
    Attachment::new(file.name).body(file.text, kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_email_has_text_html_and_an_invitation_a_visit_and_the_same_id_at_every_attempt() {
        let from = sender("Clinic <visits@clinic.example>").expect("an address");
        let text = "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n";
        let file = |name: &str| CalendarFile { name: name.to_owned(), text: text.to_owned() };
        let email = || Email {
            id: Uuid::from_u128(7),
            host: "clinic.example",
            from: &from,
            to: "patient@patients.example",
            subject: "Your video visit".to_owned(),
            text: "Hello".to_owned(),
            html: "<p>Hello</p>".to_owned(),
            invitations: ["visit-2026-10-20-1000.ics", "visit-2026-10-27-1000.ics"].map(file).to_vec(),
            method: "REQUEST",
        };
        let formatted = || {
            let email = email();
            let recipient = email.to.parse().expect("an address");
            String::from_utf8(message(email, recipient).formatted()).expect("text")
        };
        let text = formatted();
        for part in [
            "Message-ID: <00000000-0000-0000-0000-000000000007@clinic.example>",
            "multipart/mixed",
            "multipart/alternative",
            "text/plain",
            "text/html",
            "text/calendar; charset=utf-8; method=REQUEST",
            "attachment; filename=\"visit-2026-10-20-1000.ics\"",
            "attachment; filename=\"visit-2026-10-27-1000.ics\"",
        ] {
            assert!(text.contains(part), "{part} in {text}");
            assert!(formatted().contains(part));
        }
        assert_eq!(text.matches("text/calendar").count(), 2, "{text}");
    }
}
