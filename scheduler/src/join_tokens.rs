//! Join tokens: a signed paper for one room and one participant, good once and for a minute.

use crate::{admit::is_theirs, tables, tables::encounters::Encounter};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use domain::{
    Actor, ClinicId, Clock, EncounterId, EncounterState, JOIN_TOKEN_LIFETIME, JOIN_TOKEN_TYPE, JoinClaims,
    ParticipantId, Random, Redacted, RoomId, Who, relay::Connection, signal::ParticipantRole,
};
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use service::{
    audit::{self, AuditEvent},
    keys::JoinTokenSeed,
    postgres::Db,
};
use sqlx::PgConnection;
use uuid::Uuid;

const ISSUER: &str = "bedside";
const AUDIENCE: &str = "signaling";

/// How far the clocks of two nodes may differ, in seconds: a token from a node ahead of us is not from the future.
const LEEWAY_SECONDS: i64 = 5;

/// Longer than any token of ours, in bytes; what is longer is not even looked at.
const MAX_TOKEN_BYTES: usize = 2_048;

/// Makes join tokens: `web` has one.
pub struct SigningKey(EncodingKey);

/// Checks join tokens: `signaling` has one.
pub struct VerifyingKey(DecodingKey);

/// A token, and how long it is of use.
#[derive(Debug, Clone)]
pub struct JoinToken {
    /// The token.
    pub token: Redacted<String>,
    /// Until when it may be used to enter, once.
    pub expires_at: Timestamp,
}

/// Why no join token was made.
#[derive(Debug, thiserror::Error)]
pub enum MintError {
    /// Not an encounter of this clinic.
    #[error("there is no such encounter")]
    NotFound,
    /// The one who asks takes no part in it.
    #[error("the encounter is somebody else's")]
    NotYours,
    /// The encounter is finished.
    #[error("the encounter is finished")]
    NotOpen,
    /// Postgres failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// What a redeemed token opens.
#[derive(Debug, Clone)]
pub struct Admission {
    /// On whose rows the participant acts.
    pub clinic: ClinicId,
    /// The encounter of the room.
    pub encounter: EncounterId,
    /// The room.
    pub room: RoomId,
    /// Who the bearer is in it.
    pub participant: ParticipantId,
    /// Practitioner, patient or device.
    pub role: ParticipantRole,
    /// What the others' pages call them.
    pub name: Redacted<String>,
    /// Higher than every connection of this participant before.
    pub connection: Connection,
    /// The id of the token, which opened nothing before and opens nothing after.
    pub token: Uuid,
}

/// Why a token opens nothing.
#[derive(Debug, thiserror::Error)]
pub enum TokenRefused {
    /// Forged, expired, for somebody else, used, or its encounter is not in progress. Which of these is nobody's business.
    #[error("the token is refused")]
    Refused,
    /// Postgres failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Makes a token for the one who asks: the encounter's own practitioner, or the patient of its appointment.
pub async fn mint(
    db: &Db,
    clock: &dyn Clock,
    random: &dyn Random,
    key: &SigningKey,
    by: &Actor,
    encounter: EncounterId,
) -> Result<Redacted<String>, MintError> {
    let mut tx = db.begin(by).await?;
    let (open, role) = open_to(&mut tx, by, encounter).await?;
    let participants = tables::participants::of_encounter(&mut tx, by.clinic, encounter).await?;
    let participant = participants.iter().find(|one| one.role == role).ok_or(MintError::NotYours)?.participant;
    let claims = claims(clock.now(), random.uuid(), by.clinic, &open, participant);
    let made = key.make(&mut tx, &claims).await?;
    let event = AuditEvent::new("join_token.made").encounter(encounter).appointment(open.appointment);
    audit::record(&mut tx, by, event.patient(open.patient)).await?;
    tx.commit().await?;
    Ok(made.token)
}

/// The room that whoever asks could have a token for. Leaves no event: nothing is opened, and the room says nothing.
pub async fn room(db: &Db, by: &Actor, encounter: EncounterId) -> Result<RoomId, MintError> {
    let (open, _) = open_to(&mut *db.begin(by).await?, by, encounter).await?;
    Ok(open.room)
}

/// Uses a token up.
pub async fn redeem(
    db: &Db,
    clock: &dyn Clock,
    key: &VerifyingKey,
    token: &Redacted<String>,
) -> Result<Admission, TokenRefused> {
    let claims = key.verify(token.expose(), clock.now()).ok_or(TokenRefused::Refused)?;
    let by = Actor { clinic: claims.clinic, who: Who::Service("signaling") };
    let mut tx = db.begin(&by).await?;
    if !tables::join_tokens::use_up(&mut tx, claims.clinic, claims.jti, claims.participant, clock.now()).await? {
        return Err(TokenRefused::Refused);
    }
    let open = tables::encounters::lock(&mut tx, claims.clinic, claims.encounter).await?;
    let open = open
        .filter(|open| open.state == EncounterState::InProgress && open.room == claims.room)
        .ok_or(TokenRefused::Refused)?;
    let participants = tables::participants::of_encounter(&mut tx, claims.clinic, claims.encounter).await?;
    let person = participants.into_iter().find(|one| one.participant == claims.participant);
    let person = person.ok_or(TokenRefused::Refused)?;
    let connection = tables::participants::connect(&mut tx, claims.clinic, claims.participant).await?;
    let connection = connection.ok_or(TokenRefused::Refused)?;
    let event = AuditEvent::new("room.entered").encounter(open.id).appointment(open.appointment).patient(open.patient);
    let detail =
        serde_json::json!({ "role": person.role, "participant": person.participant, "connection": connection });
    audit::record(&mut tx, &by, event.detail(detail)).await?;
    tx.commit().await?;
    Ok(Admission {
        clinic: claims.clinic,
        encounter: open.id,
        room: open.room,
        participant: person.participant,
        role: person.role,
        name: person.name,
        connection,
        token: claims.jti,
    })
}

impl SigningKey {
    /// The key that grows from `seed`.
    pub fn new(seed: &JoinTokenSeed) -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.expose()).expect("32 bytes are an Ed25519 seed");
        let document = pair.to_pkcs8v1().expect("an Ed25519 key can be written down");
        Self(EncodingKey::from_ed_der(document.as_ref()))
    }

    /// Signs a token, and remembers that it may be used once.
    pub(crate) async fn make(
        &self,
        connection: &mut PgConnection,
        claims: &JoinClaims,
    ) -> Result<JoinToken, sqlx::Error> {
        let expires_at = Timestamp::from_second(claims.exp).expect("the present and a minute is an instant");
        tables::join_tokens::add(connection, claims.clinic, claims.jti, claims.participant, expires_at).await?;
        Ok(JoinToken { token: self.sign(claims), expires_at })
    }

    fn sign(&self, claims: &JoinClaims) -> Redacted<String> {
        let header = Header { typ: Some(JOIN_TOKEN_TYPE.to_owned()), ..Header::new(Algorithm::EdDSA) };
        Redacted::new(jsonwebtoken::encode(&header, claims, &self.0).expect("our claims can be signed by our key"))
    }
}

impl VerifyingKey {
    /// The public half of the key that grows from `seed`.
    pub fn new(seed: &JoinTokenSeed) -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.expose()).expect("32 bytes are an Ed25519 seed");
        Self(DecodingKey::from_ed_der(pair.public_key().as_ref()))
    }

    fn verify(&self, token: &str, now: Timestamp) -> Option<JoinClaims> {
        self.read(token).filter(|claims| is_timely(claims, now))
    }

    /// What a token of ours says, whether it still opens anything or not: its bearer goes on to speak for what it opened
    /// (RFC 9725 §4.2), and for nothing else.
    pub fn read(&self, token: &str) -> Option<JoinClaims> {
        if token.len() > MAX_TOKEN_BYTES {
            return None;
        }
        let token = jsonwebtoken::decode::<JoinClaims>(token, &self.0, &validation()).ok()?;
        (token.header.typ.as_deref() == Some(JOIN_TOKEN_TYPE)).then_some(token.claims)
    }
}

/// Which part `by` has in an encounter: they ask for themselves only.
/// An encounter in progress, and what the one who asks is in it.
async fn open_to(
    connection: &mut PgConnection,
    by: &Actor,
    encounter: EncounterId,
) -> Result<(Encounter, ParticipantRole), MintError> {
    let open = tables::encounters::lock(connection, by.clinic, encounter).await?.ok_or(MintError::NotFound)?;
    let role = role_in(connection, by, &open).await?;
    if open.state == EncounterState::InProgress { Ok((open, role)) } else { Err(MintError::NotOpen) }
}

async fn role_in(
    connection: &mut PgConnection,
    by: &Actor,
    encounter: &Encounter,
) -> Result<ParticipantRole, MintError> {
    match by.who {
        Who::Patient { id, appointment } if appointment == encounter.appointment && id == encounter.patient => {
            Ok(ParticipantRole::Patient)
        }
        Who::Patient { .. } | Who::ApiToken { .. } => Err(MintError::NotFound),
        Who::Account { .. } if is_theirs(connection, by, encounter.practitioner).await? => {
            Ok(ParticipantRole::Practitioner)
        }
        Who::Account { .. } | Who::Service(_) => Err(MintError::NotYours),
    }
}

/// What a token for a participant of an encounter says.
pub(crate) fn claims(
    now: Timestamp,
    jti: Uuid,
    clinic: ClinicId,
    encounter: &Encounter,
    participant: ParticipantId,
) -> JoinClaims {
    let lifetime = i64::try_from(JOIN_TOKEN_LIFETIME.as_secs()).expect("a minute is few seconds");
    JoinClaims {
        iss: ISSUER.to_owned(),
        aud: AUDIENCE.to_owned(),
        iat: now.as_second(),
        exp: now.as_second() + lifetime,
        jti,
        clinic,
        encounter: encounter.id,
        room: encounter.room,
        participant,
    }
}

/// Signature, algorithm, issuer and audience. The times are looked at by our own clock, in `is_timely`.
fn validation() -> Validation {
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[AUDIENCE]);
    validation.set_required_spec_claims(&["iss", "aud", "exp"]);
    validation.validate_exp = false;
    validation
}

fn is_timely(claims: &JoinClaims, now: Timestamp) -> bool {
    let lifetime = claims.exp.saturating_sub(claims.iat);
    now.as_second() < claims.exp
        && claims.iat <= now.as_second().saturating_add(LEEWAY_SECONDS)
        && u64::try_from(lifetime).is_ok_and(|lifetime| lifetime <= JOIN_TOKEN_LIFETIME.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> (SigningKey, VerifyingKey, JoinClaims, Timestamp) {
        let seed = Redacted::new([3; 32]);
        let now = Timestamp::from_second(1_800_000_000).expect("an instant");
        let claims = JoinClaims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            iat: now.as_second(),
            exp: now.as_second() + 60,
            jti: Uuid::from_u128(1),
            clinic: ClinicId(Uuid::from_u128(2)),
            encounter: EncounterId(Uuid::from_u128(3)),
            room: RoomId(Uuid::from_u128(4)),
            participant: ParticipantId(Uuid::from_u128(5)),
        };
        (SigningKey::new(&seed), VerifyingKey::new(&seed), claims, now)
    }

    fn is_accepted(change: impl FnOnce(&mut JoinClaims)) -> bool {
        let (signing, verifying, mut claims, now) = example();
        change(&mut claims);
        verifying.verify(signing.sign(&claims).expose(), now).is_some()
    }

    #[test]
    fn a_token_is_accepted_as_it_was_made() {
        assert!(is_accepted(|_| {}));
    }

    #[test]
    fn a_token_for_another_audience_or_of_another_issuer_is_refused() {
        assert!(!is_accepted(|claims| claims.aud = "web".to_owned()));
        assert!(!is_accepted(|claims| claims.iss = "somebody".to_owned()));
    }

    #[test]
    fn a_token_that_expired_or_comes_from_the_future_or_lives_long_is_refused() {
        assert!(!is_accepted(|claims| (claims.iat, claims.exp) = (claims.iat - 60, claims.exp - 60)));
        assert!(!is_accepted(|claims| (claims.iat, claims.exp) = (claims.iat + 6, claims.exp + 6)));
        assert!(!is_accepted(|claims| claims.exp += 1));
    }

    #[test]
    fn a_token_of_another_type_algorithm_or_key_is_refused() {
        let (signing, verifying, claims, now) = example();
        let header = Header { typ: Some("JWT".to_owned()), ..Header::new(Algorithm::EdDSA) };
        let token = jsonwebtoken::encode(&header, &claims, &signing.0).expect("a token");
        assert!(verifying.verify(&token, now).is_none());

        // The public key as a shared secret: the confusion of RFC 8725 §2.1.
        let header = Header { typ: Some(JOIN_TOKEN_TYPE.to_owned()), ..Header::new(Algorithm::HS256) };
        let pair = Ed25519KeyPair::from_seed_unchecked(&[3; 32]).expect("a seed");
        let secret = EncodingKey::from_secret(pair.public_key().as_ref());
        let token = jsonwebtoken::encode(&header, &claims, &secret).expect("a token");
        assert!(verifying.verify(&token, now).is_none());

        let other = SigningKey::new(&Redacted::new([4; 32]));
        assert!(verifying.verify(other.sign(&claims).expose(), now).is_none());
    }
}
