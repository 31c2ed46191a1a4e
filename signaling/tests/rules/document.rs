//! `docs/protocol.md` and the enums of `domain` say the same.

use domain::{
    relay::{RelayAnnouncement, RelayCommand, RelayMessage, RelayOutcome, RelayRefusal, RelayRequest},
    signal::{ClientMessage, ErrorCode, ServerMessage, close},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const DOCUMENT: &str = include_str!("../../../docs/protocol.md");

/// The blocks that are marked with `language`, for example ```` ```json client ````.
fn blocks(language: &str) -> Vec<Value> {
    let fence = format!("```json {language}\n");
    let blocks = DOCUMENT.split(&fence).skip(1).map(|rest| rest.split("\n```").next().expect("a first part"));
    blocks.map(|block| serde_json::from_str(block).unwrap_or_else(|error| panic!("{error} in {block}"))).collect()
}

/// Reads each value as a `T`, and says which `type`s were there.
fn read_as<T: DeserializeOwned>(values: &[Value]) -> BTreeSet<String> {
    for value in values {
        if let Err(error) = serde_json::from_value::<T>(value.clone()) {
            panic!("{error} in {value}");
        }
    }
    values.iter().map(|value| value["type"].as_str().expect("a type").to_owned()).collect()
}

/// The names of an enum, from what serde expects instead of one that is not there.
fn names<T: DeserializeOwned>(unknown: Value) -> BTreeSet<String> {
    let Err(error) = serde_json::from_value::<T>(unknown) else { panic!("no name is ?") };
    let error = error.to_string();
    let expected = error.split_once("expected").expect("serde lists the names").1;
    expected.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn types<T: DeserializeOwned>() -> BTreeSet<String> {
    names::<T>(json!({ "type": "?" }))
}

/// What stands in backticks at the beginning of table rows.
fn first_cells() -> BTreeSet<String> {
    let rows = DOCUMENT.lines().filter_map(|line| line.strip_prefix("| "));
    rows.filter_map(|row| row.split(" |").next()).map(|cell| cell.trim_matches('`').to_owned()).collect()
}

#[test]
fn every_message_of_a_page_is_told() {
    assert_eq!(read_as::<ClientMessage>(&blocks("client")), types::<ClientMessage>());
}

#[test]
fn every_message_to_a_page_is_told() {
    assert_eq!(read_as::<ServerMessage>(&blocks("server")), types::<ServerMessage>());
}

#[test]
fn every_command_to_a_relay_is_told() {
    let requests = blocks("relay-request");
    requests
        .iter()
        .for_each(|request| drop(serde_json::from_value::<RelayRequest>(request.clone()).expect("a request")));
    let commands: Vec<Value> = requests.iter().map(|request| request["command"].clone()).collect();
    assert_eq!(read_as::<RelayCommand>(&commands), types::<RelayCommand>());
}

#[test]
fn every_message_and_outcome_of_a_relay_is_told() {
    let messages = blocks("relay-message");
    assert_eq!(read_as::<RelayMessage>(&messages), types::<RelayMessage>());
    let outcomes: Vec<Value> = messages.iter().filter_map(|message| message.get("outcome").cloned()).collect();
    assert_eq!(read_as::<RelayOutcome>(&outcomes), types::<RelayOutcome>());
}

#[test]
fn the_announcement_is_as_told() {
    let announcements = blocks("announcement");
    assert_eq!(announcements.len(), 1);
    serde_json::from_value::<RelayAnnouncement>(announcements[0].clone()).expect("an announcement");
}

#[test]
fn every_code_has_its_row() {
    let told = first_cells();
    let codes = names::<ErrorCode>(json!("?")).into_iter().chain(names::<RelayRefusal>(json!("?")));
    let closes = [
        close::ENDED,
        close::REPLACED,
        close::TOKEN_REFUSED,
        close::BAD_MESSAGE,
        close::TOO_FAST,
        close::LEFT,
        close::GOING_AWAY,
    ];
    for code in codes.chain(closes.map(|code| code.to_string())) {
        assert!(told.contains(&code), "{code} has no row");
    }
}
