//! Whatever is typed at the desk that cannot be: a sentence for the person, a code for the program, a request id for the log, and
//! everything is still in the form.

use crate::{
    booking::{find, value_after},
    house::{Answer, Browser, House},
};
use axum::http::StatusCode;
use domain::Role;
use sqlx::PgPool;

/// What is pressed or chosen from a list, and so stands in no field.
const CHOSEN: [&str; 4] = ["do", "at", "patient", "kind"];

type Fields<'a> = Vec<(&'a str, &'a str)>;

/// Riverside in London, and its desk.
async fn desk(pool: PgPool) -> (House, Browser) {
    let house = House::new(pool).await;
    let desk = house.signed_in("Riverside", Role::Receptionist).await;
    (house, desk)
}

/// Sends a form and sees it refused: with this code, and with every field as it was typed.
async fn is_refused(desk: &mut Browser, path: &str, fields: &[(&str, &str)], code: &str) -> Answer {
    let answer = desk.post(path, fields).await;
    let what = format!("{path} {code} {}", answer.body);
    assert!(answer.status.is_client_error(), "{}: {what}", answer.status);
    assert_eq!(answer.header("x-request-id").len(), 36, "the log can be asked: {what}");
    let notice = answer.body.split("role=\"alert\"").nth(1).unwrap_or_else(|| panic!("a notice: {what}"));
    assert!(notice.starts_with(&format!(" data-code=\"{code}\"")), "{what}");
    for (name, typed) in fields.iter().filter(|(name, typed)| !typed.is_empty() && !CHOSEN.contains(name)) {
        assert!(answer.body.contains(&format!("value=\"{typed}\"")), "{name} is still there: {what}");
    }
    answer
}

/// `usual` with some fields typed otherwise.
fn but<'a>(usual: &Fields<'a>, different: &[(&'a str, &'a str)]) -> Fields<'a> {
    let mut fields = usual.clone();
    fields.retain(|(name, _)| !different.iter().any(|(other, _)| other == name));
    fields.extend(different);
    fields
}

/// What every form of the desk is filled in with when nothing is wrong.
struct Usual {
    patient: String,
    practitioner: String,
    visit_type: String,
    appointment: String,
}

impl Usual {
    async fn of(house: &House, desk: &mut Browser) -> Self {
        let form = desk.get("/appointments/new").await.body;
        let (_, with) = value_after(&form, "class=\"time\"").split_once('~').expect("anybody who is free");
        Self {
            patient: find(desk, "berg").await,
            practitioner: with.to_owned(),
            visit_type: value_after(&form, "id=\"visit-type\"").to_owned(),
            appointment: format!("/appointments/{}", house.appointment("Riverside")),
        }
    }

    fn booking(&self) -> Fields<'_> {
        let Self { patient, practitioner, visit_type, .. } = self;
        vec![
            ("patient", patient),
            ("practitioner", practitioner),
            ("visit_type", visit_type),
            ("at", "2026-11-26T10:00:00Z"),
            ("times", "4"),
        ]
    }

    fn moving(&self) -> Fields<'_> {
        vec![
            ("date", "2026-11-26"),
            ("time", "10:30"),
            ("practitioner", &self.practitioner),
            ("reason", "Asked for it"),
        ]
    }

    fn waiting(&self) -> Fields<'_> {
        vec![
            ("patient", &self.patient),
            ("visit_type", &self.visit_type),
            ("practitioner", &self.practitioner),
            ("from_date", "2026-11-24"),
            ("to_date", "2026-12-08"),
            ("from_time", "09:00"),
            ("to_time", "12:00"),
            ("note", "Can come at short notice"),
        ]
    }

    fn schedule(&self, of: &str) -> String {
        format!("/schedules/{}/{of}", self.practitioner)
    }

    fn walking_in(&self) -> Fields<'_> {
        vec![("patient", &self.patient), ("practitioner", &self.practitioner), ("visit_type", &self.visit_type)]
    }
}

fn leave() -> Fields<'static> {
    vec![
        ("do", "save"),
        ("kind", "closed"),
        ("from_date", "2027-03-28"),
        ("time_zone", "Europe/London"),
        ("reason", "A conference"),
    ]
}

fn hours() -> Fields<'static> {
    vec![
        ("do", "save"),
        ("weekday", "2"),
        ("from", "09:00"),
        ("to", "12:00"),
        ("slot_minutes", "30"),
        ("time_zone", "Europe/London"),
        ("every_weeks", "1"),
    ]
}

fn visit_type() -> Fields<'static> {
    let [none, two_hours] = ["0", "120"];
    vec![
        ("name", "Second opinion"),
        ("minutes", "25"),
        ("buffer_before_minutes", none),
        ("buffer_after_minutes", none),
        ("min_notice_minutes", none),
        ("horizon_days", "90"),
        ("cancel_notice_minutes", two_hours),
    ]
}

fn patient() -> Fields<'static> {
    vec![
        ("name", "Ada Okafor"),
        ("birth_date", "2/11/1990"),
        ("phone", "+44 20 7946 0230"),
        ("email", "ada@okafor.example"),
    ]
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_time_that_does_not_exist(pool: PgPool) {
    let (house, mut desk) = desk(pool).await;
    let usual = Usual::of(&house, &mut desk).await;
    let skipped = [("date", "2027-03-28"), ("other_time", "01:30"), ("at", "")];
    let booking = is_refused(&mut desk, "/appointments", &but(&usual.booking(), &skipped), "no-such-time").await;
    assert!(booking.body.contains("does not exist on that day: the clocks go forward"));
    let to = but(&usual.moving(), &[("date", "2027-03-28"), ("time", "01:30")]);
    is_refused(&mut desk, &format!("{}/move", usual.appointment), &to, "no-such-time").await;
    is_refused(&mut desk, "/waitlist", &but(&usual.waiting(), &[("from_time", "25:00")]), "no-such-time").await;
    is_refused(&mut desk, "/waitlist", &but(&usual.waiting(), &[("to_date", "2026-02-30")]), "no-such-time").await;
    let away = but(&leave(), &[("from_time", "01:30")]);
    is_refused(&mut desk, &usual.schedule("exceptions"), &away, "no-such-time").await;
    is_refused(&mut desk, "/schedules/holidays", &but(&leave(), &[("from_date", "2027-02-30")]), "no-such-time").await;
    is_refused(&mut desk, &usual.schedule("rules"), &but(&hours(), &[("from", "25:00")]), "no-such-time").await;
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_slot_in_the_past(pool: PgPool) {
    let (house, mut desk) = desk(pool).await;
    let usual = Usual::of(&house, &mut desk).await;
    let past = but(&usual.booking(), &[("at", "2026-11-23T10:00:00Z")]);
    let booking = is_refused(&mut desk, "/appointments", &past, "in-the-past").await;
    assert_eq!(booking.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(booking.body.contains("10:00 has passed.") && booking.body.contains("Jonas Berg"));
    let to = but(&usual.moving(), &[("date", "2026-11-23")]);
    is_refused(&mut desk, &format!("{}/move", usual.appointment), &to, "in-the-past").await;
    let away = but(&leave(), &[("from_date", "2020-01-01")]);
    is_refused(&mut desk, &usual.schedule("exceptions"), &away, "in-the-past").await;
    is_refused(&mut desk, "/schedules/holidays", &away, "in-the-past").await;
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn an_end_before_its_start(pool: PgPool) {
    let (house, mut desk) = desk(pool).await;
    let usual = Usual::of(&house, &mut desk).await;
    let code = "ends-before-it-begins";
    is_refused(&mut desk, "/waitlist", &but(&usual.waiting(), &[("to_date", "2026-11-23")]), code).await;
    is_refused(&mut desk, "/waitlist", &but(&usual.waiting(), &[("to_time", "08:00")]), code).await;
    let away = but(&leave(), &[("to_date", "2027-03-27")]);
    is_refused(&mut desk, &usual.schedule("exceptions"), &away, code).await;
    is_refused(&mut desk, "/schedules/holidays", &away, code).await;
    is_refused(&mut desk, &usual.schedule("rules"), &but(&hours(), &[("to", "08:00")]), code).await;
    let dates = [("valid_from", "2027-01-04"), ("valid_to", "2027-01-03")];
    is_refused(&mut desk, &usual.schedule("rules"), &but(&hours(), &dates), code).await;
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_patient_of_another_clinic(pool: PgPool) {
    let (house, mut desk) = desk(pool).await;
    let usual = Usual::of(&house, &mut desk).await;
    let mut neighbour = house.signed_in("Harbour", Role::Receptionist).await;
    let foreign = find(&mut neighbour, "kessler").await;
    let theirs: [(&str, &str); 1] = [("patient", &foreign)];
    let nobody = "no-such-patient";
    for (path, fields) in
        [("/appointments", usual.booking()), ("/walk-in", usual.walking_in()), ("/waitlist", usual.waiting())]
    {
        let told = is_refused(&mut desk, path, &but(&fields, &theirs), nobody).await;
        assert!(!told.body.contains("Kessler"), "nothing is told of who is not ours");
    }
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_name_of_ten_thousand_characters_and_one_that_is_no_text(pool: PgPool) {
    let (house, mut desk) = desk(pool).await;
    let usual = Usual::of(&house, &mut desk).await;
    let page = &usual.appointment;
    for name in ["x".repeat(10_000), "Ada\0Okafor".to_owned()] {
        let name: &str = &name;
        is_refused(&mut desk, "/patients", &but(&patient(), &[("name", name)]), "invalid").await;
        is_refused(&mut desk, "/visit-types", &but(&visit_type(), &[("name", name)]), "invalid").await;
        is_refused(&mut desk, "/waitlist", &but(&usual.waiting(), &[("note", name)]), "invalid").await;
        is_refused(&mut desk, &format!("{page}/move"), &but(&usual.moving(), &[("reason", name)]), "invalid").await;
        is_refused(&mut desk, &format!("{page}/cancel"), &[("reason", name)], "invalid").await;
        is_refused(&mut desk, &usual.schedule("exceptions"), &but(&leave(), &[("reason", name)]), "invalid").await;
        is_refused(&mut desk, "/schedules/holidays", &but(&leave(), &[("reason", name)]), "invalid").await;
        is_refused(&mut desk, "/appointments", &but(&usual.booking(), &[("overbook", name)]), "invalid").await;
        let sought = [("q", name), ("patient", "")];
        for (path, fields) in
            [("/appointments", usual.booking()), ("/walk-in", usual.walking_in()), ("/waitlist", usual.waiting())]
        {
            is_refused(&mut desk, path, &but(&fields, &sought), "no-such-patient").await;
        }
        let searched = desk.post("/patients/search", &[("q", name)]).await;
        assert!(searched.status == StatusCode::OK && searched.body.contains("Nobody found"), "{}", searched.body);
        assert_eq!(desk.post("/patients/find", &[("q", name)]).await.status, StatusCode::OK);
    }
    assert_eq!(house.count("select count(*) from waitlist_entries").await, 0);
    assert_eq!(house.count("select count(*) from schedule_exceptions").await, 0);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_zone_that_nobody_knows(pool: PgPool) {
    let (house, mut desk) = desk(pool).await;
    let usual = Usual::of(&house, &mut desk).await;
    for zone in ["Atlantis/Capital", "../../etc/passwd", "Europe/London\0"] {
        let nowhere = [("time_zone", zone)];
        is_refused(&mut desk, &usual.schedule("rules"), &but(&hours(), &nowhere), "no-such-zone").await;
        is_refused(&mut desk, &usual.schedule("exceptions"), &but(&leave(), &nowhere), "no-such-zone").await;
        let holiday = is_refused(&mut desk, "/schedules/holidays", &but(&leave(), &nowhere), "no-such-zone").await;
        assert!(holiday.body.contains("No time zone of this name is known."));
    }
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_calendar_of_a_thousand_practitioners(pool: PgPool) {
    let (house, mut desk) = desk(pool).await;
    sqlx::query(
        "insert into practitioners (id, clinic_id, title, given_name, family_name, speciality)
         select gen_random_uuid(), c.id, 'Dr', 'Number', 'N' || lpad(n::text, 4, '0'), 'General practice'
         from clinics c, generate_series(1, 998) n where c.name like 'Riverside%'",
    )
    .execute(&house.superuser)
    .await
    .expect("practitioners");
    let first = desk.get("/desk").await.body;
    assert!(first.contains("Practitioners 1 to 50 of 1000. Choose one to see nobody else."), "{first}");
    assert_eq!(first.matches("class=\"calendar-column").count(), 50);
    let last = desk.get("/desk?page=20").await.body;
    assert!(last.contains("951 to 1000 of 1000") && last.matches("class=\"calendar-column").count() == 50);
    let beyond = desk.get("/desk?page=9999").await;
    assert_eq!(beyond.status, StatusCode::OK);
    let week = desk.get("/desk/week").await.body;
    assert_eq!(week.matches("<th scope=\"row\"").count(), 50);
    for page in ["/appointments/new", "/waitlist", "/walk-in", "/schedules", "/visit-types"] {
        assert_eq!(desk.get(page).await.status, StatusCode::OK, "{page}");
    }
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn what_others_did_first_has_the_name_that_programs_know(pool: PgPool) {
    let (house, mut desk) = desk(pool).await;
    let usual = Usual::of(&house, &mut desk).await;
    let other = find(&mut desk, "santos 1961").await;
    let booked = desk.post("/appointments", &usual.booking()).await;
    assert_eq!(booked.status, StatusCode::SEE_OTHER, "{}", booked.body);
    let page = booked.header("location").to_owned();
    let same = but(&usual.booking(), &[("patient", &other)]);
    let taken = is_refused(&mut desk, "/appointments", &same, "slot-taken").await;
    assert_eq!(taken.status, StatusCode::CONFLICT);
    let weekly = but(&usual.booking(), &[("patient", &other), ("repeat", "weekly"), ("at", "2026-11-26T10:00:00Z")]);
    is_refused(&mut desk, "/appointments", &weekly, "series-conflicts").await;
    let to = but(&usual.moving(), &[("time", "10:00")]);
    is_refused(&mut desk, &format!("{}/move", usual.appointment), &to, "slot-taken").await;
    assert_eq!(desk.post(&format!("{page}/cancel"), &[("reason", "Feeling better")]).await.header("location"), page);
    let again = desk.post(&format!("{page}/cancel"), &[("reason", "Once more")]).await;
    assert!(again.status == StatusCode::CONFLICT && again.body.contains("data-code=\"wrong-state\""));
    is_refused(&mut desk, &format!("{page}/move"), &usual.moving(), "wrong-state").await;
    is_refused(&mut desk, &format!("{page}/undo-missed"), &[("reason", "")], "invalid").await;
    let missing = desk.get("/appointments/5b6fd1f3-6d0f-4f6e-9f0e-3d7c0f1f2a4b").await;
    assert!(missing.status == StatusCode::NOT_FOUND && missing.body.contains("data-code=\"not-found\""));
}
