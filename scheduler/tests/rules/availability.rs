//! When visits can be had.

use crate::house::{House, at, offer, visit_type};
use domain::{PractitionerId, VisitTypeId};
use jiff::{Timestamp, civil, tz::TimeZone};
use scheduler::{
    BookError, FindSlotsError, OpenSlot, ScheduleChange, SlotSearch, book, change_schedule, find_slots,
    preview_schedule,
    schedules::fields::{ExceptionFields, RuleFields, read_exception, read_rules},
};
use sqlx::PgPool;

fn search(house: &House, from: &str, to: &str) -> SlotSearch {
    SlotSearch {
        practitioners: vec![house.riverside.practitioner],
        visit_type: house.riverside.consultation,
        from: at(from),
        to: at(to),
        language: None,
        time_of_day: None,
        zone: None,
        after: None,
        limit: 100,
    }
}

async fn find(house: &House, search: &SlotSearch) -> Vec<OpenSlot> {
    find_slots(&house.db, &house.clock, &house.riverside.receptionist, search).await.expect("slots")
}

async fn times(house: &House, search: &SlotSearch) -> Vec<String> {
    let zone = TimeZone::get("Europe/London").expect("a zone");
    let slots = find(house, search).await;
    slots.iter().map(|slot| slot.starts_at.to_zoned(zone.clone()).strftime("%H:%M").to_string()).collect()
}

/// The receptionist enters leave, a holiday or extra hours for this day.
async fn besides(house: &House, practitioner: Option<PractitionerId>, kind: &str, from: &str, to: &str) {
    let fields = ExceptionFields {
        kind: kind.to_owned(),
        from_date: "2026-11-24".to_owned(),
        from_time: from.to_owned(),
        to_time: to.to_owned(),
        time_zone: "Europe/London".to_owned(),
        slot_minutes: "30".to_owned(),
        reason: "For a test".to_owned(),
        ..ExceptionFields::default()
    };
    let with = read_exception(&fields, practitioner.is_none(), at("09:00")).expect("an exception");
    change(house, ScheduleChange::Exception { practitioner, replaces: None, with: Some(with) }).await;
}

async fn change(house: &House, change: ScheduleChange) {
    let desk = &house.riverside.receptionist;
    change_schedule(&house.db, &house.clock, &house.random, desk, change).await.expect("changed");
}

async fn set(house: &House, sql: &'static str, id: VisitTypeId) {
    sqlx::query(sql).bind(id.0).execute(&house.superuser).await.expect("set");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn slots_of_several_practitioners_come_in_order_and_page_by_page(pool: PgPool) {
    let house = House::new(pool).await;
    let both = SlotSearch { practitioners: Vec::new(), ..search(&house, "10:00", "12:00") };
    let all = find(&house, &both).await;
    assert_eq!(all.len(), 8);
    assert!(all.is_sorted_by_key(|slot| (slot.starts_at, slot.practitioner)));
    let mut paged = Vec::new();
    loop {
        let after = paged.last().map(|slot: &OpenSlot| (slot.starts_at, slot.practitioner));
        let page = find(&house, &SlotSearch { after, limit: 3, ..both.clone() }).await;
        if page.is_empty() {
            break;
        }
        paged.extend(page);
    }
    assert_eq!(paged, all);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_type_is_as_long_as_it_says_and_its_buffers_are_the_practitioners_alone(pool: PgPool) {
    let house = House::new(pool).await;
    let clinic = &house.riverside;
    let long = visit_type(&house.superuser, clinic.id, "New patient", 45).await;
    offer(&house.superuser, clinic.id, clinic.practitioner, long).await;
    set(&house, "update visit_types set buffer_before_minutes = 15, buffer_after_minutes = 5 where id = $1", long)
        .await;
    let wanted = SlotSearch { visit_type: long, ..search(&house, "09:00", "12:00") };
    assert_eq!(times(&house, &wanted).await, ["09:30", "10:00", "10:30", "11:00", "11:30"]);
    let request = scheduler::BookRequest::new(clinic.patients[0], clinic.practitioner, long, at("10:30"));
    book(&house.db, &house.clock, &house.random, &clinic.receptionist, request).await.expect("a free slot");
    // From 10:15 to 11:20 is taken; half an hour fits before and after.
    assert_eq!(times(&house, &search(&house, "09:30", "12:00")).await, ["09:30", "11:30"]);
    // The patient is free until half past ten.
    let colleague = scheduler::BookRequest::new(
        clinic.patients[0],
        clinic.colleague_practitioner,
        clinic.consultation,
        at("10:00"),
    );
    book(&house.db, &house.clock, &house.random, &clinic.receptionist, colleague).await.expect("no buffer of theirs");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn no_slot_is_offered_whose_own_buffers_reach_into_another_visit(pool: PgPool) {
    let house = House::new(pool).await;
    let clinic = &house.riverside;
    let tidied = visit_type(&house.superuser, clinic.id, "With tidying up", 30).await;
    offer(&house.superuser, clinic.id, clinic.practitioner, tidied).await;
    house.book(0, at("10:30")).await.expect("a free slot");
    let wanted = SlotSearch { visit_type: tidied, ..search(&house, "09:30", "12:00") };
    for (buffers, offered) in [
        ("buffer_before_minutes = 0, buffer_after_minutes = 0", ["09:30", "10:00", "11:00", "11:30"].as_slice()),
        ("buffer_before_minutes = 0, buffer_after_minutes = 10", &["09:30", "11:00", "11:30"]),
        ("buffer_before_minutes = 10, buffer_after_minutes = 0", &["09:30", "10:00", "11:30"]),
        ("buffer_before_minutes = 10, buffer_after_minutes = 10", &["09:30", "11:30"]),
    ] {
        let sql = format!("update visit_types set {buffers} where id = $1");
        let set = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(tidied.0).execute(&house.superuser).await;
        set.expect("other buffers");
        assert_eq!(times(&house, &wanted).await, offered, "{buffers}");
    }
    let request = |time| scheduler::BookRequest::new(clinic.patients[1], clinic.practitioner, tidied, at(time));
    for time in ["10:00", "11:00"] {
        let refused = book(&house.db, &house.clock, &house.random, &clinic.receptionist, request(time)).await;
        assert!(matches!(refused, Err(BookError::SlotTaken)), "what is not offered is not booked: {refused:?}");
    }
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn notice_and_horizon_bound_what_is_found_and_what_is_booked(pool: PgPool) {
    let house = House::new(pool).await;
    let sql = "update visit_types set min_notice_minutes = 120, horizon_days = 1 where id = $1";
    set(&house, sql, house.riverside.consultation).await;
    let wanted =
        SlotSearch { to: "2026-12-24T00:00:00Z".parse().expect("an instant"), ..search(&house, "09:00", "12:00") };
    let slots = find(&house, &wanted).await;
    let last: Timestamp = "2026-11-25T09:00:00Z".parse().expect("an instant");
    assert_eq!((slots[0].starts_at, slots[slots.len() - 1].starts_at), (at("11:00"), last));
    assert!(matches!(house.book(0, at("10:30")).await, Err(BookError::TooSoon)));
    house.book(0, at("11:00")).await.expect("far enough ahead");
    let beyond: Timestamp = "2026-11-25T09:30:00Z".parse().expect("an instant");
    assert!(matches!(house.book(1, beyond).await, Err(BookError::TooFarAhead)));
    house.book(1, last).await.expect("near enough");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn leave_and_holidays_close_and_extra_hours_open(pool: PgPool) {
    let house = House::new(pool).await;
    let who = Some(house.riverside.practitioner);
    besides(&house, who, "closed", "10:00", "17:00").await;
    assert_eq!(times(&house, &search(&house, "09:30", "23:00")).await, ["09:30", "17:00", "17:30"]);
    assert!(matches!(house.book(0, at("11:00")).await, Err(BookError::OutsideSchedule)));
    besides(&house, who, "open", "18:00", "19:00").await;
    assert_eq!(times(&house, &search(&house, "17:30", "23:00")).await, ["17:30", "18:00", "18:30"]);
    house.book(0, at("18:30")).await.expect("extra hours");
    besides(&house, None, "closed", "", "").await;
    assert_eq!(times(&house, &search(&house, "09:00", "23:00")).await, ["18:00"], "extra hours hold on a holiday");
    let colleague =
        SlotSearch { practitioners: vec![house.riverside.colleague_practitioner], ..search(&house, "09:00", "23:00") };
    assert!(find(&house, &colleague).await.is_empty());
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn language_and_time_of_day_narrow_the_search_and_the_patients_clock_counts(pool: PgPool) {
    let house = House::new(pool).await;
    let time = |hour| civil::time(hour, 0, 0, 0);
    let morning = SlotSearch { time_of_day: Some((time(9), time(11))), ..search(&house, "09:00", "18:00") };
    assert_eq!(times(&house, &morning).await, ["09:30", "10:00", "10:30"]);
    // Nine in New York is two in the afternoon in London.
    let zone = TimeZone::get("America/New_York").ok();
    assert_eq!(times(&house, &SlotSearch { zone, ..morning.clone() }).await, ["14:00", "14:30", "15:00", "15:30"]);
    // Nine in Kathmandu, five hours and three quarters ahead, lies before the practitioner's day begins.
    let zone = TimeZone::get("Asia/Kathmandu").ok();
    let evening = SlotSearch { time_of_day: Some((time(17), time(0))), zone, ..morning.clone() };
    assert_eq!(times(&house, &evening).await.first().map(String::as_str), Some("11:30"));

    sqlx::query("update practitioners set languages = '{en,pt-br}' where id = $1")
        .bind(house.riverside.colleague_practitioner.0)
        .execute(&house.superuser)
        .await
        .expect("languages");
    for (language, found) in [("pt", true), ("PT-BR", true), ("pt-pt", false), ("de", false), ("p", false)] {
        let wanted = SlotSearch { practitioners: Vec::new(), language: Some(language.to_owned()), ..morning.clone() };
        let slots = find(&house, &wanted).await;
        assert_eq!(!slots.is_empty(), found, "{language}");
        assert!(slots.iter().all(|slot| slot.practitioner == house.riverside.colleague_practitioner));
    }
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn what_cannot_be_searched_says_so(pool: PgPool) {
    let house = House::new(pool).await;
    let desk = &house.riverside.receptionist;
    let backwards = search(&house, "12:00", "09:00");
    let refused = find_slots(&house.db, &house.clock, desk, &backwards).await;
    assert!(matches!(refused, Err(FindSlotsError::EndsBeforeItBegins)));
    let foreign = SlotSearch { visit_type: house.harbour.consultation, ..search(&house, "09:00", "12:00") };
    assert!(matches!(find_slots(&house.db, &house.clock, desk, &foreign).await, Err(FindSlotsError::NoSuchVisitType)));
    let theirs = SlotSearch { practitioners: vec![house.harbour.practitioner], ..search(&house, "09:00", "12:00") };
    assert!(find(&house, &theirs).await.is_empty());
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_search_looks_on_until_it_finds(pool: PgPool) {
    let house = House::new(pool).await;
    let sql = "update schedules set valid_from = '2027-09-01' where practitioner_id = (select id from practitioners where id = $1)";
    sqlx::query(sql).bind(house.riverside.practitioner.0).execute(&house.superuser).await.expect("hired");
    let to = "2027-10-01T00:00:00Z".parse().expect("an instant");
    let slots = find(&house, &SlotSearch { to, limit: 2, ..search(&house, "09:00", "12:00") }).await;
    let first: Timestamp = "2027-09-01T07:00:00Z".parse().expect("an instant");
    assert_eq!((slots.len(), slots[0].starts_at), (2, first), "eight o'clock in summer");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_change_shows_what_it_opens_and_closes_and_whom_it_leaves_outside(pool: PgPool) {
    let house = House::new(pool).await;
    let (clinic, desk) = (&house.riverside, &house.riverside.receptionist);
    let inside = house.book(0, at("10:00")).await.expect("a free slot");
    let outside = house.book(1, at("16:00")).await.expect("a free slot");
    let schedules = scheduler::schedules(&house.db, &house.clock, desk).await.expect("schedules");
    let schedule =
        schedules.practitioners.iter().find(|one| one.practitioner.id == clinic.practitioner).expect("theirs");
    let (tuesday, _) = schedule.rules[1];
    let fields = RuleFields {
        weekdays: vec!["2".to_owned()],
        from: "07:00".to_owned(),
        to: "12:00".to_owned(),
        slot_minutes: "30".to_owned(),
        time_zone: "Europe/London".to_owned(),
        every_weeks: "1".to_owned(),
        ..RuleFields::default()
    };
    let with = read_rules(&fields).expect("a rule");
    let shorter = ScheduleChange::Rules { practitioner: clinic.practitioner, replaces: Some(tuesday), with };
    let preview = preview_schedule(&house.db, &house.clock, desk, Some(clinic.practitioner), Some(&shorter))
        .await
        .expect("a preview");
    assert_eq!(preview.outside.iter().map(|visit| visit.id).collect::<Vec<_>>(), [outside]);
    let days = &preview.practitioners[0].days;
    assert_eq!(days.len(), 14);
    assert_eq!(days[0].opens, [(at("07:00"), at("08:00"))]);
    assert_eq!(days[0].closes, [(at("12:00"), at("18:00"))]);
    assert!(days[1].opens.is_empty() && days[1].closes.is_empty());
    assert_eq!(times(&house, &search(&house, "17:00", "18:00")).await, ["17:00", "17:30"], "a preview changes nothing");

    change(&house, shorter).await;
    assert!(times(&house, &search(&house, "12:00", "18:00")).await.is_empty());
    for id in [inside, outside] {
        assert_eq!(house.view(id).await.state, domain::AppointmentState::Booked, "nobody is cancelled");
    }
    assert!(house.actions().await.contains(&"schedule.changed".to_owned()));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn only_the_desk_changes_schedules_and_only_its_own(pool: PgPool) {
    let house = House::new(pool).await;
    let change = |practitioner| ScheduleChange::Rules { practitioner, replaces: None, with: Vec::new() };
    let attempt = async |by, practitioner| {
        change_schedule(&house.db, &house.clock, &house.random, by, change(practitioner)).await
    };
    let refused = attempt(&house.riverside.doctor, house.riverside.practitioner).await;
    assert!(matches!(refused, Err(scheduler::ChangeScheduleError::NotAllowed)));
    let refused = attempt(&house.riverside.receptionist, house.harbour.practitioner).await;
    assert!(matches!(refused, Err(scheduler::ChangeScheduleError::NoSuchPractitioner)));
}
