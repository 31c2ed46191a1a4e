//! A token of each role for the programs of a demo clinic: the same at every start, made from the installation's own secret.

use super::people::CLINICS;
use crate::{
    api_tokens::{self, MAX_TOKENS},
    tables::{self, api_tokens::New},
};
use anyhow::Context as _;
use aws_lc_rs::hmac;
use domain::{Actor, ApiTokenId, ClinicId, Clock, Random, Redacted, Role, Who};
use service::{keys::DemoTokenKey, postgres::Db};
use uuid::Uuid;

/// A token of a demo clinic.
#[derive(Clone)]
pub struct DemoToken {
    /// What it may do. A practitioner's is that of the first practitioner.
    pub role: Role,
    /// Its clinic's name.
    pub clinic: &'static str,
    /// The token.
    pub token: Redacted<String>,
}

const ROLES: [(Role, &str); 3] = [
    (Role::Receptionist, "Demo, receptionist"),
    (Role::Practitioner, "Demo, practitioner"),
    (Role::Administrator, "Demo, administrator"),
];

/// Makes the tokens that are missing. One that was revoked stays so.
pub async fn api_tokens(
    db: &Db,
    clock: &dyn Clock,
    random: &dyn Random,
    key: &DemoTokenKey,
) -> anyhow::Result<Vec<DemoToken>> {
    let mut tokens = Vec::new();
    for demo in &CLINICS {
        let clinic = ClinicId(Uuid::from_u128(demo.id));
        let mut tx = db.begin(&Actor { clinic, who: Who::Service("demo") }).await?;
        let practitioners = tables::practitioners::list(&mut tx, clinic).await?;
        let first = &demo.practitioners.first().context("a clinic has a practitioner")?.words;
        let first = format!("{} {} {}", first[0], first[1], first[2]);
        let practitioner = practitioners.iter().find(|one| one.title_and_name == first).map(|one| one.id);
        for (role, name) in ROLES {
            let bytes = derived(key, clinic, role);
            let token = api_tokens::token(&bytes);
            let new = New {
                id: ApiTokenId(random.uuid()),
                role,
                practitioner: practitioner.filter(|_| role == Role::Practitioner),
                name,
                hash: &api_tokens::hash(token.expose()),
                created_at: clock.now(),
                created_by: None,
            };
            tables::api_tokens::add(&mut tx, clinic, &new, MAX_TOKENS).await?;
            tokens.push(DemoToken { role, clinic: demo.name, token });
        }
        tx.commit().await?;
    }
    Ok(tokens)
}

fn derived(key: &DemoTokenKey, clinic: ClinicId, role: Role) -> [u8; 32] {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.expose());
    let tag = hmac::sign(&key, format!("{clinic} {}", role.as_str()).as_bytes());
    tag.as_ref().try_into().expect("HMAC-SHA-256 has 32 bytes")
}
