//! Programs of the clinic call the API by a token, and may do as much as a person of its role.
//!
//! An administrator makes and revokes them. The token is shown once; only its SHA-256 is kept.

use crate::tables;
use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{Actor, ApiTokenId, Clock, PractitionerId, Random, Redacted, Role, Who};
use jiff::{SignedDuration, Timestamp};
use service::{
    audit::{self, AuditEvent},
    postgres::Db,
};

/// What a token begins with, so that who finds one lying about knows what it is.
pub const PREFIX: &str = "bds_";

/// The good tokens that one clinic may have.
pub const MAX_TOKENS: i64 = 100;

/// How often being used is written down: not on every request.
const TOUCH_EVERY: SignedDuration = SignedDuration::from_secs(60);

/// Prefix and 256 bits in base64url; anything else is no token, and is not looked up.
const TOKEN_CHARS: usize = 47;

/// A token as the administrator's page lists it.
#[derive(Debug, Clone)]
pub struct ApiTokenView {
    /// Which.
    pub id: ApiTokenId,
    /// What it may do.
    pub role: Role,
    /// What the administrator calls it.
    pub name: String,
    /// As whom a practitioner's program acts: `Dr Osei`.
    pub practitioner: Option<String>,
    /// Who made it, by name.
    pub created_by: Option<String>,
    /// When.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// Since when it is worthless.
    pub revoked_at: Option<Timestamp>,
}

/// A token to be made.
#[derive(Debug, Clone)]
pub struct NewApiToken {
    /// What the administrator calls it.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// As whom it acts, if a practitioner's.
    pub practitioner: Option<PractitionerId>,
}

/// Why a token was not made or revoked.
#[derive(Debug, thiserror::Error)]
pub enum ApiTokenError {
    /// Only administrators make and revoke tokens.
    #[error("only an administrator makes tokens")]
    NotAllowed,
    /// The name is blank or longer than 100 characters.
    #[error("a name is needed, of at most 100 characters")]
    NameMissing,
    /// A practitioner's token needs a practitioner of this clinic, and no other has one.
    #[error("a practitioner's token needs to say whose it is")]
    PractitionerMissing,
    /// The clinic has [`MAX_TOKENS`] already.
    #[error("there are too many tokens")]
    TooMany,
    /// Not a good token of this clinic.
    #[error("there is no such token")]
    NotFound,
    /// Postgres failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Who calls the API.
#[derive(Debug, Clone)]
pub struct ApiCaller {
    /// On whose behalf transactions act.
    pub actor: Actor,
    /// The token.
    pub id: ApiTokenId,
    /// What it may do.
    pub role: Role,
    /// As whom it acts, if a practitioner's.
    pub practitioner: Option<PractitionerId>,
}

/// The clinic's tokens, the good ones first. Empty for anybody but an administrator.
pub async fn api_tokens(db: &Db, by: &Actor) -> Result<Vec<ApiTokenView>, sqlx::Error> {
    if by.who.role() != Some(Role::Administrator) {
        return Ok(Vec::new());
    }
    tables::api_tokens::list(&mut *db.begin(by).await?, by.clinic).await
}

/// Makes a token and returns it, this once.
pub async fn create_api_token(
    db: &Db,
    clock: &dyn Clock,
    random: &dyn Random,
    by: &Actor,
    new: NewApiToken,
) -> Result<(ApiTokenId, Redacted<String>), ApiTokenError> {
    let Who::Account { id: account, role: Role::Administrator } = by.who else {
        return Err(ApiTokenError::NotAllowed);
    };
    let name = new.name.trim();
    if name.is_empty() || name.chars().count() > 100 || name.contains('\0') {
        return Err(ApiTokenError::NameMissing);
    }
    let mut tx = db.begin(by).await?;
    let is_named = match new.practitioner {
        Some(id) => new.role == Role::Practitioner && tables::practitioners::exists(&mut tx, by.clinic, id).await?,
        None => new.role != Role::Practitioner,
    };
    if !is_named {
        return Err(ApiTokenError::PractitionerMissing);
    }
    let mut bytes = [0; 32];
    random.fill(&mut bytes);
    let token = token(&bytes);
    let id = ApiTokenId(random.uuid());
    let row = tables::api_tokens::New {
        id,
        role: new.role,
        practitioner: new.practitioner,
        name,
        hash: &hash(token.expose()),
        created_at: clock.now(),
        created_by: Some(account),
    };
    if !tables::api_tokens::add(&mut tx, by.clinic, &row, MAX_TOKENS).await? {
        return Err(ApiTokenError::TooMany);
    }
    let detail = serde_json::json!({ "api_token": id, "role": new.role });
    audit::record(&mut tx, by, AuditEvent::new("api_token.made").detail(detail)).await?;
    tx.commit().await?;
    Ok((id, token))
}

/// Makes a token worthless, at once and everywhere.
pub async fn revoke_api_token(db: &Db, clock: &dyn Clock, by: &Actor, id: ApiTokenId) -> Result<(), ApiTokenError> {
    if !matches!(by.who, Who::Account { role: Role::Administrator, .. }) {
        return Err(ApiTokenError::NotAllowed);
    }
    let mut tx = db.begin(by).await?;
    if !tables::api_tokens::revoke(&mut tx, by.clinic, id, clock.now()).await? {
        return Err(ApiTokenError::NotFound);
    }
    let detail = serde_json::json!({ "api_token": id });
    audit::record(&mut tx, by, AuditEvent::new("api_token.revoked").detail(detail)).await?;
    tx.commit().await?;
    Ok(())
}

/// Whose token this is, if it is good.
pub async fn api_caller(db: &Db, clock: &dyn Clock, token: &str) -> Result<Option<ApiCaller>, sqlx::Error> {
    if token.len() != TOKEN_CHARS || !token.starts_with(PREFIX) {
        return Ok(None);
    }
    let Some(found) = tables::api_tokens::find(&mut *db.door().await?, &hash(token)).await? else {
        return Ok(None);
    };
    let actor = Actor { clinic: found.clinic, who: Who::ApiToken { id: found.id, role: found.role } };
    let now = clock.now();
    if found.last_used_at.is_none_or(|at| now.duration_since(at) >= TOUCH_EVERY) {
        let mut tx = db.begin(&actor).await?;
        tables::api_tokens::touch(&mut tx, found.clinic, found.id, now).await?;
        tx.commit().await?;
    }
    Ok(Some(ApiCaller { actor, id: found.id, role: found.role, practitioner: found.practitioner }))
}

/// The text of a token of 256 bits.
pub(crate) fn token(bytes: &[u8; 32]) -> Redacted<String> {
    Redacted::new(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)))
}

/// The digest under which the table knows a token.
pub(crate) fn hash(token: &str) -> Vec<u8> {
    digest(&SHA256, token.as_bytes()).as_ref().to_vec()
}
