//! A letter in the forms in which it travels: plain text and HTML.

use super::letter::{Letter, Line};
use std::fmt::Write as _;

/// Plain text: a paragraph after the other, each address on a line of its own, where every mail program finds it.
pub(crate) fn text(letter: &Letter, clinic: &str) -> String {
    let mut text = "Hello,\n\n".to_owned();
    for line in &letter.lines {
        match line {
            Line::Words(words) => write!(text, "{words}\n\n"),
            Line::Link { label, address } => write!(text, "{label}:\n{}\n\n", address.expose()),
        }
        .expect("writing to a string cannot fail");
    }
    text.push_str(clinic);
    text.push('\n');
    text
}

/// HTML for mail programs: no picture and nothing from elsewhere, so that opening it tells nobody. Styles stand in the elements
/// since mail programs drop everything else.
pub(crate) fn html(letter: &Letter, clinic: &str) -> String {
    let mut body = String::new();
    for line in &letter.lines {
        match line {
            Line::Words(words) => writeln!(body, "<p style=\"margin:0 0 16px\">{}</p>", escape(words)),
            Line::Link { label, address } => writeln!(
                body,
                "<p style=\"margin:0 0 16px\"><a href=\"{}\" style=\"color:#0b5c54;font-weight:600\">{}</a></p>",
                escape(address.expose()),
                escape(label),
            ),
        }
        .expect("writing to a string cannot fail");
    }
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{subject}</title></head>\n\
         <body style=\"margin:0;padding:24px;font:16px/1.5 system-ui,sans-serif;color:#1c2724;background:#ffffff\">\n\
         <div style=\"max-width:560px;margin:0 auto\">\n<p style=\"margin:0 0 16px\">Hello,</p>\n{body}\
         <p style=\"margin:0\">{clinic}</p>\n</div></body></html>\n",
        subject = escape(&letter.subject),
        clinic = escape(clinic),
    )
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Redacted;

    #[test]
    fn a_clinics_name_is_text_whatever_it_looks_like() {
        let letter = Letter {
            subject: "<b>".to_owned(),
            lines: vec![
                Line::Words("O'Hara & <script>alert(1)</script>".to_owned()),
                Line::Link { label: "Open".into(), address: Redacted::new("https://x/\"onclick=\"".to_owned()) },
            ],
            short: String::new(),
        };
        let html = html(&letter, "\"&\"");
        assert!(!html.contains("<script>") && !html.contains("<b>") && !html.contains("\"onclick"), "{html}");
        assert!(text(&letter, "Clinic").contains("Open:\nhttps://x/\"onclick=\"\n"));
    }
}
