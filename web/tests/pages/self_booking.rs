//! Patients book themselves on the clinic's public page.

use crate::house::{Answer, Browser, House};
use axum::http::StatusCode;
use domain::Role;
use sqlx::PgPool;

const CLINIC: &str = "/clinics/riverside-family-clinic";

/// Somebody nobody at the clinic knows.
const STRANGER: [(&str, &str); 6] = [
    ("name", "Ada Okafor"),
    ("birth_date", "2 Nov 1990"),
    ("email", "ada@okafor.example"),
    ("phone", ""),
    ("language", "en"),
    ("time_zone", "Africa/Lagos"),
];

/// What follows `mark` up to the next quotation mark.
fn after<'a>(body: &'a str, mark: &str) -> &'a str {
    body.split_once(mark).and_then(|(_, rest)| rest.split('"').next()).unwrap_or_else(|| panic!("{mark} in {body}"))
}

/// The page with free times of the first visit type.
async fn times(browser: &mut Browser) -> String {
    let types = browser.get(CLINIC).await;
    assert_eq!(types.status, StatusCode::OK, "{}", types.body);
    let path = format!("{CLINIC}/times?type={}", after(&types.body, "/times?type="));
    let times = browser.get(&path).await;
    assert_eq!(times.status, StatusCode::OK);
    times.body
}

/// Presses the button of the time that is at this place of the page.
async fn choose(browser: &mut Browser, place: usize) -> Answer {
    let page = times(browser).await;
    let choice = page.split("name=\"choice\" value=\"").nth(place + 1).and_then(|rest| rest.split('"').next());
    let choice = choice.expect("a free time").to_owned();
    press(browser, &page, &choice).await
}

async fn press(browser: &mut Browser, page: &str, choice: &str) -> Answer {
    let visit_type = after(page, "name=\"type\" value=\"");
    browser.post(&format!("{CLINIC}/times"), &[("type", visit_type), ("choice", choice)]).await
}

/// The path of the link in the message to whoever typed this, at their e-mail address or else their number.
async fn link(house: &House, who: &[(&str, &str)]) -> String {
    let typed = |name: &str| who.iter().find(|(field, text)| *field == name && !text.is_empty()).map(|(_, text)| *text);
    let sent = "select path from outbox where kind = 'self_booking' and lower(recipient) = lower($1)";
    let recipient = typed("email").or_else(|| typed("phone")).expect("somebody who can be reached");
    sqlx::query_scalar(sent).bind(recipient).fetch_one(&house.superuser).await.expect("a message")
}

/// Chooses a time and asks for the link.
async fn asks(house: &House, who: &[(&str, &str)]) -> (Browser, String) {
    let mut browser = house.browser();
    assert_eq!(choose(&mut browser, 0).await.header("location"), format!("{CLINIC}/you"));
    let asked = browser.post(&format!("{CLINIC}/you"), who).await;
    assert_eq!(asked.header("location"), format!("{CLINIC}/sent"), "{}", asked.body);
    (browser, link(house, who).await)
}

/// Makes every held time as if its quarter of an hour had passed.
async fn a_quarter_passes(house: &House) {
    sqlx::query("update holds set expires_at = now() - interval '1 second'")
        .execute(&house.superuser)
        .await
        .expect("the superuser turns the clock");
}

const APPOINTMENTS: &str = "select count(*) from appointments where source = 'self'";
const PATIENTS: &str = "select count(*) from patients";

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_stranger_books_without_an_account(pool: PgPool) {
    let house = House::new(pool).await;
    let before = house.count(PATIENTS).await;
    let (mut browser, link) = asks(&house, &STRANGER).await;
    let sent = browser.get(&format!("{CLINIC}/sent")).await;
    assert!(sent.body.contains("ada@okafor.example") && sent.body.contains("is kept for you until"), "{}", sent.body);

    let mut elsewhere = house.browser();
    let opened = elsewhere.get(&link).await;
    assert!(opened.body.contains("Ada Okafor") && opened.body.contains("Book this visit"), "{}", opened.body);
    let booked = elsewhere.post(&link, &[]).await;
    assert_eq!(booked.status, StatusCode::SEE_OTHER, "{}", booked.body);
    let shown = elsewhere.get(booked.header("location")).await;
    assert!(shown.body.contains("Your visit is booked") && shown.body.contains("http://localhost:8080/visit/"));
    let calendar = elsewhere.get(&booked.header("location").replace("/booked", "/calendar")).await;
    assert!(calendar.header("content-type").starts_with("text/calendar"));
    assert!(calendar.body.contains("BEGIN:VEVENT") && !calendar.body.contains("Okafor"), "{}", calendar.body);
    assert_eq!((house.count(APPOINTMENTS).await, house.count(PATIENTS).await), (1, before + 1));
    let zone = "select count(*) from patients where time_zone = 'Africa/Lagos' and language = 'en'";
    assert_eq!(house.count(zone).await, 1);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn whom_the_clinic_knows_and_whom_not_get_the_same_answers(pool: PgPool) {
    let house = House::new(pool).await;
    let known: (String, String, String) = sqlx::query_as(
        "select name, to_char(birth_date, 'YYYY-MM-DD'), email from patients where name = 'Maria Santos'",
    )
    .fetch_one(&house.superuser)
    .await
    .expect("a patient of the demo");
    let known = (known.0.as_str(), known.1.as_str(), known.2.as_str());
    let mut heard = Vec::new();
    for (name, birth_date, email) in [known, ("Ada Okafor", "1990-11-02", "ada@okafor.example")] {
        let mut browser = house.browser();
        choose(&mut browser, 0).await;
        let who = [("name", name), ("birth_date", birth_date), ("email", email), ("phone", "")];
        let asked = browser.post(&format!("{CLINIC}/you"), &who).await;
        let sent = browser.get(&format!("{CLINIC}/sent")).await;
        let headers: Vec<_> = asked.headers.iter().filter(|(name, _)| !is_random(name.as_str())).collect();
        heard.push(format!("{} {headers:?} {} {}", asked.status, asked.body, plain(&sent.body, email)));
        // The next one finds the same time free.
        a_quarter_passes(&house).await;
    }
    assert_eq!(heard[0], heard[1]);
    let messages = "select count(*) from outbox where kind = 'self_booking'";
    assert_eq!(house.count(messages).await, 2, "each is sent a link");
    assert_eq!(house.count(APPOINTMENTS).await, 0);
}

fn is_random(header: &str) -> bool {
    matches!(header, "x-request-id" | "content-security-policy" | "set-cookie")
}

/// A page without what differs at every request, and without the address that was typed.
fn plain(body: &str, address: &str) -> String {
    let nonce = after(body, "nonce=\"");
    let kept_until = body.split("<strong class=\"number\">").nth(1).and_then(|rest| rest.split("</time>").next());
    body.replace(nonce, "").replace(kept_until.expect("a time"), "").replace(address, "")
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_scanner_that_opens_the_link_changes_nothing_and_the_link_books_once(pool: PgPool) {
    let house = House::new(pool).await;
    let (_, link) = asks(&house, &STRANGER).await;
    for _ in 0..3 {
        assert_eq!(house.browser().get(&link).await.status, StatusCode::OK);
    }
    assert_eq!(house.count(APPOINTMENTS).await, 0);
    assert_eq!(house.browser().post(&link, &[]).await.status, StatusCode::SEE_OTHER);
    let again = house.browser().post(&link, &[]).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    assert!(again.body.contains("data-code=\"link-used\"") && again.body.contains("Your visit is booked"));
    assert!(!again.body.contains("/visit/"), "who finds the message later does not get the link of the visit");
    assert_eq!(house.count(APPOINTMENTS).await, 1);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn whom_the_clinic_knows_is_recognized_by_the_address_that_was_reached(pool: PgPool) {
    let house = House::new(pool).await;
    let before = house.count(PATIENTS).await;
    let (name, birth_date, email, phone): (String, String, String, String) = sqlx::query_as(
        "select upper(name), to_char(birth_date, 'YYYY-MM-DD'), upper(email), phone from patients where name = 'Maria Santos'",
    )
    .fetch_one(&house.superuser)
    .await
    .expect("a patient of the demo");
    let typed = [("name", &*name), ("birth_date", &*birth_date), ("email", &*email), ("phone", "")];
    let (_, link) = asks(&house, &typed).await;
    house.browser().post(&link, &[]).await;
    assert_eq!((house.count(APPOINTMENTS).await, house.count(PATIENTS).await), (1, before));

    // Her number, but another's mailbox: whoever opens the link has not shown that they are her.
    let other = [("name", &*name), ("birth_date", &*birth_date), ("email", "eve@example.org"), ("phone", &*phone)];
    let (_, link) = asks(&house, &other).await;
    house.browser().post(&link, &[]).await;
    assert_eq!((house.count(APPOINTMENTS).await, house.count(PATIENTS).await), (2, before + 1));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn of_two_who_choose_one_time_the_second_is_told_and_offered_others(pool: PgPool) {
    let house = House::new(pool).await;
    let (mut one, mut other) = (house.browser(), house.browser());
    let page = times(&mut other).await;
    let choice = after(&page, "name=\"choice\" value=\"").to_owned();
    assert_eq!(press(&mut one, &page, &choice).await.status, StatusCode::SEE_OTHER);
    let lost = press(&mut other, &page, &choice).await;
    assert_eq!(lost.status, StatusCode::CONFLICT);
    assert!(lost.body.contains("data-code=\"slot-taken\""), "{}", lost.body);
    assert!(lost.body.contains("name=\"choice\""), "others are offered");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn choosing_another_time_gives_the_first_back(pool: PgPool) {
    let house = House::new(pool).await;
    let mut browser = house.browser();
    choose(&mut browser, 0).await;
    choose(&mut browser, 1).await;
    choose(&mut browser, 2).await;
    assert_eq!(house.count("select count(*) from holds").await, 1);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_time_kept_too_long_ago_is_told_and_what_was_typed_is_kept(pool: PgPool) {
    let house = House::new(pool).await;
    let mut slow = house.browser();
    choose(&mut slow, 0).await;
    a_quarter_passes(&house).await;
    let told = slow.get(&format!("{CLINIC}/you")).await;
    assert!(told.body.contains("data-code=\"hold-expired\""), "{}", told.body);

    // Everybody who offers the time is booked at it meanwhile.
    while choose_same(&house, &mut house.browser(), &mut slow).await {}
    let gone = slow.post(&format!("{CLINIC}/you"), &STRANGER).await;
    assert_eq!(gone.status, StatusCode::CONFLICT);
    assert!(gone.body.contains("data-code=\"hold-expired\"") && gone.body.contains("has been taken since"));
    choose(&mut slow, 0).await;
    let form = slow.get(&format!("{CLINIC}/you")).await.body;
    for kept in ["Ada Okafor", "2 Nov 1990", "ada@okafor.example", "<option selected>Africa/Lagos"] {
        assert!(form.contains(kept), "{kept} is kept: {form}");
    }
}

/// Takes the time that `slow` once had from the same practitioner; false when it is theirs no more.
async fn choose_same(house: &House, other: &mut Browser, _: &mut Browser) -> bool {
    let chosen: (uuid::Uuid, String) = sqlx::query_as(
        "select practitioner_id, to_char(starts_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') from self_bookings order by begun_at limit 1",
    )
    .fetch_one(&house.superuser)
    .await
    .expect("somebody began");
    let page = times(other).await;
    press(other, &page, &format!("{}@{}", chosen.0, chosen.1)).await.status == StatusCode::SEE_OTHER
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_link_whose_time_is_gone_offers_others_and_stays_good(pool: PgPool) {
    let house = House::new(pool).await;
    let (mut browser, link) = asks(&house, &STRANGER).await;
    a_quarter_passes(&house).await;
    let opened = browser.get(&link).await;
    assert!(opened.body.contains("data-code=\"hold-expired\"") && opened.body.contains("Book this visit"));
    choose_same(&house, &mut house.browser(), &mut browser).await;
    let gone = browser.post(&link, &[]).await;
    assert_eq!(gone.status, StatusCode::CONFLICT);
    assert!(gone.body.contains("data-code=\"hold-expired\"") && gone.body.contains("Choose another time"));
    let choice = after(&gone.body, "name=\"choice\" value=\"").to_owned();
    let kept = browser.post(&format!("{link}/times"), &[("choice", &choice)]).await;
    assert_eq!(kept.header("location"), link);
    assert!(browser.get(&link).await.body.contains("Ada Okafor"));
    assert_eq!(browser.post(&link, &[]).await.status, StatusCode::SEE_OTHER);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_time_that_was_kept_too_long_ago_and_is_free_still_books(pool: PgPool) {
    let house = House::new(pool).await;
    let (mut browser, link) = asks(&house, &STRANGER).await;
    a_quarter_passes(&house).await;
    assert_eq!(browser.post(&link, &[]).await.status, StatusCode::SEE_OTHER);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn only_the_newest_link_is_good(pool: PgPool) {
    let house = House::new(pool).await;
    let (mut browser, first) = asks(&house, &STRANGER).await;
    let corrected: Vec<_> = STRANGER
        .iter()
        .map(|(name, value)| (*name, if *name == "email" { "other@okafor.example" } else { value }))
        .collect();
    house.clock.advance(jiff::SignedDuration::from_secs(1));
    browser.post(&format!("{CLINIC}/you"), &corrected).await;
    let second = link(&house, &corrected).await;
    assert_ne!(first, second);
    // It went to an address that does not stand here any more.
    assert_eq!(browser.get(&first).await.status, StatusCode::NOT_FOUND);
    assert_eq!(browser.post(&first, &[]).await.status, StatusCode::NOT_FOUND);
    assert_eq!(browser.post(&second, &[]).await.status, StatusCode::SEE_OTHER);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn the_cookie_of_the_browser_does_not_confirm(pool: PgPool) {
    let house = House::new(pool).await;
    let (mut browser, _) = asks(&house, &STRANGER).await;
    let token = browser.cookies["self-booking"].clone();
    assert_eq!(browser.post(&format!("/bookings/{token}"), &[]).await.status, StatusCode::NOT_FOUND);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn slips_are_told_below_each_field_and_everything_typed_stays(pool: PgPool) {
    let house = House::new(pool).await;
    let mut browser = house.browser();
    choose(&mut browser, 0).await;
    let long = "x".repeat(10_000);
    let typed = [
        ("name", long.as_str()),
        ("birth_date", "31/02/1961"),
        ("email", "not an address"),
        ("phone", "12"),
        ("language", "tlh"),
        ("time_zone", "Mars/Olympus"),
    ];
    let told = browser.post(&format!("{CLINIC}/you"), &typed).await;
    assert_eq!(told.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(told.body.contains("data-code=\"fields\""));
    for field in ["name", "birth_date", "email", "phone", "language", "time_zone"] {
        assert!(told.body.contains(&format!("id=\"{field}-error\"")), "{field}: {}", told.body);
    }
    for kept in [long.as_str(), "31/02/1961", "not an address", "value=\"12\""] {
        assert!(told.body.contains(kept));
    }
    let nowhere = browser.post(&format!("{CLINIC}/you"), &[("name", "Ada"), ("birth_date", "1990-11-02")]).await;
    assert!(nowhere.body.contains("Enter an e-mail address or a phone number"));
    assert_eq!(house.count("select count(*) from outbox where kind = 'self_booking'").await, 0);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn nobodys_mailbox_is_flooded_and_too_many_is_told_calmly(pool: PgPool) {
    let house = House::new(pool).await;
    let (mut browser, _) = asks(&house, &STRANGER).await;
    for _ in 0..2 {
        let asked = browser.post(&format!("{CLINIC}/you"), &STRANGER).await;
        assert_eq!(asked.status, StatusCode::SEE_OTHER);
    }
    let refused = browser.post(&format!("{CLINIC}/you"), &STRANGER).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    let phone: String = sqlx::query_scalar("select phone from clinics where slug = 'riverside-family-clinic'")
        .fetch_one(&house.superuser)
        .await
        .expect("a clinic");
    assert!(refused.body.contains(&phone) && refused.body.contains("data-code=\"too-many\""), "{}", refused.body);
    // In another spelling it is the same address; another address is not meant.
    let mut other = house.browser();
    choose(&mut other, 0).await;
    let loud = [("name", "Ada"), ("birth_date", "1990-11-02"), ("email", "ADA@OKAFOR.example")];
    assert_eq!(other.post(&format!("{CLINIC}/you"), &loud).await.status, StatusCode::TOO_MANY_REQUESTS);
    let another = [("name", "Ada"), ("birth_date", "1990-11-02"), ("email", "ada@elsewhere.example")];
    assert_eq!(other.post(&format!("{CLINIC}/you"), &another).await.status, StatusCode::SEE_OTHER);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn nobody_holds_one_time_after_the_other(pool: PgPool) {
    let house = House::new(pool).await;
    let mut last = StatusCode::OK;
    for _ in 0..31 {
        last = choose(&mut house.browser(), 0).await.status;
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(house.count("select count(*) from holds").await, 30);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn what_patients_do_not_book_themselves_is_neither_shown_nor_held(pool: PgPool) {
    let house = House::new(pool).await;
    let page = times(&mut house.browser()).await;
    let choice = after(&page, "name=\"choice\" value=\"").to_owned();
    sqlx::query("update visit_types set is_public = false").execute(&house.superuser).await.expect("the superuser may");
    let mut browser = house.browser();
    assert_eq!(press(&mut browser, &page, &choice).await.header("location"), CLINIC);
    assert_eq!(house.count("select count(*) from holds").await, 0);
    assert!(browser.get(CLINIC).await.body.contains("booked by telephone"));
    assert_eq!(browser.get("/clinics/nowhere").await.status, StatusCode::NOT_FOUND);
    assert_eq!(browser.get("/clinics/nowhere/you").await.status, StatusCode::NOT_FOUND);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn search_engines_keep_the_clinics_page_and_no_other(pool: PgPool) {
    let house = House::new(pool).await;
    let (mut browser, link) = asks(&house, &STRANGER).await;
    assert_eq!(browser.get(CLINIC).await.header("x-robots-tag"), "");
    for path in [format!("{CLINIC}/you"), format!("{CLINIC}/sent"), link, "/sign-in".to_owned()] {
        assert_eq!(browser.get(&path).await.header("x-robots-tag"), "noindex, nofollow", "{path}");
    }
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_day_that_does_not_exist_is_told(pool: PgPool) {
    let house = House::new(pool).await;
    let mut browser = house.browser();
    let visit_type = after(&times(&mut browser).await, "name=\"type\" value=\"").to_owned();
    let told = browser.get(&format!("{CLINIC}/times?type={visit_type}&day=2026-02-30")).await;
    assert!(told.body.contains("data-code=\"no-such-day\"") && told.body.contains("name=\"choice\""));
    let at_25 =
        browser.post(&format!("{CLINIC}/times"), &[("type", &visit_type), ("choice", "x@2026-11-24T25:00Z")]).await;
    assert_eq!(at_25.status, StatusCode::CONFLICT);
    assert!(at_25.body.contains("data-code=\"no-such-time\"") && at_25.body.contains("name=\"choice\""));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn the_desk_sees_that_the_patient_booked(pool: PgPool) {
    let house = House::new(pool).await;
    let (mut browser, link) = asks(&house, &STRANGER).await;
    browser.post(&link, &[]).await;
    let id: uuid::Uuid = sqlx::query_scalar("select id from appointments where source = 'self'")
        .fetch_one(&house.superuser)
        .await
        .expect("an appointment");
    let mut desk = house.signed_in("Riverside", Role::Receptionist).await;
    let shown = desk.get(&format!("/appointments/{id}")).await.body;
    assert!(shown.contains("Ada Okafor") && shown.contains("by the patient, on the clinic’s page"), "{shown}");
}
