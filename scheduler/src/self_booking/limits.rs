//! How often times may be held and messages asked for: by where somebody comes from, by the address written to, by clinic.
//!
//! A limit counts what was asked for, never who is known, so that reaching one says nothing about anybody.

use crate::tables::self_booking_attempts::{self, Subject};
use domain::ClinicId;
use jiff::{SignedDuration, Timestamp};
use sqlx::PgConnection;

/// Over which time held times are counted: as long as a time is kept, so that the number held at once is bounded too.
const HOLDS_WINDOW: SignedDuration = super::KEPT_FOR;

/// Times held from one household or house. Behind a proxy it is everybody's, hence not smaller (`docs/operations.md`).
const MAX_HOLDS_FROM_ONE: i64 = 30;

/// Times held at one clinic: a busy Monday morning, and no more than a part of what is free.
const MAX_HOLDS_AT_CLINIC: i64 = 120;

/// Over which time messages are counted.
const MESSAGES_WINDOW: SignedDuration = SignedDuration::from_hours(1);

/// Messages to one address: a slip or two, and nobody's mailbox is flooded through us.
const MAX_MESSAGES_TO_ADDRESS: i64 = 3;

/// Messages asked for from one household or house.
const MAX_MESSAGES_FROM_ONE: i64 = 30;

/// Messages asked for at one clinic: each costs it money.
const MAX_MESSAGES_AT_CLINIC: i64 = 240;

/// Counts a time to be held; whether it is too many. If it is, roll the transaction back: who is refused is not counted.
pub(super) async fn is_hold_too_many(
    connection: &mut PgConnection,
    clinic: ClinicId,
    from: &str,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let counted = [
        (Subject::new("hold from", from), MAX_HOLDS_FROM_ONE),
        (Subject::new("hold at", "the clinic"), MAX_HOLDS_AT_CLINIC),
    ];
    is_one_too_many(connection, clinic, &counted, now, HOLDS_WINDOW).await
}

/// The same of a message to be written to `address`.
pub(super) async fn is_message_too_many(
    connection: &mut PgConnection,
    clinic: ClinicId,
    from: &str,
    address: &str,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let counted = [
        (Subject::new("message from", from), MAX_MESSAGES_FROM_ONE),
        (Subject::new("message to", &written_alike(address)), MAX_MESSAGES_TO_ADDRESS),
        (Subject::new("message at", "the clinic"), MAX_MESSAGES_AT_CLINIC),
    ];
    is_one_too_many(connection, clinic, &counted, now, MESSAGES_WINDOW).await
}

/// Locks are taken in the order of `counted`, which is the same for everybody.
async fn is_one_too_many(
    connection: &mut PgConnection,
    clinic: ClinicId,
    counted: &[(Subject, i64)],
    now: Timestamp,
    window: SignedDuration,
) -> Result<bool, sqlx::Error> {
    for (subject, max) in counted {
        if self_booking_attempts::note(connection, clinic, subject, now, now - window).await? > *max {
            return Ok(true);
        }
    }
    Ok(false)
}

/// An address in one spelling: case, blanks and the signs between digits do not make another one.
fn written_alike(address: &str) -> String {
    if address.contains('@') {
        address.to_lowercase()
    } else {
        // A number in international notation and one from home share their last digits.
        let digits: Vec<char> = address.chars().filter(char::is_ascii_digit).collect();
        digits[digits.len().saturating_sub(9)..].iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_one_spelling() {
        assert_eq!(written_alike("Maria@Example.ORG"), "maria@example.org");
        assert_eq!(written_alike("+44 (20) 7946-0211"), written_alike("020 7946 0211"));
    }
}
