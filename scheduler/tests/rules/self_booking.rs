//! Patients book themselves: what is kept, who is recognized, what two of them may not both have.

use crate::house::{House, at};
use domain::{Redacted, SelfBookingId};
use scheduler::{
    Mailer, SchedulerConfig, Texts, WebhookSender, run,
    self_booking::{self, ApplicantForm, BeginError, Choice, ConfirmError, RequestError, Visitor},
};
use sqlx::PgPool;
use std::sync::Arc;

impl House {
    /// Patients of Riverside may book its visits by themselves.
    async fn is_open_to_all(&self) {
        self.tell("update visit_types set is_public = true").await;
    }

    async fn tell(&self, sql: &'static str) {
        sqlx::query(sql).execute(&self.superuser).await.expect("the superuser may");
    }

    async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.superuser).await.expect("a count")
    }

    async fn begins(&self, time: &str, from: &str) -> Result<SelfBookingId, BeginError> {
        let clinic = &self.riverside;
        let visitor = Visitor { clinic: clinic.id, from };
        let types = self_booking::public_visit_types(&self.db, clinic.id).await?;
        let visit_type = types.first().ok_or(BeginError::NotOffered)?.id;
        let choice = Choice { visit_type, practitioner: clinic.practitioner, starts_at: at(time) };
        self_booking::begin(&self.db, &self.clock, &self.random, visitor, choice, None).await
    }

    async fn asks(&self, id: SelfBookingId, form: &ApplicantForm) -> Result<(), RequestError> {
        let visitor = Visitor { clinic: self.riverside.id, from: "192.0.2.7" };
        let key = &self.keys.self_booking;
        self_booking::request(&self.db, &self.clock, &self.random, key, visitor, id, form).await
    }

    /// The token of the newest link.
    async fn token(&self) -> Redacted<String> {
        let newest = "select path from outbox where kind = 'self_booking' order by written_at desc, id limit 1";
        let path: String = sqlx::query_scalar(newest).fetch_one(&self.superuser).await.expect("a message");
        Redacted::new(path.trim_start_matches("/bookings/").to_owned())
    }

    async fn confirms(&self, token: &Redacted<String>) -> Result<domain::AppointmentId, ConfirmError> {
        let key = &self.keys.self_booking;
        self_booking::confirm(&self.db, &self.clock, &self.random, key, token.expose()).await
    }

    async fn purge(&self) {
        let carriers = self.carriers(Mailer::Nowhere, Texts::Nowhere);
        let config = SchedulerConfig {
            db: self.db.clone(),
            clock: Arc::new(self.clock.clone()),
            carriers,
            webhooks: WebhookSender::new().expect("certificates"),
            offer_link: self.keys.offer_link.clone(),
            announce: run::to_nobody(),
        };
        run::purge(&config).await.expect("a round");
    }

    async fn chooses_and_asks(&self, time: &str, form: &ApplicantForm) -> Redacted<String> {
        let id = self.begins(time, "192.0.2.7").await.expect("a free time");
        self.asks(id, form).await.expect("a link");
        self.clock.advance(jiff::SignedDuration::from_secs(1));
        self.token().await
    }
}

fn form(name: &str, email: &str, phone: &str) -> ApplicantForm {
    ApplicantForm {
        name: name.to_owned(),
        birth_date: "14/03/1961".to_owned(),
        email: email.to_owned(),
        phone: phone.to_owned(),
        ..ApplicantForm::default()
    }
}

const PATIENTS: &str = "select count(*) from patients";

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_held_time_is_nobody_elses(pool: PgPool) {
    let house = House::new(pool).await;
    house.is_open_to_all().await;
    house.begins("10:00", "192.0.2.7").await.expect("a free time");
    assert!(matches!(house.begins("10:00", "192.0.2.8").await, Err(BeginError::Taken)));
    assert!(house.book(0, at("10:00")).await.is_err(), "nor the desk's");
    assert!(matches!(house.begins("07:00", "192.0.2.7").await, Err(BeginError::NotAFreeTime)), "before hours");
    assert!(matches!(house.begins("08:30", "192.0.2.7").await, Err(BeginError::NotAFreeTime)), "in the past");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_type_that_is_not_public_cannot_be_held(pool: PgPool) {
    let house = House::new(pool).await;
    house.is_open_to_all().await;
    house.begins("10:00", "192.0.2.7").await.expect("a free time");
    let id = self_booking::public_visit_types(&house.db, house.riverside.id).await.expect("types")[0].id;
    house.tell("update visit_types set is_public = false").await;
    let visitor = Visitor { clinic: house.riverside.id, from: "192.0.2.7" };
    let choice = Choice { visit_type: id, practitioner: house.riverside.practitioner, starts_at: at("11:00") };
    let refused = self_booking::begin(&house.db, &house.clock, &house.random, visitor, choice, None).await;
    assert!(matches!(refused, Err(BeginError::NotOffered)));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_known_patient_is_recognized_by_name_date_of_birth_and_the_address_reached(pool: PgPool) {
    let house = House::new(pool).await;
    house.is_open_to_all().await;
    let before = house.count(PATIENTS).await;
    let known = [form("maría  SANTOS", "PATIENT@patients.example", ""), form("Maria Santos", "", "020 7946 0211")];
    for (time, form) in ["10:00", "11:00"].into_iter().zip(&known) {
        let token = house.chooses_and_asks(time, form).await;
        house.confirms(&token).await.expect("a visit");
    }
    assert_eq!(house.count(PATIENTS).await, before, "it is her both times");
    let of_one = "select count(distinct patient_id) from appointments where source = 'self'";
    assert_eq!(house.count(of_one).await, 1);

    // Whoever types the number of another, but reads the link at an address of their own, is somebody else.
    let token = house.chooses_and_asks("12:00", &form("Maria Santos", "eve@example.org", "020 7946 0211")).await;
    house.confirms(&token).await.expect("a visit");
    assert_eq!(house.count(PATIENTS).await, before + 1);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_link_pressed_many_times_at_once_books_once(pool: PgPool) {
    let house = House::new(pool).await;
    house.is_open_to_all().await;
    let token = house.chooses_and_asks("10:00", &form("Ada Okafor", "ada@okafor.example", "")).await;
    let before = house.count(PATIENTS).await;
    let presses = tokio::join!(
        house.confirms(&token),
        house.confirms(&token),
        house.confirms(&token),
        house.confirms(&token),
        house.confirms(&token),
    );
    let all = [presses.0, presses.1, presses.2, presses.3, presses.4];
    assert_eq!(all.iter().filter(|one| one.is_ok()).count(), 1);
    let rest = all.iter().filter(|one| matches!(one, Err(ConfirmError::Booked(_)))).count();
    assert_eq!((rest, house.count(PATIENTS).await), (4, before + 1));
    assert!(house.actions().await.contains(&"appointment.booked".to_owned()));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_visit_that_cannot_be_booked_adds_nobody(pool: PgPool) {
    let house = House::new(pool).await;
    house.is_open_to_all().await;
    let token = house.chooses_and_asks("10:00", &form("Ada Okafor", "ada@okafor.example", "")).await;
    house.tell("update holds set expires_at = now() - interval '1 second'").await;
    house.book(0, at("10:00")).await.expect("a free slot");
    let before = house.count(PATIENTS).await;
    assert!(matches!(house.confirms(&token).await, Err(ConfirmError::TimeGone)));
    assert_eq!(house.count(PATIENTS).await, before);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_patient_is_not_booked_twice_at_one_time(pool: PgPool) {
    let house = House::new(pool).await;
    house.is_open_to_all().await;
    let token = house.chooses_and_asks("10:00", &form("Maria Santos", "patient@patients.example", "")).await;
    let colleague = scheduler::BookRequest::new(
        house.riverside.patients[0],
        house.riverside.colleague_practitioner,
        self_booking::public_visit_types(&house.db, house.riverside.id).await.expect("types")[0].id,
        at("10:00"),
    );
    scheduler::book(&house.db, &house.clock, &house.random, &house.riverside.receptionist, colleague)
        .await
        .expect("the colleague is free");
    assert!(matches!(house.confirms(&token).await, Err(ConfirmError::PatientBusy)));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn messages_are_limited_by_address_and_times_by_where_one_comes_from(pool: PgPool) {
    let house = House::new(pool).await;
    house.is_open_to_all().await;
    let id = house.begins("10:00", "192.0.2.7").await.expect("a free time");
    for _ in 0..3 {
        house.asks(id, &form("Ada Okafor", "ada@okafor.example", "")).await.expect("a link");
    }
    let again = house.asks(id, &form("Ada Okafor", "ADA@okafor.example", "")).await;
    assert!(matches!(again, Err(RequestError::TooMany)));
    house.clock.advance(jiff::SignedDuration::from_mins(61));
    house.asks(id, &form("Ada Okafor", "ada@okafor.example", "")).await.expect("an hour later again");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn what_was_never_confirmed_is_forgotten_after_a_day(pool: PgPool) {
    let house = House::new(pool).await;
    house.is_open_to_all().await;
    house.chooses_and_asks("10:00", &form("Ada Okafor", "ada@okafor.example", "")).await;
    let rows = "select count(*) from self_bookings";
    house.purge().await;
    assert_eq!(house.count(rows).await, 1);
    house.clock.advance(jiff::SignedDuration::from_hours(25));
    house.purge().await;
    assert_eq!(house.count(rows).await, 0);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn another_clinics_public_page_knows_nothing_of_it(pool: PgPool) {
    let house = House::new(pool).await;
    house.is_open_to_all().await;
    let id = house.begins("10:00", "192.0.2.7").await.expect("a free time");
    assert!(self_booking::find(&house.db, house.harbour.id, id).await.expect("a query").is_none());
    assert!(self_booking::find(&house.db, house.riverside.id, id).await.expect("a query").is_some());
}
