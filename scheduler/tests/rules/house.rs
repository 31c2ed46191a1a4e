//! Two small clinics to play in, and the people who act in them.

use domain::{
    AccountId, Actor, AppointmentId, ClinicId, EncounterId, PatientId, PractitionerId, Redacted, ResourceId, Role,
    VisitTypeId, Who,
};
use jiff::{SignedDuration, Timestamp};
use scheduler::{
    AppointmentView, BookError, BookRequest, Carriers, Links, Mailer, NewPatient, SlotSearch, Texts,
    messages::{Channel, Mail, deliver_due},
};
use service::{clock::ManualClock, keys::Keys, postgres::Db, random::SeededRandom};
use sqlx::PgPool;
use std::{sync::Arc, time::Duration};
use uuid::Uuid;

/// Both clinics, the database as services see it and as its superuser does.
pub struct House {
    pub db: Db,
    pub superuser: PgPool,
    pub clock: ManualClock,
    pub random: SeededRandom,
    pub keys: Keys,
    pub riverside: Clinic,
    pub harbour: Clinic,
}

/// A clinic with two practitioners, who work from eight to six.
pub struct Clinic {
    pub id: ClinicId,
    pub receptionist: Actor,
    pub doctor: Actor,
    pub practitioner: PractitionerId,
    pub colleague: Actor,
    pub colleague_practitioner: PractitionerId,
    /// Half an hour, which both offer.
    pub consultation: VisitTypeId,
    pub patients: Vec<PatientId>,
}

/// The present at the beginning of each test: nine o'clock on a Tuesday in London.
pub const NINE: &str = "2026-11-24T09:00:00Z";

/// Far longer than anything takes that a test waits for, so that the test ends.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A time of that day.
pub fn at(time: &str) -> Timestamp {
    format!("2026-11-24T{time}:00Z").parse().expect("a time of the day")
}

impl House {
    pub async fn new(pool: PgPool) -> Self {
        // The process that shows the page picks the provider; here it is the test.
        let db = Db::over((*pool.connect_options()).clone(), 20);
        let random = SeededRandom::new(7);
        let clock = ManualClock::at(NINE.parse().expect("a timestamp"));
        let secret = Redacted::new("a secret of at least thirty-two bytes".to_owned());
        let keys = Keys::derive(&secret).expect("a long secret");
        let riverside = Clinic::new(&pool, &db, &clock, &random, "riverside").await;
        let harbour = Clinic::new(&pool, &db, &clock, &random, "harbour").await;
        Self { db, superuser: pool, clock, random, keys, riverside, harbour }
    }

    /// The receptionist of Riverside books Dr One for a patient.
    pub async fn book(&self, patient: usize, starts_at: Timestamp) -> Result<AppointmentId, BookError> {
        self.send(self.request(patient, starts_at)).await
    }

    /// What the receptionist would ask for to book Dr One for a patient.
    pub fn request(&self, patient: usize, starts_at: Timestamp) -> BookRequest {
        let clinic = &self.riverside;
        BookRequest::new(clinic.patients[patient], clinic.practitioner, clinic.consultation, starts_at)
    }

    /// The receptionist of Riverside sends a request.
    pub async fn send(&self, request: BookRequest) -> Result<AppointmentId, BookError> {
        scheduler::book(&self.db, &self.clock, &self.random, &self.riverside.receptionist, request).await
    }

    /// An appointment as the desk sees it.
    pub async fn view(&self, id: AppointmentId) -> AppointmentView {
        let view = scheduler::glance(&self.db, &self.riverside.receptionist, id).await.expect("a read");
        view.expect("an appointment")
    }

    /// Another patient of Riverside.
    pub async fn another_patient(&self, number: usize) -> PatientId {
        let new =
            NewPatient { name: format!("Racer {number}"), birth_date: "1990-01-01".to_owned(), ..Default::default() };
        let desk = &self.riverside.receptionist;
        scheduler::add_patient(&self.db, &self.clock, &self.random, desk, new).await.expect("a complete patient")
    }

    /// When Dr One is free for a consultation from now until the end of the next day.
    pub async fn free(&self) -> Vec<Timestamp> {
        let search = SlotSearch {
            practitioners: vec![self.riverside.practitioner],
            visit_type: self.riverside.consultation,
            from: at("00:00"),
            to: at("00:00") + SignedDuration::from_hours(48),
            language: None,
            time_of_day: None,
            zone: None,
            after: None,
            limit: 100,
        };
        let slots = scheduler::find_slots(&self.db, &self.clock, &self.riverside.receptionist, &search).await;
        slots.expect("slots").iter().map(|slot| slot.starts_at).collect()
    }

    /// The patient of an appointment, who came by its link.
    pub fn patient(&self, patient: usize, appointment: AppointmentId) -> Actor {
        let id = self.riverside.patients[patient];
        Actor { clinic: self.riverside.id, who: Who::Patient { id, appointment } }
    }

    /// Books half past nine for the first patient, who arrives.
    pub async fn arrived(&self) -> AppointmentId {
        let id = self.book(0, at("09:30")).await.expect("a free slot");
        scheduler::arrive(&self.db, &self.clock, &self.patient(0, id), id).await.expect("in time");
        id
    }

    /// Books, arrives and admits the first patient.
    pub async fn admitted(&self) -> (AppointmentId, EncounterId) {
        let id = self.arrived().await;
        let admitted = scheduler::admit(&self.db, &self.clock, &self.random, &self.riverside.doctor, id).await;
        (id, admitted.expect("a waiting patient"))
    }

    /// What messages are sent with, from a house at `https://bedside.example`.
    pub fn carriers(&self, email: Mailer, texts: Texts) -> Carriers {
        let public_url = "https://bedside.example".parse().expect("an address");
        let links = Links { public_url, key: self.keys.visit_link.clone() };
        Carriers::new(email, texts, links, "Riverside <visits@riverside.example>").expect("a sender")
    }

    /// One round of Riverside's outbox, e-mail and text messages; says how many were sent.
    pub async fn delivers(&self, carriers: &Carriers) -> usize {
        let mut sent = 0;
        for channel in [Channel::Email, Channel::Sms] {
            let round = deliver_due(&self.db, &self.clock, carriers, self.riverside.id, channel).await;
            sent += round.expect("a round");
        }
        sent
    }

    /// Ten workers deliver at once; says how many messages they sent.
    pub async fn workers_race(self: &Arc<Self>, carriers: &Carriers) -> usize {
        let rounds: Vec<_> = (0..10)
            .map(|_| {
                let (house, carriers) = (self.clone(), carriers.clone());
                tokio::spawn(async move { house.delivers(&carriers).await })
            })
            .collect();
        let mut sent = 0;
        for round in rounds {
            sent += round.await.expect("a round ends");
        }
        sent
    }

    /// What transactions of this house wait for, once so many wait for a lock.
    pub async fn waiting(&self, count: usize) -> Vec<String> {
        let sql = "select wait_event from pg_stat_activity
                   where datname = current_database() and wait_event_type = 'Lock' order by wait_event";
        let until = async {
            loop {
                let waits: Vec<String> = sqlx::query_scalar(sql).fetch_all(&self.superuser).await.expect("a read");
                if waits.len() == count {
                    return waits;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, until).await.expect("they come to wait")
    }

    /// A round into the demo's mailbox, and what was new there, oldest first, an e-mail before its text message.
    pub async fn mails(&self) -> Vec<Mail> {
        let desk = &self.riverside.receptionist;
        let before: Vec<_> =
            scheduler::mailbox(&self.db, desk).await.expect("a read").into_iter().map(|mail| mail.id).collect();
        self.delivers(&self.carriers(Mailer::Mailbox, Texts::Mailbox)).await;
        let mut mails = scheduler::mailbox(&self.db, desk).await.expect("a read");
        mails.retain(|mail| !before.contains(&mail.id));
        mails.sort_by_key(|mail| (mail.delivered_at, mail.channel == Channel::Sms));
        mails
    }

    /// The actions of Riverside's history, oldest first.
    pub async fn actions(&self) -> Vec<String> {
        sqlx::query_scalar("select action from audit_events where clinic_id = $1 order by sequence")
            .bind(self.riverside.id.0)
            .fetch_all(&self.superuser)
            .await
            .expect("the superuser reads the history")
    }
}

impl Clinic {
    async fn new(pool: &PgPool, db: &Db, clock: &ManualClock, random: &SeededRandom, name: &str) -> Self {
        let id = ClinicId(Uuid::new_v5(&Uuid::NAMESPACE_DNS, name.as_bytes()));
        sqlx::query("insert into clinics (id, name, time_zone, phone) values ($1, $2, 'Europe/London', '1')")
            .bind(id.0)
            .bind(name)
            .execute(pool)
            .await
            .expect("a clinic");
        let consultation = visit_type(pool, id, "Consultation", 30).await;
        let receptionist = account(pool, id, &format!("desk@{name}.example"), Role::Receptionist, None).await;
        let practitioner = practitioner(pool, id, "One", consultation).await;
        let colleague_practitioner = self::practitioner(pool, id, "Two", consultation).await;
        let [one, two] = ["one", "two"].map(|who| format!("{who}@{name}.example"));
        let doctor = account(pool, id, &one, Role::Practitioner, Some(practitioner)).await;
        let colleague = account(pool, id, &two, Role::Practitioner, Some(colleague_practitioner)).await;
        let mut patients = Vec::new();
        for name in ["Maria Santos", "Tomás Rey", "Grace Obi"] {
            let new = NewPatient {
                name: name.to_owned(),
                birth_date: "14/03/1961".to_owned(),
                phone: "+44 20 7946 0211".to_owned(),
                email: "patient@patients.example".to_owned(),
            };
            let added = scheduler::add_patient(db, clock, random, &receptionist, new).await;
            patients.push(added.expect("a complete patient"));
        }
        Self { id, receptionist, doctor, practitioner, colleague, colleague_practitioner, consultation, patients }
    }
}

/// A type of visit without rules of its own. Nobody offers it yet.
pub async fn visit_type(pool: &PgPool, clinic: ClinicId, name: &str, minutes: i16) -> VisitTypeId {
    let id = VisitTypeId(Uuid::new_v5(&clinic.0, name.as_bytes()));
    sqlx::query("insert into visit_types (clinic_id, id, name, minutes) values ($1, $2, $3, $4)")
        .bind(clinic.0)
        .bind(id.0)
        .bind(name)
        .bind(minutes)
        .execute(pool)
        .await
        .expect("a visit type");
    id
}

/// The practitioner offers the type.
pub async fn offer(pool: &PgPool, clinic: ClinicId, practitioner: PractitionerId, visit_type: VisitTypeId) {
    sqlx::query("insert into practitioner_visit_types values ($1, $2, $3)")
        .bind(clinic.0)
        .bind(practitioner.0)
        .bind(visit_type.0)
        .execute(pool)
        .await
        .expect("an offer");
}

async fn practitioner(pool: &PgPool, clinic: ClinicId, name: &str, visit_type: VisitTypeId) -> PractitionerId {
    let id = PractitionerId(Uuid::new_v5(&clinic.0, name.as_bytes()));
    sqlx::query("insert into practitioners values ($1, $2, 'Dr', 'Ann', $3, 'General practice')")
        .bind(clinic.0)
        .bind(id.0)
        .bind(name)
        .execute(pool)
        .await
        .expect("a practitioner");
    add_hours(pool, clinic, id, (480, 1080, 30)).await;
    offer(pool, clinic, id, visit_type).await;
    id
}

/// The practitioner works every day from a minute to a minute, in slots of so many.
pub async fn add_hours(pool: &PgPool, clinic: ClinicId, id: PractitionerId, hours: (i16, i16, i16)) {
    sqlx::query(
        "insert into schedules (clinic_id, id, practitioner_id, weekday, from_minute, to_minute, slot_minutes, time_zone)
         select c.id, gen_random_uuid(), $2, weekday, $3, $4, $5, c.time_zone
         from clinics c, generate_series(1, 7) weekday
         where c.id = $1",
    )
    .bind(clinic.0)
    .bind(id.0)
    .bind(hours.0)
    .bind(hours.1)
    .bind(hours.2)
    .execute(pool)
    .await
    .expect("working hours");
}

async fn account(
    pool: &PgPool,
    clinic: ClinicId,
    email: &str,
    role: Role,
    practitioner: Option<PractitionerId>,
) -> Actor {
    let id = AccountId(Uuid::new_v5(&clinic.0, email.as_bytes()));
    sqlx::query(
        "insert into accounts (clinic_id, id, role, name, email, password_hash, practitioner_id)
         values ($1, $2, $3, $4, $4, 'none', $5)",
    )
    .bind(clinic.0)
    .bind(id.0)
    .bind(role)
    .bind(email)
    .bind(practitioner.map(|id| id.0))
    .execute(pool)
    .await
    .expect("an account");
    Actor { clinic, who: Who::Account { id, role } }
}

/// An interpreter, room or device.
pub async fn resource(pool: &PgPool, clinic: ClinicId, kind: &str, name: &str, languages: &[&str]) -> ResourceId {
    let id = ResourceId(Uuid::new_v5(&clinic.0, name.as_bytes()));
    sqlx::query("insert into resources (clinic_id, id, kind, name, languages) values ($1, $2, $3, $4, $5)")
        .bind(clinic.0)
        .bind(id.0)
        .bind(kind)
        .bind(name)
        .bind(languages)
        .execute(pool)
        .await
        .expect("a resource");
    id
}
