//! `sessions`: who is signed in. The token is in the cookie only; the table holds its digest.

use crate::{extract::SignedIn, state::WebState, words};
use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{AccountId, Actor, ClinicId, EncounterState, PractitionerId, Random, Redacted, Role, Who};
use jiff::{SignedDuration, Timestamp, civil::Date};
use jiff_sqlx::ToSqlx as _;
use scheduler::ClinicView;
use sqlx::PgConnection;

/// Nobody asked for anything for so long: signed out (HIPAA 164.312(a)(2)(iii)).
pub const IDLE: SignedDuration = SignedDuration::from_mins(30);

/// The longest session, however busy: a working day.
pub const ABSOLUTE: SignedDuration = SignedDuration::from_hours(12);

/// How often being there is written down: not on every request.
const TOUCH_EVERY: SignedDuration = SignedDuration::from_secs(30);

/// SHA-256 of a token.
pub type TokenHash = [u8; 32];

/// The digest under which the table knows a token.
pub fn hash(token: &str) -> TokenHash {
    digest(&SHA256, token.as_bytes()).as_ref().try_into().expect("SHA-256 has 32 bytes")
}

/// Starts a session for the account `by` and returns its token of 256 bits.
pub async fn start(
    connection: &mut PgConnection,
    random: &dyn Random,
    now: Timestamp,
    clinic: ClinicId,
    account: AccountId,
) -> Result<Redacted<String>, sqlx::Error> {
    let mut bytes = [0; 32];
    random.fill(&mut bytes);
    let token = URL_SAFE_NO_PAD.encode(bytes);
    sqlx::query!(
        "insert into sessions (token_hash, clinic_id, account_id, created_at, last_seen_at, expires_at)
         values ($1, $2, $3, $4, $4, $5)",
        &hash(&token)[..],
        clinic.0,
        account.0,
        now.to_sqlx() as _,
        (now + ABSOLUTE).to_sqlx() as _,
    )
    .execute(connection)
    .await?;
    Ok(token.into())
}

/// Ends a session, at once and everywhere. Ending it twice is ending it once.
pub async fn end(connection: &mut PgConnection, clinic: ClinicId, session: TokenHash) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from sessions where clinic_id = $1 and token_hash = $2", clinic.0, &session[..])
        .execute(connection)
        .await?;
    Ok(())
}

/// Whoever is signed in by this session, if it is still good. `is_there` puts the automatic sign-out off.
pub(crate) async fn resume(
    state: &WebState,
    session: TokenHash,
    is_there: bool,
) -> Result<Option<SignedIn>, sqlx::Error> {
    let now = state.clock.now();
    let Some(row) = find(&mut *state.db.door().await?, session).await? else {
        return Ok(None);
    };
    let actor = Actor { clinic: row.clinic.id, who: Who::Account { id: row.account, role: row.role } };
    let is_idle = now.duration_since(row.last_seen_at) >= IDLE;
    let today = words::day_of(now, &row.clinic.zone);
    if now >= row.expires_at || (is_idle && !is_in_a_visit(state, &actor, row.practitioner, today).await?) {
        return Ok(None);
    }
    if is_there && now.duration_since(row.last_seen_at) >= TOUCH_EVERY {
        let mut tx = state.db.begin(&actor).await?;
        touch(&mut tx, row.clinic.id, session, now).await?;
        tx.commit().await?;
    }
    let Session { clinic, account, role, name, practitioner, .. } = row;
    Ok(Some(SignedIn { account, role, name, practitioner, clinic, session }))
}

/// Whoever talks with a patient presses nothing for an hour, and must be able to end the visit.
async fn is_in_a_visit(
    state: &WebState,
    by: &Actor,
    practitioner: Option<PractitionerId>,
    today: Date,
) -> Result<bool, sqlx::Error> {
    let Some(practitioner) = practitioner else { return Ok(false) };
    let day = scheduler::day(&state.db, by, today, Some(practitioner)).await?;
    Ok(day.iter().filter_map(|a| a.encounter.as_ref()).any(|encounter| encounter.state == EncounterState::InProgress))
}

struct Session {
    clinic: ClinicView,
    account: AccountId,
    role: Role,
    name: String,
    practitioner: Option<PractitionerId>,
    last_seen_at: Timestamp,
    expires_at: Timestamp,
}

/// One statement for who it is and for their clinic, since every page needs both.
async fn find(connection: &mut PgConnection, session: TokenHash) -> Result<Option<Session>, sqlx::Error> {
    let row = sqlx::query!(
        r#"select clinic_id as "clinic!: ClinicId",
                  account_id as "account!: AccountId",
                  role as "role!: Role",
                  name as "name!",
                  practitioner_id as "practitioner: PractitionerId",
                  last_seen_at as "last_seen_at!: jiff_sqlx::Timestamp",
                  expires_at as "expires_at!: jiff_sqlx::Timestamp",
                  clinic_name as "clinic_name!",
                  time_zone as "time_zone!",
                  phone as "phone!",
                  arrive_early_minutes as "early!",
                  arrive_late_minutes as "late!"
           from find_session($1)"#,
        &session[..],
    );
    let Some(row) = row.fetch_optional(connection).await? else { return Ok(None) };
    let clinic = ClinicView::kept(row.clinic, row.clinic_name, &row.time_zone, row.phone, (row.early, row.late))?;
    Ok(Some(Session {
        clinic,
        account: row.account,
        role: row.role,
        name: row.name,
        practitioner: row.practitioner,
        last_seen_at: row.last_seen_at.to_jiff(),
        expires_at: row.expires_at.to_jiff(),
    }))
}

async fn touch(
    connection: &mut PgConnection,
    clinic: ClinicId,
    session: TokenHash,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update sessions set last_seen_at = greatest(last_seen_at, $3) where clinic_id = $1 and token_hash = $2",
        clinic.0,
        &session[..],
        now.to_sqlx() as _,
    )
    .execute(connection)
    .await?;
    Ok(())
}
