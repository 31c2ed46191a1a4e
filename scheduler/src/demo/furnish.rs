//! Makes a demo clinic: what may be booked, the people, their accounts and their hours.

use super::{
    PasswordHash,
    people::{ARRIVE_EARLY_MINUTES, ARRIVE_LATE_MINUTES, DemoClinic, DemoPractitioner, DemoStaff, DemoVisitType},
};
use crate::{
    availability::Rule,
    patients::{NewPatient, insert},
    tables,
    tables::accounts::NewAccount,
    views::VisitTypeView,
};
use domain::{
    AccountId, Actor, ClinicId, Clock, PractitionerId, Random, ResourceId, Role, ScheduleRuleId, VisitTypeId, Who,
};
use jiff::{civil::Weekday, tz::TimeZone};
use service::postgres::Db;
use sqlx::PgConnection;
use uuid::Uuid;

/// Makes the clinic with everybody in it, unless it is there.
pub(super) async fn furnish(
    db: &Db,
    clock: &dyn Clock,
    random: &dyn Random,
    hash: PasswordHash<'_>,
    clinic: &DemoClinic,
    zone: &str,
) -> anyhow::Result<()> {
    let by = Actor { clinic: ClinicId(Uuid::from_u128(clinic.id)), who: Who::Service("demo") };
    let mut tx = db.begin(&by).await?;
    if !tables::clinics::add_missing(&mut tx, by.clinic, clinic.name, zone, clinic.phone).await? {
        return Ok(());
    }
    tables::clinics::set_slug(&mut tx, by.clinic, clinic.slug).await?;
    tables::clinics::set_arrival(&mut tx, by.clinic, ARRIVE_EARLY_MINUTES, ARRIVE_LATE_MINUTES).await?;
    let mut visit_types = Vec::new();
    for demo in clinic.visit_types {
        let new = visit_type(VisitTypeId(random.uuid()), demo);
        tables::visit_types::add(&mut tx, by.clinic, &new).await?;
        visit_types.push(new);
    }
    for practitioner in clinic.practitioners {
        let id = add_practitioner(&mut tx, random, hash, by.clinic, practitioner).await?;
        for offered in visit_types.iter().filter(|one| practitioner.offers.contains(&&*one.name)) {
            tables::visit_types::offer(&mut tx, by.clinic, offered.id, id).await?;
        }
    }
    for (kind_and_name, languages) in clinic.resources {
        let id = ResourceId(random.uuid());
        tables::resources::add(&mut tx, by.clinic, id, *kind_and_name, &owned(languages)).await?;
    }
    for staff in clinic.staff {
        add_staff(&mut tx, random, hash, by.clinic, staff).await?;
    }
    for [name, birth_date, phone, email] in clinic.patients {
        let [name, birth_date, phone, email] = [name, birth_date, phone, email].map(|text| (*text).to_owned());
        insert(&mut tx, clock, random, &by, NewPatient { name, birth_date, phone, email }).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Day and night, a visit every half hour: so that one can be tried at any hour.
fn day_and_night(weekday: Weekday, zone: &TimeZone) -> Rule {
    Rule {
        weekday,
        from_minute: 0,
        to_minute: 1440,
        slot_minutes: 30,
        zone: zone.clone(),
        valid_from: None,
        valid_to: None,
        every_weeks: 1,
    }
}

fn visit_type(id: VisitTypeId, demo: &DemoVisitType) -> VisitTypeView {
    VisitTypeView {
        id,
        name: demo.name.to_owned(),
        minutes: demo.minutes,
        buffer_before_minutes: 0,
        buffer_after_minutes: demo.buffer_after_minutes,
        min_notice_minutes: demo.min_notice_minutes,
        horizon_days: 365,
        cancel_notice_minutes: demo.cancel_notice_minutes,
        is_public: demo.is_public,
        practitioners: Vec::new(),
    }
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

async fn add_practitioner(
    connection: &mut PgConnection,
    random: &dyn Random,
    hash: PasswordHash<'_>,
    clinic: ClinicId,
    practitioner: &DemoPractitioner,
) -> Result<PractitionerId, sqlx::Error> {
    let id = PractitionerId(random.uuid());
    let languages = owned(practitioner.languages);
    tables::practitioners::add(connection, clinic, id, practitioner.words, &languages).await?;
    let zone = tables::clinics::get(connection, clinic).await?.zone;
    for weekday in Weekday::Monday.cycle_forward().take(7) {
        let rule = day_and_night(weekday, &zone);
        tables::schedules::add(connection, clinic, ScheduleRuleId(random.uuid()), id, &rule).await?;
    }
    let [title, given, family, _] = practitioner.words;
    let account = NewAccount {
        id: AccountId(random.uuid()),
        role: Role::Practitioner,
        name: &format!("{title} {given} {family}"),
        email: practitioner.email,
        password_hash: &hash(practitioner.password),
        practitioner: Some(id),
    };
    tables::accounts::add(connection, clinic, &account).await?;
    Ok(id)
}

async fn add_staff(
    connection: &mut PgConnection,
    random: &dyn Random,
    hash: PasswordHash<'_>,
    clinic: ClinicId,
    staff: &DemoStaff,
) -> Result<(), sqlx::Error> {
    let account = NewAccount {
        id: AccountId(random.uuid()),
        role: staff.role,
        name: staff.name,
        email: staff.email,
        password_hash: &hash(staff.password),
        practitioner: None,
    };
    tables::accounts::add(connection, clinic, &account).await
}
