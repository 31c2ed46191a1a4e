//! The desk sets when practitioners work and what may be booked.

use crate::house::{Browser, House};
use axum::http::StatusCode;
use domain::Role;
use sqlx::PgPool;

/// The address of the first practitioner's schedule.
async fn schedule(desk: &mut Browser) -> String {
    let list = desk.get("/schedules").await;
    assert_eq!(list.status, StatusCode::OK);
    let id =
        list.body.split("href=\"/schedules/").nth(1).and_then(|rest| rest.split('"').next()).expect("a practitioner");
    format!("/schedules/{id}")
}

/// Leave on a day, with what is different from it.
fn leave<'a>(press: &'a str, different: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let usual = [
        ("do", press),
        ("kind", "closed"),
        ("from_date", "2026-11-25"),
        ("from_time", ""),
        ("to_date", ""),
        ("to_time", ""),
        ("time_zone", "Europe/London"),
        ("slot_minutes", "30"),
        ("reason", "A conference"),
    ];
    let value =
        |name: &str, usual: &'a str| different.iter().find(|(other, _)| *other == name).map_or(usual, |(_, v)| *v);
    usual.into_iter().map(|(name, usual)| (name, value(name, usual))).collect()
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn leave_is_previewed_then_saved_then_taken_away(pool: PgPool) {
    let house = House::new(pool).await;
    let mut desk = house.signed_in("Riverside", Role::Receptionist).await;
    let page = schedule(&mut desk).await;
    let exceptions = format!("{page}/exceptions");
    let count = "select count(*) from schedule_exceptions";

    let preview = desk.post(&exceptions, &leave("preview", &[])).await;
    assert_eq!(preview.status, StatusCode::OK);
    assert!(preview.body.contains("closes all day") && preview.body.contains("A conference"), "{}", preview.body);
    assert_eq!(house.count(count).await, 0, "a preview changes nothing");

    let saved = desk.post(&exceptions, &leave("save", &[])).await;
    assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.body);
    let shown = desk.get(saved.header("location")).await.body;
    assert!(shown.contains("25 Nov 2026") && shown.contains("Saved."));
    assert_eq!(house.count(count).await, 1);

    let id = shown
        .split("?exception=")
        .nth(1)
        .and_then(|rest| rest.split('#').next())
        .expect("it can be changed")
        .to_owned();
    let form = desk.get(&format!("{page}?exception={id}")).await.body;
    assert!(form.contains("value=\"A conference\"") && form.contains("Change leave"));
    let asked = desk.post(&exceptions, &[("do", "ask"), ("replaces", &id)]).await;
    assert!(
        asked.body.contains("Take this away? Away, 25 Nov 2026: A conference.") && asked.body.contains("opens all day"),
        "{}",
        asked.body
    );
    desk.post(&exceptions, &[("do", "remove"), ("replaces", &id)]).await;
    assert_eq!(house.count(count).await, 0);
    let again = desk.post(&exceptions, &[("do", "remove"), ("replaces", &id)]).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    assert!(again.body.contains("Somebody else has changed this meanwhile"));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn whatever_is_wrong_gets_a_sentence_and_everything_typed_is_kept(pool: PgPool) {
    let house = House::new(pool).await;
    let mut desk = house.signed_in("Riverside", Role::Receptionist).await;
    let exceptions = format!("{}/exceptions", schedule(&mut desk).await);
    let long = "x".repeat(10_000);
    let wrong = [
        (vec![("to_date", "2026-11-23")], "The end must be after the start."),
        (vec![("from_time", "13:00"), ("to_time", "12:00")], "The end must be after the start."),
        (vec![("time_zone", "Atlantis/Capital")], "No time zone of this name is known."),
        (vec![("from_date", "2027-02-30")], "This day does not exist."),
        (vec![("from_date", "2027-03-28"), ("from_time", "01:30")], "The clocks jump over this time on that day."),
        (vec![("from_date", "2020-01-01")], "This has passed already."),
        (vec![("reason", &*long)], "This is too long"),
        (vec![("reason", " ")], "Say why"),
    ];
    for (different, sentence) in wrong {
        let answer = desk.post(&exceptions, &leave("save", &different)).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{sentence}");
        assert!(answer.body.contains(sentence), "{sentence}");
        for (_, typed) in leave("save", &different).iter().skip(2).filter(|(_, typed)| !typed.is_empty()) {
            assert!(answer.body.contains(&format!("value=\"{typed}\"")), "{sentence} keeps what was typed");
        }
    }
    assert_eq!(house.count("select count(*) from schedule_exceptions").await, 0);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn shorter_hours_list_who_is_booked_outside_of_them(pool: PgPool) {
    let house = House::new(pool).await;
    let mut desk = house.signed_in("Riverside", Role::Receptionist).await;
    let page = schedule(&mut desk).await;
    let shown = desk.get(&page).await.body;
    let tuesday =
        shown.split("?rule=").nth(2).and_then(|rest| rest.split('#').next()).expect("a second rule").to_owned();
    let fields = [
        ("replaces", &*tuesday),
        ("weekday", "2"),
        ("from", "09:00"),
        ("to", "10:00"),
        ("slot_minutes", "30"),
        ("time_zone", "Europe/London"),
        ("every_weeks", "1"),
    ];
    let rules = format!("{page}/rules");
    let preview = desk.post(&rules, &fields).await;
    assert_eq!(preview.status, StatusCode::OK, "{}", preview.body);
    assert!(preview.body.contains("booked outside of the new hours"), "{}", preview.body);
    let saved = desk.post(&rules, &[&fields[..], &[("do", "save")]].concat()).await;
    assert_eq!(saved.status, StatusCode::SEE_OTHER);
    assert_eq!(house.count("select count(*) from schedules where from_minute = 540 and to_minute = 600").await, 1);
    assert_eq!(house.count("select count(*) from appointments where state = 'cancelled'").await, 2, "nobody more");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_holiday_closes_everybodys_hours(pool: PgPool) {
    let house = House::new(pool).await;
    let mut desk = house.signed_in("Riverside", Role::Receptionist).await;
    let preview = desk.post("/schedules/holidays", &leave("preview", &[])).await;
    assert!(preview.body.contains("Dr Hannah Osei") && preview.body.contains("Dr Leon Marsh"));
    assert_eq!(preview.body.matches("closes all day").count(), 2, "{}", preview.body);
    let saved = desk.post("/schedules/holidays", &leave("save", &[])).await;
    assert_eq!(saved.header("location"), "/schedules?saved", "{}", saved.body);
    assert!(desk.get("/schedules").await.body.contains("25 Nov 2026"));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_type_of_visit_is_added_changed_and_retired(pool: PgPool) {
    let house = House::new(pool).await;
    let mut desk = house.signed_in("Riverside", Role::Receptionist).await;
    let form = desk.get("/visit-types").await.body;
    let practitioner = form
        .split("name=\"practitioner\" value=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .expect("one")
        .to_owned();
    let typed = |name, minutes| {
        vec![
            ("name", name),
            ("minutes", minutes),
            ("buffer_before_minutes", "0"),
            ("buffer_after_minutes", "5"),
            ("min_notice_minutes", "0"),
            ("horizon_days", "90"),
            ("cancel_notice_minutes", "120"),
            ("practitioner", &*practitioner),
        ]
    };
    let wrong = desk.post("/visit-types", &typed("consultation", "30")).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.body.contains("There is a type of visit of this name already."));
    let wrong = desk.post("/visit-types", &typed("Vaccination advice", "1")).await;
    assert!(wrong.body.contains("from 5 to 480") && wrong.body.contains("value=\"Vaccination advice\""));
    let added = desk.post("/visit-types", &typed("Vaccination advice", "10")).await;
    assert_eq!(added.status, StatusCode::SEE_OTHER, "{}", added.body);
    let shown = desk.get("/visit-types").await.body;
    let row = shown.split("Vaccination advice").nth(1).expect("it is listed");
    let id =
        row.split("?change=").nth(1).and_then(|rest| rest.split('#').next()).expect("it can be changed").to_owned();
    let mut changed = typed("Vaccination advice", "20");
    changed.push(("id", &*id));
    assert_eq!(desk.post("/visit-types", &changed).await.status, StatusCode::SEE_OTHER);
    assert_eq!(house.count("select count(*) from visit_types where minutes = 20 and name like 'Vacc%'").await, 1);
    desk.post(&format!("/visit-types/{id}/retire"), &[]).await;
    assert!(!desk.get("/visit-types").await.body.contains("Vaccination advice"));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn schedules_are_for_the_desk_of_their_own_clinic(pool: PgPool) {
    let house = House::new(pool).await;
    let mut desk = house.signed_in("Riverside", Role::Receptionist).await;
    let page = schedule(&mut desk).await;
    let mut stranger = house.signed_in("Harbour", Role::Receptionist).await;
    assert_eq!(stranger.get(&page).await.status, StatusCode::NOT_FOUND);
    assert_eq!(stranger.post(&format!("{page}/exceptions"), &leave("save", &[])).await.status, StatusCode::NOT_FOUND);
    let mut practitioner = house.signed_in("Riverside", Role::Practitioner).await;
    assert_eq!(practitioner.get(&page).await.status, StatusCode::FORBIDDEN);
    assert_eq!(practitioner.get("/visit-types").await.status, StatusCode::FORBIDDEN);
}
