//! What the desk does besides booking one visit: moving, series, overbooking, holding a time, walk-ins.

use crate::{
    booking::{find, value_after},
    house::{Browser, House},
};
use axum::http::StatusCode;
use domain::Role;
use sqlx::PgPool;

/// The practitioner and the first free time of the form.
async fn first_free(desk: &mut Browser) -> (String, String) {
    let form = desk.get("/appointments/new").await.body;
    let chosen = value_after(&form, "class=\"time\"").to_owned();
    let (at, practitioner) = chosen.split_once('~').expect("anybody who is free");
    (practitioner.to_owned(), at.to_owned())
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn an_appointment_is_moved_with_a_reason(pool: PgPool) {
    let house = House::new(pool).await;
    let mut desk = house.signed_in("Riverside", Role::Receptionist).await;
    let page = format!("/appointments/{}", house.appointment("Riverside"));
    let form = desk.get(&format!("{page}/move")).await.body;
    assert!(form.contains("name=\"date\" type=\"date\" value=\"2026-11-24\""), "{form}");
    let to = [("date", "2026-11-26"), ("time", "10:30"), ("reason", "The patient asked for another time")];
    let blank = desk.post(&format!("{page}/move"), &[to[0], to[1], ("reason", " ")]).await;
    assert_eq!(blank.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(blank.body.contains("Say why") && blank.body.contains("value=\"10:30\""), "what was typed is kept");
    let moved = desk.post(&format!("{page}/move"), &to).await;
    assert_eq!(moved.header("location"), page, "{}", moved.body);
    let shown = desk.get(&page).await.body;
    assert!(shown.contains("Thursday 26 November, 10:30") && shown.contains("The patient asked for another time"));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn any_minute_that_fits_is_taken_and_others_are_refused_with_the_nearest(pool: PgPool) {
    let house = House::new(pool).await;
    sqlx::query("update schedules set from_minute = 540, to_minute = 1020")
        .execute(&house.superuser)
        .await
        .expect("hours");
    let mut desk = house.signed_in("Riverside", Role::Receptionist).await;
    let page = format!("/appointments/{}/move", house.appointment("Riverside"));
    let to = |time| [("date", "2026-11-26"), ("time", time), ("reason", "Asked for it")];
    let late = desk.post(&page, &to("16:47")).await;
    assert_eq!(late.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(late.body.contains("or not for as long as the visit takes"), "{}", late.body);
    assert!(late.body.contains("The nearest free times: 15:30, 16:00 and 16:30."), "{}", late.body);
    let moved = desk.post(&page, &to("10:37")).await;
    assert_eq!(moved.status, StatusCode::SEE_OTHER, "{}", moved.body);

    let (practitioner, _) = first_free(&mut desk).await;
    let patient = find(&mut desk, "clarke").await;
    let typed =
        [("patient", &*patient), ("practitioner", &practitioner), ("date", "2026-11-27"), ("other_time", "09:12")];
    let booked = desk.post("/appointments", &typed).await;
    assert_eq!(booked.status, StatusCode::SEE_OTHER, "{}", booked.body);
    assert!(desk.get(booked.header("location")).await.body.contains("Friday 27 November, 09:12"));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn free_times_are_named_only_where_another_time_would_help(pool: PgPool) {
    let house = House::new(pool).await;
    let mut desk = house.signed_in("Riverside", Role::Receptionist).await;
    let patient = find(&mut desk, "santos 1961").await;
    let (one, _) = first_free(&mut desk).await;
    let mut other = String::new();
    for at in ["2026-11-26T10:00:00Z", "2026-11-27T10:00:00Z"] {
        let booked = desk.post("/appointments", &[("patient", &*patient), ("practitioner", &one), ("at", at)]).await;
        assert_eq!(booked.status, StatusCode::SEE_OTHER, "{}", booked.body);
        other = booked.header("location").to_owned();
    }
    let form = format!("{other}/move");
    let with: String = sqlx::query_scalar(
        "select o.practitioner_id::text from practitioner_visit_types o join appointments a using (visit_type_id)
         where a.id::text = $1 and o.practitioner_id <> a.practitioner_id",
    )
    .bind(other.rsplit('/').next())
    .fetch_one(&house.superuser)
    .await
    .expect("a colleague");
    let reason = ("reason", "Asked for it");
    let busy = [("date", "2026-11-26"), ("time", "10:00"), ("practitioner", &*with), reason];
    let far = [("date", "2030-11-26"), ("time", "10:00"), reason];
    for (typed, says) in [
        (&busy[..], "The patient has another appointment at"),
        (&far[..], "That day is too far ahead for this type of visit."),
    ] {
        let refused = desk.post(&form, typed).await;
        assert!(refused.body.contains(says), "{says}: {}", refused.body);
        for named in ["nearest free times", "Free on that day", "Nothing is free"] {
            assert!(!refused.body.contains(named), "{named}: {}", refused.body);
        }
    }
    let refused = desk.post(&form, &busy).await.body;
    assert!(refused.contains("Choose another time, or cancel the other appointment first."), "{refused}");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn times_are_said_by_the_patients_own_clock_where_it_shows_another(pool: PgPool) {
    let house = House::new(pool).await;
    let mut desk = house.signed_in("Riverside", Role::Receptionist).await;
    let page = format!("/appointments/new?date=2026-11-26&patient={}", find(&mut desk, "berg").await);
    for (zone, says) in [("Asia/Dubai", true), ("Europe/Lisbon", false)] {
        sqlx::query("update patients set time_zone = $1").bind(zone).execute(&house.superuser).await.expect("a zone");
        let form = desk.get(&page).await.body;
        assert_eq!(form.contains("what the patient’s clock shows (Dubai)"), says, "{zone}: {form}");
        assert_eq!(form.contains("14:00<span class=\"visually-hidden\"> for the patient</span>"), says, "{zone}");
    }
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_time_that_cannot_be_is_refused_in_words_and_nothing_typed_is_lost(pool: PgPool) {
    let house = House::new(pool).await;
    let mut desk = house.signed_in("Riverside", Role::Receptionist).await;
    let page = format!("/appointments/{}/move", house.appointment("Riverside"));
    let long = "x".repeat(10_000);
    for (date, time, reason, sentence) in [
        ("2027-03-28", "01:30", "Asked", "does not exist on that day: the clocks go forward"),
        ("2026-11-23", "10:00", "Asked", "has passed"),
        ("", "10:00", "Asked", "Choose the day."),
        ("2026-11-26", "half past ten", "Asked", "Write the time like 14:30."),
        ("2026-11-26", "10:30", &long, "at most 500 characters"),
        ("9999-12-31", "23:59", "Asked", "too far a"),
    ] {
        let answer = desk.post(&page, &[("date", date), ("time", time), ("reason", reason)]).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{date} {time}");
        assert!(answer.body.contains(sentence), "{date} {time}: {}", answer.body);
        assert!(answer.body.contains(&format!("value=\"{reason}\"")), "the reason is kept");
    }
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_series_with_conflicts_lists_them_and_is_booked_without(pool: PgPool) {
    let house = House::new(pool).await;
    let mut desk = house.signed_in("Riverside", Role::Receptionist).await;
    let (one, other) = (find(&mut desk, "santos 1961").await, find(&mut desk, "berg").await);
    let (practitioner, _) = first_free(&mut desk).await;
    let taken = desk
        .post("/appointments", &[("patient", &*one), ("practitioner", &practitioner), ("at", "2026-12-08T10:00:00Z")])
        .await;
    assert_eq!(taken.status, StatusCode::SEE_OTHER, "{}", taken.body);

    let mut fields = vec![("patient", &*other), ("practitioner", &practitioner), ("at", "2026-12-01T10:00:00Z")];
    fields.extend([("repeat", "weekly"), ("times", "3")]);
    let refused = desk.post("/appointments", &fields).await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.body);
    assert!(refused.body.contains("One visit of the series cannot be booked."), "{}", refused.body);
    assert!(refused.body.contains("Tuesday 8 December") && refused.body.contains("name=\"leave_out\""));
    assert!(refused.body.contains("Jonas Berg"), "the patient is kept");

    fields.push(("leave_out", "yes"));
    let booked = desk.post("/appointments", &fields).await;
    assert_eq!(booked.status, StatusCode::SEE_OTHER, "{}", booked.body);
    let shown = desk.get(booked.header("location")).await.body;
    assert!(shown.contains("Every week") && shown.contains("This one and those after it"), "{shown}");

    let cancel = format!("{}/cancel", booked.header("location"));
    desk.post(&cancel, &[("reason", "Moved away"), ("scope", "series")]).await;
    let left = "select count(*) from appointments where series_id is not null and state <> 'cancelled'";
    assert_eq!(house.count(left).await, 0, "the whole series");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_series_of_a_thousand_is_refused_in_words(pool: PgPool) {
    let house = House::new(pool).await;
    let mut desk = house.signed_in("Riverside", Role::Receptionist).await;
    let patient = find(&mut desk, "berg").await;
    for (times, sentence) in [("1000", "as a number"), ("61", "at most 60 visits"), ("often", "as a number")] {
        let fields = [("patient", &*patient), ("at", "2026-12-01T10:00:00Z"), ("repeat", "daily"), ("times", times)];
        let (practitioner, _) = first_free(&mut desk).await;
        let answer = desk.post("/appointments", &[&fields[..], &[("practitioner", &*practitioner)]].concat()).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(answer.body.contains(sentence), "{times}: {}", answer.body);
    }
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn beside_another_visit_only_with_a_reason_which_is_shown_with_a_name(pool: PgPool) {
    let house = House::new(pool).await;
    let mut desk = house.signed_in("Riverside", Role::Receptionist).await;
    let (one, other) = (find(&mut desk, "santos 1961").await, find(&mut desk, "berg").await);
    let (practitioner, _) = first_free(&mut desk).await;
    let at = "2026-11-27T10:00:00Z";
    desk.post("/appointments", &[("patient", &*one), ("practitioner", &*practitioner), ("at", at)]).await;
    let mut fields = vec![("patient", &*other), ("practitioner", &*practitioner), ("at", at)];
    let refused = desk.post("/appointments", &fields).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(refused.body.contains("<details class=\"more\" open"), "the way to overbook is shown");
    fields.push(("overbook", "Child in pain"));
    let booked = desk.post("/appointments", &fields).await;
    let shown = desk.get(booked.header("location")).await.body;
    assert!(shown.contains("Child in pain") && shown.contains("(Amira Khan)"), "{shown}");
    let day = desk.get("/desk?date=2026-11-27").await.body;
    assert!(day.contains("Overbooked: Child in pain") && day.contains("nr-2 of-2"), "beside each other");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_chosen_time_is_held_until_the_form_is_sent_or_left(pool: PgPool) {
    let house = House::new(pool).await;
    let mut desk = house.signed_in("Riverside", Role::Receptionist).await;
    let (practitioner, at) = first_free(&mut desk).await;
    let chosen = [("practitioner", &*practitioner), ("at", &*at)];
    let held = desk.post("/appointments/hold", &chosen).await.body;
    assert!(held.contains("Held for you until"), "{held}");
    let hold = value_after(&held, "name=\"hold\"").to_owned();
    assert!(desk.get("/desk").await.body.contains("being booked by Amira Khan"), "every desk sees it");
    let elsewhere = desk.post("/appointments/hold", &chosen).await.body;
    assert!(elsewhere.contains("has just been taken"), "nobody else gets it: {elsewhere}");
    let again = desk.post("/appointments/hold", &[chosen[0], chosen[1], ("hold", &hold)]).await.body;
    let hold = value_after(&again, "name=\"hold\"").to_owned();

    let patient = find(&mut desk, "berg").await;
    let fields = [chosen[0], chosen[1], ("hold", &*hold), ("patient", &*patient)];
    let form = desk.post("/appointments/new", &fields).await.body;
    assert!(form.contains(&format!("value=\"{at}\" checked")), "what is held stays chosen");
    let booked = desk.post("/appointments", &fields).await;
    assert_eq!(booked.status, StatusCode::SEE_OTHER, "{}", booked.body);
    assert_eq!(house.count("select count(*) from holds").await, 0);

    let (practitioner, at) = first_free(&mut desk).await;
    let held = desk.post("/appointments/hold", &[("practitioner", &*practitioner), ("at", &*at)]).await.body;
    let hold = value_after(&held, "name=\"hold\"").to_owned();
    assert_eq!(desk.post("/appointments/hold/release", &[("hold", &hold)]).await.status, StatusCode::NO_CONTENT);
    assert_eq!(house.count("select count(*) from holds").await, 0);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_hold_that_has_run_out_does_not_refuse_a_time_that_is_free(pool: PgPool) {
    let house = House::new(pool).await;
    let mut desk = house.signed_in("Riverside", Role::Receptionist).await;
    let (practitioner, at) = first_free(&mut desk).await;
    let held = desk.post("/appointments/hold", &[("practitioner", &*practitioner), ("at", &*at)]).await.body;
    let hold = value_after(&held, "name=\"hold\"").to_owned();
    desk.post("/appointments/hold/release", &[("hold", &hold)]).await;
    let patient = find(&mut desk, "berg").await;
    let fields = [("practitioner", &*practitioner), ("at", &*at), ("hold", &*hold), ("patient", &*patient)];
    assert_eq!(desk.post("/appointments", &fields).await.status, StatusCode::SEE_OTHER);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_walk_in_joins_the_queue_of_today(pool: PgPool) {
    let house = House::new(pool).await;
    let mut desk = house.signed_in("Riverside", Role::Receptionist).await;
    let form = desk.get("/walk-in").await.body;
    let practitioner = value_after(&form, "id=\"practitioner\"").to_owned();
    let nobody = desk.post("/walk-in", &[("practitioner", &practitioner)]).await;
    assert_eq!(nobody.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(nobody.body.contains("Find the patient first."));
    let joined = desk.post("/walk-in", &[("practitioner", &*practitioner), ("q", "clarke")]).await;
    assert_eq!(joined.header("location"), "/desk", "{}", joined.body);
    let day = desk.get("/desk").await.body;
    let waiting = day.split("id=\"waiting-heading\"").nth(1).expect("who waits");
    assert!(waiting.contains("Edith Clarke") && waiting.contains("Walk-in"), "{waiting}");
}
