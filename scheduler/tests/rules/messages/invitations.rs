//! Invitations as files. `tests/browser/invitations.test.mjs` reads the same files with two libraries that are not ours.
//!
//! `BLESS=1` writes them anew.

use super::series::{cancels, weekly};
use crate::house::House;
use domain::{AppointmentId, Scope};
use jiff::{Timestamp, ToSpan as _, Zoned};
use scheduler::messages::{Invitation, Mail, Method};
use sqlx::PgPool;
use std::{fs, path::PathBuf};
use uuid::Uuid;

/// A visit by the clock on the wall of its clinic, and how often it was changed.
struct Case {
    file: &'static str,
    starts_at: &'static str,
    minutes: i64,
    method: Method,
    sequence: i32,
    clinic: &'static str,
}

const fn visit(file: &'static str, starts_at: &'static str, minutes: i64) -> Case {
    Case { file, starts_at, minutes, method: Method::Request, sequence: 0, clinic: "Riverside Family Clinic" }
}

/// Days on which clocks change, in both directions and by half an hour; names that need care; a change and a cancellation.
fn cases() -> Vec<Case> {
    vec![
        visit("london-winter", "2026-11-24T10:00[Europe/London]", 20),
        visit("london-over-the-lost-hour", "2026-03-29T00:50+00:00[Europe/London]", 30),
        visit("london-half-past-one-the-first-time", "2026-10-25T01:30+01:00[Europe/London]", 20),
        visit("london-half-past-one-the-second-time", "2026-10-25T01:30+00:00[Europe/London]", 20),
        visit("new-york-after-the-lost-hour", "2026-03-08T03:00[America/New_York]", 45),
        visit("new-york-over-the-extra-hour", "2026-11-01T01:50-04:00[America/New_York]", 30),
        visit("lord-howe-over-half-an-hour", "2026-04-05T01:40+11:00[Australia/Lord_Howe]", 40),
        visit("hanoi", "2026-11-24T08:15[Asia/Ho_Chi_Minh]", 20),
        visit("over-midnight", "2026-12-31T23:50[Europe/London]", 30),
        visit("leap-day", "2028-02-29T09:00[Europe/London]", 20),
        Case { sequence: 1, ..visit("moved", "2026-11-24T15:30[Europe/London]", 20) },
        Case { sequence: 2, method: Method::Cancel, ..visit("cancelled", "2026-11-24T15:30[Europe/London]", 20) },
        Case {
            clinic: "Praxis für Kinder, Jugend; Mütter & Väter \"Am Fluß\" mit einem Namen, der länger ist als eine Zeile",
            ..visit("name-that-needs-care", "2026-11-24T10:00[Europe/Berlin]", 20)
        },
    ]
}

fn folder() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "..", "tests", "invitations"].iter().collect()
}

fn written(case: &Case) -> (String, serde_json::Value) {
    let starts: Zoned = case.starts_at.parse().expect("a time in a zone");
    let ends = starts.checked_add(case.minutes.minutes()).expect("a time");
    let invitation = Invitation {
        method: case.method,
        appointment: AppointmentId(Uuid::from_u128(0x000b_5c54)),
        sequence: case.sequence,
        starts_at: starts.timestamp(),
        ends_at: ends.timestamp(),
        written_at: "2026-03-01T09:00:00Z".parse::<Timestamp>().expect("a timestamp"),
        clinic: case.clinic,
        organizer: "visits@riverside.example",
        host: "bedside.example",
    };
    let expected = serde_json::json!({
        "file": format!("{}.ics", case.file),
        "method": case.method.as_str(),
        "uid": "00000000-0000-0000-0000-0000000b5c54@bedside.example",
        "sequence": case.sequence,
        "start": starts.timestamp(),
        "end": ends.timestamp(),
        "summary": format!("Video visit, {}", case.clinic),
    });
    (invitation.to_ics(), expected)
}

#[test]
fn each_invitation_is_the_file_that_other_libraries_read() {
    let (mut all, mut files) = (Vec::new(), Vec::new());
    for case in cases() {
        let (ics, expected) = written(&case);
        files.push((format!("{}.ics", case.file), ics));
        all.push(expected);
    }
    files.push(("expected.json".to_owned(), lines(&all)));
    keep(&files);
}

/// JSON as it stands in a file.
fn lines(all: &[serde_json::Value]) -> String {
    serde_json::to_string_pretty(all).expect("JSON") + "\n"
}

/// Compares with the files as they are kept, or keeps these.
#[track_caller]
fn keep(files: &[(String, String)]) {
    for (name, text) in files {
        let path = folder().join(name);
        if std::env::var_os("BLESS").is_some() {
            fs::write(&path, text).expect("a file");
        }
        assert_eq!(fs::read_to_string(&path).unwrap_or_default(), *text, "{name}; BLESS=1 writes it anew");
    }
}

/// The clock on the wall of London goes back between the first and the second of these Tuesdays.
const TUESDAYS: [&str; 3] =
    ["2026-10-20T10:00[Europe/London]", "2026-10-27T10:00[Europe/London]", "2026-11-03T10:00[Europe/London]"];

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn the_message_of_a_series_has_a_file_a_visit_that_other_libraries_read(pool: PgPool) {
    let house = House::new(pool).await;
    house.clock.set("2026-10-16T09:00:00Z".parse().expect("a timestamp"));
    let tuesdays = TUESDAYS.map(|text| text.parse::<Zoned>().expect("a time in a zone").timestamp());
    let ids = weekly(&house, tuesdays[0]).await;
    let booked = house.mails().await.remove(0);
    cancels(&house, ids[1], Scope::This).await;
    let cancelled = house.mails().await.remove(0);

    let (mut all, mut files) = (Vec::new(), Vec::new());
    let visits: Vec<_> = ids.iter().copied().zip(tuesdays).collect();
    for (mail, told, method, sequence) in
        [(&booked, &visits[..], Method::Request, 0), (&cancelled, &visits[1..2], Method::Cancel, 1)]
    {
        assert_eq!(mail.invitations.len(), told.len());
        for (index, visit) in told.iter().enumerate() {
            let number = ids.iter().position(|id| *id == visit.0).expect("one of them");
            let name = format!("series-{}-{}.ics", method.as_str().to_lowercase(), number + 1);
            files.push((name.clone(), without_chance(mail, index, visit.0, number)));
            all.push(serde_json::json!({
                "file": name,
                "method": method.as_str(),
                "uid": format!("visit-{}@bedside.example", number + 1),
                "sequence": sequence,
                "start": visit.1,
                "end": visit.1 + 30.minutes(),
                "summary": "Video visit, riverside",
            }));
        }
    }
    files.push(("series.json".to_owned(), lines(&all)));
    keep(&files);
}

/// A file of a message, with a number for the id that chance gave the visit.
fn without_chance(mail: &Mail, index: usize, id: AppointmentId, number: usize) -> String {
    let text = &mail.invitations[index].text;
    assert!(text.contains(&format!("UID:{id}@")), "{text}");
    text.replace(&id.to_string(), &format!("visit-{}", number + 1))
}
