//! Visits that repeat are booked together, and changed one, some or all at a time.

use crate::house::{House, add_hours, at};
use domain::{AppointmentId, AppointmentState, RecurrenceError, Scope};
use jiff::Timestamp;
use scheduler::{
    BookError, BookRequest, BookSeriesError, Cancel, IdempotencyKey, Reschedule, RescheduleError, SeriesBooked,
    SeriesRequest,
};
use sqlx::PgPool;

/// The first patient's visits at ten, beginning today.
fn at_ten(house: &House, rule: &str) -> SeriesRequest {
    SeriesRequest {
        first: house.request(0, at("10:00")),
        recurrence: rule.parse().expect(rule),
        leave_out_conflicts: false,
    }
}

async fn book(house: &House, request: SeriesRequest) -> Result<SeriesBooked, BookSeriesError> {
    scheduler::book_series(&house.db, &house.clock, &house.random, &house.riverside.receptionist, request).await
}

async fn three_weeks(house: &House) -> Vec<AppointmentId> {
    book(house, at_ten(house, "FREQ=WEEKLY;COUNT=3")).await.expect("free slots").appointments
}

async fn starts(house: &House, ids: &[AppointmentId]) -> Vec<Timestamp> {
    let mut starts = Vec::new();
    for id in ids {
        starts.push(house.view(*id).await.starts_at);
    }
    starts
}

fn on(days: [&str; 3]) -> Vec<Timestamp> {
    days.iter().map(|day| format!("2026-{day}:00Z").parse().expect("a time")).collect()
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_series_is_at_the_same_time_of_day_whatever_the_clocks_do(pool: PgPool) {
    let house = House::new(pool).await;
    house.clock.set("2026-10-01T00:00:00Z".parse().expect("a time"));
    let first = BookRequest {
        starts_at: "2026-10-20T09:00:00Z".parse().expect("ten in summer"),
        ..house.request(0, at("10:00"))
    };
    let request = SeriesRequest { first, ..at_ten(&house, "FREQ=WEEKLY;COUNT=3") };
    let booked = book(&house, request).await.expect("free slots");
    assert_eq!(starts(&house, &booked.appointments).await, on(["10-20T09:00", "10-27T10:00", "11-03T10:00"]));
    let view = scheduler::series(&house.db, &house.riverside.receptionist, booked.series).await.expect("a read");
    let view = view.expect("a series");
    assert_eq!((view.recurrence.as_str(), view.visits.len()), ("Every week, 3 times", 3));
    for id in booked.appointments {
        assert_eq!(house.view(id).await.series, Some(booked.series));
    }
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_series_is_booked_whole_or_its_conflicts_are_listed(pool: PgPool) {
    let house = House::new(pool).await;
    let second_week = "2026-12-01T10:00:00Z".parse().expect("a time");
    house.book(1, second_week).await.expect("a free slot");
    let Err(BookSeriesError::Conflicts(conflicts)) = book(&house, at_ten(&house, "FREQ=WEEKLY;COUNT=3")).await else {
        panic!("one of them is taken");
    };
    let [conflict] = conflicts.as_slice() else { panic!("{conflicts:?}") };
    assert_eq!(conflict.starts_at, Some(second_week));
    assert!(matches!(conflict.why, BookError::SlotTaken));
    house.book(2, at("10:00")).await.expect("nothing of it was booked");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn conflicts_are_left_out_on_request(pool: PgPool) {
    let house = House::new(pool).await;
    house.book(1, "2026-12-01T10:00:00Z".parse().expect("a time")).await.expect("a free slot");
    let request = SeriesRequest { leave_out_conflicts: true, ..at_ten(&house, "FREQ=WEEKLY;COUNT=3") };
    let booked = book(&house, request).await.expect("two of them are free");
    assert_eq!((booked.appointments.len(), booked.left_out.len()), (2, 1));
    let none = SeriesRequest { leave_out_conflicts: true, ..at_ten(&house, "FREQ=WEEKLY;COUNT=1") };
    assert!(matches!(book(&house, none).await, Err(BookSeriesError::Conflicts(_))), "a series of nothing is none");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn what_concerns_every_visit_is_told_once(pool: PgPool) {
    let house = House::new(pool).await;
    let first = BookRequest { patient: house.harbour.patients[0], ..house.request(0, at("10:00")) };
    let request = SeriesRequest { first, ..at_ten(&house, "FREQ=WEEKLY;COUNT=3") };
    assert!(matches!(book(&house, request).await, Err(BookSeriesError::Refused(BookError::NoSuchPatient))));
    let request = at_ten(&house, "FREQ=WEEKLY;BYDAY=MO;COUNT=3");
    let refused = book(&house, request).await;
    assert!(matches!(refused, Err(BookSeriesError::Recurrence(RecurrenceError::FirstDoesNotFit))));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_series_that_is_sent_twice_is_booked_once(pool: PgPool) {
    let house = House::new(pool).await;
    let keyed = |rule| {
        let first = BookRequest { idempotency_key: IdempotencyKey::new("s"), ..house.request(0, at("10:00")) };
        SeriesRequest { first, ..at_ten(&house, rule) }
    };
    let once = book(&house, keyed("FREQ=WEEKLY;COUNT=3")).await.expect("free slots");
    let again = book(&house, keyed("FREQ=WEEKLY;COUNT=3")).await.expect("the answer again");
    assert_eq!((once.series, once.appointments), (again.series, again.appointments));
    let other = book(&house, keyed("FREQ=WEEKLY;COUNT=4")).await;
    assert!(matches!(other, Err(BookSeriesError::Refused(BookError::KeyReused))));
}

async fn move_to(
    house: &House,
    id: AppointmentId,
    to: &str,
    scope: Scope,
) -> Result<Vec<AppointmentId>, RescheduleError> {
    let starts_at = format!("2026-{to}:00Z").parse().expect("a time");
    let request = Reschedule { scope, ..Reschedule::new(id, starts_at, "Course on Tuesdays") };
    scheduler::reschedule(&house.db, &house.clock, &house.riverside.receptionist, request).await
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn one_visit_of_a_series_moves_alone(pool: PgPool) {
    let house = House::new(pool).await;
    let ids = three_weeks(&house).await;
    assert_eq!(move_to(&house, ids[1], "12-02T11:00", Scope::This).await.expect("free"), [ids[1]]);
    assert_eq!(starts(&house, &ids).await, on(["11-24T10:00", "12-02T11:00", "12-08T10:00"]));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn one_and_those_after_it_move_as_far(pool: PgPool) {
    let house = House::new(pool).await;
    let ids = three_weeks(&house).await;
    let moved = move_to(&house, ids[1], "12-02T11:00", Scope::ThisAndFollowing).await.expect("free");
    assert_eq!(moved, ids[1..]);
    assert_eq!(starts(&house, &ids).await, on(["11-24T10:00", "12-02T11:00", "12-09T11:00"]));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_whole_series_moves_by_a_week_into_its_own_times(pool: PgPool) {
    let house = House::new(pool).await;
    let ids = three_weeks(&house).await;
    let moved = move_to(&house, ids[0], "12-01T10:00", Scope::Series).await.expect("only its own times are in the way");
    assert_eq!(moved, ids);
    assert_eq!(starts(&house, &ids).await, on(["12-01T10:00", "12-08T10:00", "12-15T10:00"]));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_series_that_cannot_move_whole_stays_and_says_why(pool: PgPool) {
    let house = House::new(pool).await;
    let ids = three_weeks(&house).await;
    let in_the_way = "2026-12-09T11:00:00Z".parse().expect("a time");
    house.book(1, in_the_way).await.expect("a free slot");
    let Err(RescheduleError::Conflicts(conflicts)) = move_to(&house, ids[0], "11-25T11:00", Scope::Series).await else {
        panic!("one of them cannot move");
    };
    assert_eq!(conflicts.iter().map(|one| one.starts_at).collect::<Vec<_>>(), [Some(in_the_way)]);
    assert_eq!(starts(&house, &ids).await, on(["11-24T10:00", "12-01T10:00", "12-08T10:00"]));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn cancelling_concerns_one_or_those_after_it_or_all_that_lie_ahead(pool: PgPool) {
    let house = House::new(pool).await;
    let desk = &house.riverside.receptionist;
    let ids = three_weeks(&house).await;
    let cancel = async |id, scope| {
        let request = Cancel { scope, ..Cancel::new(id, "Feels better") };
        scheduler::cancel(&house.db, &house.clock, desk, request).await.expect("booked appointments")
    };
    assert_eq!(cancel(ids[2], Scope::This).await, [ids[2]]);
    assert_eq!(cancel(ids[1], Scope::ThisAndFollowing).await, [ids[1]], "what is cancelled stays as it was");
    assert_eq!(cancel(ids[0], Scope::Series).await, [ids[0]]);
    for id in ids {
        assert_eq!(house.view(id).await.state, AppointmentState::Cancelled);
    }
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_visit_that_took_place_stays_when_its_series_changes(pool: PgPool) {
    let house = House::new(pool).await;
    let request = SeriesRequest { first: house.request(0, at("09:30")), ..at_ten(&house, "FREQ=WEEKLY;COUNT=3") };
    let ids = book(&house, request).await.expect("free slots").appointments;
    scheduler::arrive(&house.db, &house.clock, &house.patient(0, ids[0]), ids[0]).await.expect("in time");
    let moved = move_to(&house, ids[1], "12-02T11:00", Scope::Series).await.expect("free");
    assert_eq!(moved, ids[1..]);
    assert!(matches!(move_to(&house, ids[0], "11-25T11:00", Scope::Series).await, Err(RescheduleError::Waits)));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn sixty_visits_are_booked_and_moved_in_one_go(pool: PgPool) {
    let house = House::new(pool).await;
    add_hours(&house.superuser, house.riverside.id, house.riverside.practitioner, (495, 1080, 30)).await;
    let ids = book(&house, at_ten(&house, "FREQ=DAILY;COUNT=60")).await.expect("free slots").appointments;
    let moved = move_to(&house, ids[0], "11-24T10:15", Scope::Series).await.expect("only its own times are in the way");
    assert_eq!(moved.len(), 60);
}
