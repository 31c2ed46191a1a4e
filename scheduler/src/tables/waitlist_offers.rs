//! `waitlist_offers`: who was offered which freed time.

use crate::waitlist::WaitlistOfferView;
use domain::{
    ClinicId, HoldId, PatientId, PractitionerId, VisitTypeId, WaitlistEntryId, WaitlistOfferId, WaitlistOfferState,
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use service::postgres::one_row;
use sqlx::PgConnection;

/// An offer to be written.
pub(crate) struct New {
    pub(crate) id: WaitlistOfferId,
    pub(crate) entry: WaitlistEntryId,
    pub(crate) practitioner: PractitionerId,
    pub(crate) starts_at: Timestamp,
    pub(crate) ends_at: Timestamp,
    pub(crate) hold: HoldId,
    pub(crate) offered_at: Timestamp,
    /// As the hold's.
    pub(crate) expires_at: Timestamp,
}

/// An offer with what it is about.
pub(crate) struct Offer {
    pub(crate) entry: WaitlistEntryId,
    pub(crate) patient: PatientId,
    pub(crate) visit_type: VisitTypeId,
    pub(crate) practitioner: PractitionerId,
    pub(crate) starts_at: jiff_sqlx::Timestamp,
    pub(crate) ends_at: jiff_sqlx::Timestamp,
    pub(crate) hold: Option<HoldId>,
    pub(crate) state: WaitlistOfferState,
    /// By the database's clock.
    pub(crate) is_over: bool,
}

/// An offer of which its patient is to be told.
pub(crate) struct Untold {
    pub(crate) id: WaitlistOfferId,
    pub(crate) patient: PatientId,
    pub(crate) starts_at: jiff_sqlx::Timestamp,
    pub(crate) expires_at: jiff_sqlx::Timestamp,
}

/// Adds an open offer.
pub(crate) async fn add(connection: &mut PgConnection, clinic: ClinicId, new: &New) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into waitlist_offers (clinic_id, id, entry_id, practitioner_id, starts_at, ends_at, hold_id, state,
                                      offered_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, 'open', $8, $9)",
        clinic.0,
        new.id.0,
        new.entry.0,
        new.practitioner.0,
        new.starts_at.to_sqlx() as _,
        new.ends_at.to_sqlx() as _,
        new.hold.0,
        new.offered_at.to_sqlx() as _,
        new.expires_at.to_sqlx() as _,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// An offer, as it is just now.
pub(crate) async fn find(
    connection: &mut PgConnection,
    clinic: ClinicId,
    id: WaitlistOfferId,
) -> Result<Option<Offer>, sqlx::Error> {
    sqlx::query_as!(
        Offer,
        r#"select
               o.entry_id as "entry: WaitlistEntryId",
               e.patient_id as "patient: PatientId",
               e.visit_type_id as "visit_type: VisitTypeId",
               o.practitioner_id as "practitioner: PractitionerId",
               o.starts_at as "starts_at: jiff_sqlx::Timestamp",
               o.ends_at as "ends_at: jiff_sqlx::Timestamp",
               o.hold_id as "hold: HoldId",
               o.state as "state: WaitlistOfferState",
               o.expires_at <= now() as "is_over!"
           from waitlist_offers o
           join waitlist_entries e on e.clinic_id = o.clinic_id and e.id = o.entry_id
           where o.clinic_id = $1 and o.id = $2"#,
        clinic.0,
        id.0,
    )
    .fetch_optional(connection)
    .await
}

/// The same, with its row locked. The locks of its practitioner come before.
pub(crate) async fn lock(
    connection: &mut PgConnection,
    clinic: ClinicId,
    id: WaitlistOfferId,
) -> Result<Option<Offer>, sqlx::Error> {
    sqlx::query!("select from waitlist_offers where clinic_id = $1 and id = $2 for update", clinic.0, id.0)
        .fetch_optional(&mut *connection)
        .await?;
    find(connection, clinic, id).await
}

/// Whether an entry has an open offer, and of whose time.
pub(crate) async fn open_of(
    connection: &mut PgConnection,
    clinic: ClinicId,
    entry: WaitlistEntryId,
) -> Result<Option<(WaitlistOfferId, PractitionerId)>, sqlx::Error> {
    let row = sqlx::query!(
        r#"select id as "id: WaitlistOfferId", practitioner_id as "practitioner: PractitionerId"
           from waitlist_offers
           where clinic_id = $1 and entry_id = $2 and state = 'open'"#,
        clinic.0,
        entry.0,
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| (row.id, row.practitioner)))
}

/// The open offers whose time is over by the database's clock, oldest first, and of whose time they are.
pub(crate) async fn over(
    connection: &mut PgConnection,
    clinic: ClinicId,
    limit: i64,
) -> Result<Vec<(WaitlistOfferId, PractitionerId)>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select id as "id: WaitlistOfferId", practitioner_id as "practitioner: PractitionerId"
           from waitlist_offers
           where clinic_id = $1 and state = 'open' and expires_at <= now()
           order by expires_at
           limit $2"#,
        clinic.0,
        limit,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.practitioner)).collect())
}

/// Some open offers of which the patient was not told yet, whose they are, and until when; they are marked as told.
pub(crate) async fn take_untold(
    connection: &mut PgConnection,
    clinic: ClinicId,
    limit: i64,
) -> Result<Vec<Untold>, sqlx::Error> {
    sqlx::query_as!(
        Untold,
        r#"update waitlist_offers
           set told_at = now()
           where id in (
               select id
               from waitlist_offers
               where clinic_id = $1 and state = 'open' and told_at is null and expires_at > now()
               order by offered_at
               limit $2
               for update skip locked
           )
           returning
               id as "id: WaitlistOfferId",
               (select e.patient_id from waitlist_entries e where e.id = entry_id) as "patient!: PatientId",
               starts_at as "starts_at: jiff_sqlx::Timestamp",
               expires_at as "expires_at: jiff_sqlx::Timestamp""#,
        clinic.0,
        limit,
    )
    .fetch_all(connection)
    .await
}

/// Ends an open offer.
pub(crate) async fn end(
    connection: &mut PgConnection,
    clinic: ClinicId,
    id: WaitlistOfferId,
    state: WaitlistOfferState,
) -> Result<(), sqlx::Error> {
    let result = sqlx::query!(
        "update waitlist_offers
         set state = $3
         where clinic_id = $1 and id = $2 and state = 'open'",
        clinic.0,
        id.0,
        state as _,
    )
    .execute(connection)
    .await?;
    one_row(&result)
}

/// The offers made to those who still wait, newest first.
pub(crate) async fn of_waiting(
    connection: &mut PgConnection,
    clinic: ClinicId,
) -> Result<Vec<(WaitlistEntryId, WaitlistOfferView)>, sqlx::Error> {
    select(connection, clinic, None).await
}

/// One offer as pages show it.
pub(crate) async fn view(
    connection: &mut PgConnection,
    clinic: ClinicId,
    id: WaitlistOfferId,
) -> Result<Option<WaitlistOfferView>, sqlx::Error> {
    Ok(select(connection, clinic, Some(id)).await?.pop().map(|(_, view)| view))
}

async fn select(
    connection: &mut PgConnection,
    clinic: ClinicId,
    id: Option<WaitlistOfferId>,
) -> Result<Vec<(WaitlistEntryId, WaitlistOfferView)>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select
               o.entry_id as "entry: WaitlistEntryId",
               o.id as "id: WaitlistOfferId",
               d.id as "practitioner_id: PractitionerId",
               d.title,
               d.given_name,
               d.family_name,
               d.speciality,
               t.name as visit_type,
               o.starts_at as "starts_at: jiff_sqlx::Timestamp",
               o.ends_at as "ends_at: jiff_sqlx::Timestamp",
               o.state as "state: WaitlistOfferState",
               o.offered_at as "offered_at: jiff_sqlx::Timestamp",
               o.expires_at as "expires_at: jiff_sqlx::Timestamp",
               (o.state = 'open' and o.expires_at > now()) as "is_open!"
           from waitlist_offers o
           join waitlist_entries e on e.clinic_id = o.clinic_id and e.id = o.entry_id
           join visit_types t on t.clinic_id = e.clinic_id and t.id = e.visit_type_id
           join practitioners d on d.clinic_id = o.clinic_id and d.id = o.practitioner_id
           where o.clinic_id = $1 and case when $2::uuid is null then e.state = 'waiting' else o.id = $2 end
           order by o.offered_at desc, o.id
           limit 2000"#,
        clinic.0,
        id.map(|id| id.0),
    )
    .fetch_all(connection)
    .await?;
    let view = crate::tables::practitioners::view;
    Ok(rows
        .into_iter()
        .map(|row| {
            let view = WaitlistOfferView {
                id: row.id,
                practitioner: view(row.practitioner_id, &row.title, &row.given_name, &row.family_name, row.speciality),
                visit_type: row.visit_type,
                starts_at: row.starts_at.to_jiff(),
                ends_at: row.ends_at.to_jiff(),
                state: row.state,
                offered_at: row.offered_at.to_jiff(),
                expires_at: row.expires_at.to_jiff(),
                is_open: row.is_open,
            };
            (row.entry, view)
        })
        .collect())
}

/// Whose offer a link opens. Goes through a door.
pub(crate) async fn find_link(
    connection: &mut PgConnection,
    id: WaitlistOfferId,
) -> Result<Option<(ClinicId, PatientId)>, sqlx::Error> {
    let row = sqlx::query!(
        r#"select clinic_id as "clinic_id!: ClinicId", patient_id as "patient_id!: PatientId"
           from find_waitlist_offer($1)"#,
        id.0,
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| (row.clinic_id, row.patient_id)))
}
