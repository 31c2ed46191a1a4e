//! The demo: two clinics with people, schedules and visits of today.
//!
//! Everybody is invented and every password is written in `people.rs`: never run it where real patients are.

mod furnish;
mod people;
mod programs;
mod visits;

use crate::{day, patients, tables, views::AppointmentView};
use anyhow::Context as _;
use domain::{Actor, AppointmentId, ClinicId, Clock, Random, Role, Who};
use furnish::furnish;
use jiff::Timestamp;
use people::{CLINICS, CONSULTATION, DemoClinic};
pub use programs::{DemoToken, api_tokens};
use service::postgres::Db;
use uuid::Uuid;
use visits::Diary;

/// What a start page or a script needs to begin where a person would.
#[derive(Clone, Default)]
pub struct Demo {
    /// Who may sign in.
    pub accounts: Vec<DemoAccount>,
    /// Today's visits that lie ahead, in order.
    pub visits: Vec<DemoVisit>,
}

/// Somebody who may sign in.
#[derive(Clone)]
pub struct DemoAccount {
    /// What they are.
    pub role: Role,
    /// Their clinic's name.
    pub clinic: String,
    /// Their name.
    pub name: String,
    /// Their e-mail address.
    pub email: String,
    /// Their password, the same at every start.
    pub password: String,
}

/// A visit of today.
#[derive(Clone)]
pub struct DemoVisit {
    /// Which; see [`visit_link`](crate::visit_link()) for its link.
    pub appointment: AppointmentId,
    /// The version of its link.
    pub link_version: i16,
    /// Its clinic's name.
    pub clinic: String,
    /// The patient's name.
    pub patient: String,
    /// `Dr Hannah Osei`.
    pub practitioner: String,
    /// When it begins.
    pub starts_at: Timestamp,
}

/// Turns a password into what `accounts.password_hash` holds.
pub type PasswordHash<'a> = &'a (dyn Fn(&str) -> String + Send + Sync);

/// Makes the demo clinics when they are missing, and visits when none lies ahead today. A second call keeps everything.
///
/// `hash` turns a password into what `accounts.password_hash` holds (PHC string): the web crate knows how. `zone` is the IANA name
/// of the zone in which new clinics stand.
pub async fn demo(
    db: &Db,
    clock: &dyn Clock,
    random: &dyn Random,
    hash: PasswordHash<'_>,
    zone: &str,
) -> anyhow::Result<Demo> {
    let mut demo = Demo::default();
    for clinic in &CLINICS {
        furnish(db, clock, random, hash, clinic, zone).await?;
        demo.accounts.extend(accounts(clinic));
        let diary = diary(db, clock, random, clinic).await?;
        let is_new_day = day(db, &diary.receptionist, today(&diary), None).await?.is_empty();
        diary.fill(clinic).await?;
        if is_new_day {
            diary.begin_day(clinic).await?;
        }
        demo.visits.extend(diary.ahead().await?.into_iter().map(|visit| DemoVisit::new(clinic.name, visit)));
    }
    Ok(demo)
}

async fn diary<'a>(
    db: &'a Db,
    clock: &dyn Clock,
    random: &'a dyn Random,
    demo: &DemoClinic,
) -> anyhow::Result<Diary<'a>> {
    let id = ClinicId(Uuid::from_u128(demo.id));
    let service = Actor { clinic: id, who: Who::Service("demo") };
    let desk = demo.staff.iter().find(|staff| staff.role == Role::Receptionist).context("a clinic has a desk")?;
    let mut tx = db.begin(&service).await?;
    let account = tables::accounts::by_email(&mut tx, id, desk.email).await?;
    let visit_types = tables::visit_types::list(&mut tx, id).await?;
    let visit_type = visit_types.into_iter().find(|one| one.name == CONSULTATION.name);
    let mut patients = Vec::new();
    for [name, ..] in demo.patients {
        let found = tables::patients::search(&mut tx, id, &[patients::search::name_key(name)], &[], None, 1).await?;
        patients.extend(found.first().map(|patient| patient.id));
    }
    Ok(Diary {
        db,
        random,
        now: clock.now(),
        clinic: tables::clinics::get(&mut tx, id).await?,
        receptionist: Actor { clinic: id, who: account.context("the receptionist signs in")? },
        visit_type: visit_type.context("a clinic offers consultations")?.id,
        patients,
    })
}

fn today(diary: &Diary<'_>) -> jiff::civil::Date {
    diary.now.to_zoned(diary.clinic.zone.clone()).date()
}

fn accounts(clinic: &DemoClinic) -> Vec<DemoAccount> {
    let account = |role, name: String, email: &str, password: &str| DemoAccount {
        role,
        clinic: clinic.name.to_owned(),
        name,
        email: email.to_owned(),
        password: password.to_owned(),
    };
    let staff = clinic.staff.iter().map(|one| account(one.role, one.name.to_owned(), one.email, one.password));
    let practitioners = clinic.practitioners.iter().map(|one| {
        let [title, given, family, _] = one.words;
        account(Role::Practitioner, format!("{title} {given} {family}"), one.email, one.password)
    });
    staff.chain(practitioners).collect()
}

impl DemoVisit {
    fn new(clinic: &str, visit: AppointmentView) -> Self {
        Self {
            appointment: visit.id,
            link_version: visit.link_version,
            clinic: clinic.to_owned(),
            patient: visit.patient.name,
            practitioner: visit.practitioner.title_and_name,
            starts_at: visit.starts_at,
        }
    }
}
