//! Reads a page as a person does: by its words, the labels of its fields and the names of its buttons.

use reqwest::StatusCode;
use std::collections::HashMap;
use url::Url;

/// A page that a browser shows.
#[derive(Debug, Clone)]
pub struct Page {
    /// Where it is, after redirects.
    pub url: Url,
    /// How it was answered.
    pub status: StatusCode,
    pieces: Vec<Piece>,
}

/// A form as it would be sent.
#[derive(Debug, Clone)]
pub struct Form {
    /// Where to, as written.
    pub action: String,
    /// Whether it changes something.
    pub is_post: bool,
    /// What is sent.
    pub fields: Vec<(String, String)>,
    controls: Vec<Control>,
}

#[derive(Debug, Clone)]
struct Control {
    label: String,
    kind: String,
    name: String,
    value: String,
    /// Words and value of each choice of a `select`.
    options: Vec<(String, String)>,
    /// Where this button sends its form instead.
    action: Option<String>,
    is_chosen: bool,
    form: usize,
}

#[derive(Debug, Clone)]
enum Piece {
    Open(String, HashMap<String, String>),
    Close(String),
    Text(String),
}

impl Page {
    /// Reads what was answered.
    pub fn new(url: Url, status: StatusCode, html: &str) -> Self {
        Self { url, status, pieces: pieces(html) }
    }

    /// The words on it, with single spaces.
    pub fn text(&self) -> String {
        text(&self.pieces)
    }

    /// Whether these words are on it.
    pub fn says(&self, words: &str) -> bool {
        self.text().contains(words)
    }

    /// What a field with this label holds.
    pub fn value_of(&self, label: &str) -> Option<String> {
        self.controls().into_iter().find(|control| control.label == label).map(|control| control.value)
    }

    /// The names of radio buttons and choices, in order.
    pub fn choices(&self) -> Vec<String> {
        let radios = self.controls().into_iter().filter(|control| control.kind == "radio");
        radios.map(|control| control.label).collect()
    }

    /// Every address that a link with these words leads to.
    pub fn links_below(&self, path: &str) -> Vec<String> {
        let hrefs = self.elements("a").filter_map(|(attributes, _)| attributes.get("href").cloned());
        hrefs.filter(|href| href.starts_with(path)).collect()
    }

    /// The form with a button whose name begins with `button`, as it stands.
    pub fn form(&self, button: &str) -> Option<Form> {
        let controls = self.controls();
        let pressed = controls.iter().find(|control| control.kind == "button" && control.label.starts_with(button))?;
        let forms = self.forms();
        let attributes = forms.get(pressed.form.checked_sub(1)?)?;
        let own = controls.iter().filter(|control| control.form == pressed.form).cloned().collect::<Vec<_>>();
        let sent = own.iter().filter(|control| control.is_chosen && control.kind != "button").chain([pressed]);
        let fields =
            sent.filter(|control| !control.name.is_empty()).map(|c| (c.name.clone(), c.value.clone())).collect();
        Some(Form {
            action: pressed.action.clone().or(attributes.get("action").cloned()).unwrap_or_default(),
            is_post: attributes.get("method").is_some_and(|method| method.eq_ignore_ascii_case("post")),
            fields,
            controls: own,
        })
    }

    fn forms(&self) -> Vec<&HashMap<String, String>> {
        let opens = self.pieces.iter().filter_map(|piece| match piece {
            Piece::Open(name, attributes) if name == "form" => Some(attributes),
            _ => None,
        });
        opens.collect()
    }

    /// Every control, with the number of its form counted from 1 (0 for none).
    fn controls(&self) -> Vec<Control> {
        let labels = self.labels();
        let ids = self.forms().iter().map(|form| form.get("id").cloned().unwrap_or_default()).collect::<Vec<_>>();
        let (mut form, mut seen, mut controls) = (0, 0, Vec::new());
        for (at, piece) in self.pieces.iter().enumerate() {
            match piece {
                Piece::Open(name, _) if name == "form" => (seen, form) = (seen + 1, seen + 1),
                Piece::Close(name) if name == "form" => form = 0,
                Piece::Open(name, attributes) if ["input", "select", "textarea", "button"].contains(&name.as_str()) => {
                    let named = attributes.get("form").and_then(|id| ids.iter().position(|other| other == id));
                    let form = named.map_or(form, |position| position + 1);
                    controls.push(self.control(at, name, attributes, &labels, form));
                }
                _ => {}
            }
        }
        controls
    }

    fn control(
        &self,
        at: usize,
        element: &str,
        attributes: &HashMap<String, String>,
        labels: &Labels,
        form: usize,
    ) -> Control {
        let attribute = |name: &str| attributes.get(name).cloned().unwrap_or_default();
        let inner = self.inside(at);
        let by_id = attributes.get("id").and_then(|id| labels.by_id.get(id)).cloned();
        let around =
            labels.around.iter().find(|(from, to, _)| (*from..*to).contains(&at)).map(|(.., text)| text.clone());
        let own = (element == "button").then(|| text(inner));
        let label = attributes.get("aria-label").cloned().or(by_id).or(around).or(own).unwrap_or_default();
        let kind = match element {
            "input" => attributes.get("type").map_or("text", String::as_str),
            other => other,
        };
        let options = if element == "select" { options(inner) } else { Vec::new() };
        let value = match element {
            "select" => chosen_option(inner),
            "textarea" => text(inner),
            _ if matches!(kind, "radio" | "checkbox") => attributes.get("value").cloned().unwrap_or("on".to_owned()),
            _ => attribute("value"),
        };
        let is_chosen = !matches!(kind, "radio" | "checkbox") || attributes.contains_key("checked");
        let is_chosen = is_chosen && !attributes.contains_key("disabled");
        let action = attributes.get("formaction").cloned();
        Control { label, kind: kind.to_owned(), name: attribute("name"), value, options, action, is_chosen, form }
    }

    fn labels(&self) -> Labels {
        let mut labels = Labels::default();
        for (at, piece) in self.pieces.iter().enumerate() {
            let Piece::Open(name, attributes) = piece else { continue };
            if name == "label" {
                let inner = self.inside(at);
                match attributes.get("for") {
                    Some(id) => drop(labels.by_id.insert(id.clone(), text(inner))),
                    None => labels.around.push((at, at + inner.len() + 1, text(inner))),
                }
            }
        }
        labels
    }

    fn elements<'a>(&'a self, wanted: &'a str) -> impl Iterator<Item = (&'a HashMap<String, String>, &'a [Piece])> {
        self.pieces.iter().enumerate().filter_map(move |(at, piece)| match piece {
            Piece::Open(name, attributes) if name == wanted => Some((attributes, self.inside(at))),
            _ => None,
        })
    }

    /// What stands between an opening tag and its end; nothing nests in itself where we look.
    fn inside(&self, at: usize) -> &[Piece] {
        let Piece::Open(name, _) = &self.pieces[at] else { return &[] };
        let rest = &self.pieces[at + 1..];
        let end = rest.iter().position(|piece| matches!(piece, Piece::Close(other) if other == name));
        if name == "input" { &[] } else { &rest[..end.unwrap_or(0)] }
    }
}

impl Form {
    /// Types into the field with this label, or chooses the radio button of this name.
    #[must_use]
    pub fn with(mut self, label: &str, value: &str) -> Self {
        let control = self.controls.iter().find(|control| control.label == label);
        let control =
            control.unwrap_or_else(|| panic!("there is no field {label:?}, only {:?}", self.labels())).clone();
        let option = control.options.iter().find(|(words, _)| words == value).map(|(_, value)| value.clone());
        let value = if control.kind == "radio" { control.value } else { option.unwrap_or_else(|| value.to_owned()) };
        self.fields.retain(|(name, _)| *name != control.name);
        self.fields.push((control.name, value));
        self
    }

    fn labels(&self) -> Vec<&str> {
        self.controls.iter().map(|control| control.label.as_str()).collect()
    }
}

#[derive(Default)]
struct Labels {
    by_id: HashMap<String, String>,
    around: Vec<(usize, usize, String)>,
}

fn options(inner: &[Piece]) -> Vec<(String, String)> {
    let opens = inner.iter().enumerate().filter_map(|(at, piece)| match piece {
        Piece::Open(name, attributes) if name == "option" => Some((at, attributes)),
        _ => None,
    });
    let words =
        |at: usize| text(inner[at + 1..].split(|piece| matches!(piece, Piece::Close(_))).next().unwrap_or_default());
    opens.map(|(at, attributes)| (words(at), attributes.get("value").cloned().unwrap_or_else(|| words(at)))).collect()
}

fn chosen_option(inner: &[Piece]) -> String {
    let options = inner.iter().filter_map(|piece| match piece {
        Piece::Open(name, attributes) if name == "option" => Some(attributes),
        _ => None,
    });
    let options = options.collect::<Vec<_>>();
    let chosen = options.iter().find(|option| option.contains_key("selected")).or(options.first());
    chosen.and_then(|option| option.get("value").cloned()).unwrap_or_default()
}

fn text(pieces: &[Piece]) -> String {
    let words = pieces.iter().map(|piece| match piece {
        Piece::Text(text) => text.as_str(),
        // Words of different blocks do not run together; those of one line do not fall apart.
        Piece::Open(name, _) | Piece::Close(name) if is_inline(name) => "",
        Piece::Open(..) | Piece::Close(_) => " ",
    });
    words.collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_inline(name: &str) -> bool {
    ["a", "b", "em", "span", "strong", "time", "small", "svg", "path", "use"].contains(&name)
}

fn pieces(html: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        pieces.push(Piece::Text(decoded(&rest[..start])));
        let Some(length) = rest[start..].find('>') else { break };
        let tag = &rest[start + 1..start + length];
        rest = &rest[start + length + 1..];
        let name = tag.split([' ', '\n', '/']).next().unwrap_or_default().to_lowercase();
        if let Some(name) = tag.strip_prefix('/') {
            pieces.push(Piece::Close(name.trim().to_lowercase()));
        } else if !tag.starts_with('!') {
            if name == "script" || name == "style" {
                let end = rest.find(&format!("</{name}")).unwrap_or(rest.len());
                rest = &rest[end..];
            }
            pieces.push(Piece::Open(name.clone(), attributes(&tag[name.len()..])));
        }
    }
    pieces.push(Piece::Text(decoded(rest)));
    pieces
}

fn attributes(tag: &str) -> HashMap<String, String> {
    let mut found = HashMap::new();
    let mut rest = tag.trim_end_matches('/').trim();
    while !rest.is_empty() {
        let end = rest.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(rest.len());
        let name = rest[..end].to_lowercase();
        rest = rest[end..].trim_start();
        let mut value = "";
        if let Some(after) = rest.strip_prefix('=') {
            let after = after.trim_start();
            (value, rest) = match after.strip_prefix('"').and_then(|quoted| quoted.split_once('"')) {
                Some(parts) => parts,
                None => after.split_once(char::is_whitespace).unwrap_or((after, "")),
            };
            rest = rest.trim_start();
        }
        found.insert(name, decoded(value));
    }
    found
}

fn decoded(text: &str) -> String {
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
    text.replace("&#34;", "\"").replace("&#39;", "'").replace("&#x27;", "'").replace("&#38;", "&").replace("&amp;", "&")
}
