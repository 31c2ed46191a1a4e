//! The cookie of a patient's browser, good for one appointment.

use crate::tables;
use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{Actor, Clock, Random, Redacted, Who};
use service::postgres::Db;
use std::time::Duration;

/// How long a browser is remembered: the longest day of waiting, and not the next.
pub const LIFETIME: Duration = Duration::from_secs(12 * 60 * 60);

/// Starts a session for the patient `by`; the token goes into a cookie and is kept nowhere else.
pub async fn start(
    db: &Db,
    clock: &dyn Clock,
    random: &dyn Random,
    by: &Actor,
) -> Result<Redacted<String>, sqlx::Error> {
    let Who::Patient { id, appointment } = by.who else {
        return Err(sqlx::Error::Protocol("only a patient has a visit session".to_owned()));
    };
    let now = clock.now();
    let token = new_token(random);
    let mut tx = db.begin(by).await?;
    tables::visit_sessions::add(&mut tx, by.clinic, &hash(&token), (id, appointment), now, now + LIFETIME).await?;
    tx.commit().await?;
    Ok(Redacted::new(token))
}

/// The patient whose cookie this is.
pub async fn find(db: &Db, clock: &dyn Clock, token: &str) -> Result<Option<Actor>, sqlx::Error> {
    let session = tables::visit_sessions::find(&mut *db.door().await?, &hash(token)).await?;
    Ok(session.filter(|session| session.expires_at.to_jiff() > clock.now()).map(|session| Actor {
        clinic: session.clinic,
        who: Who::Patient { id: session.patient, appointment: session.appointment },
    }))
}

/// 256 unpredictable bits as text.
fn new_token(random: &dyn Random) -> String {
    let mut bytes = [0; 32];
    random.fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

fn hash(token: &str) -> Vec<u8> {
    digest(&SHA256, token.as_bytes()).as_ref().to_vec()
}
