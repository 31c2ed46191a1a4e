//! No message says what the visit is about.

use crate::house::{House, at};
use sqlx::PgPool;

/// What is about the patient's health or person, as canaries.
const CANARIES: [(&str, &str); 5] = [
    ("update visit_types set name = 'Canarytype oncology'", "Canarytype"),
    ("update practitioners set speciality = 'Canaryspeciality'", "Canaryspeciality"),
    ("update practitioners set family_name = 'Canarydoctor'", "Canarydoctor"),
    ("update patients set name = 'Canarypatient Santos'", "Canarypatient"),
    ("select 1", "Canaryreason"),
];

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn neither_mail_nor_invitation_nor_text_message_names_type_speciality_people_or_reason(pool: PgPool) {
    let house = House::new(pool).await;
    for (change, _) in CANARIES {
        sqlx::query(change).execute(&house.superuser).await.expect("a change");
    }
    house.clock.set("2026-11-20T09:00:00Z".parse().expect("a timestamp"));
    let id = house.book(0, at("10:00")).await.expect("a free slot");
    let mut mails = house.mails().await;
    scheduler::send_link(&house.db, &house.clock, &house.riverside.receptionist, id).await.expect("an address");
    for now in ["2026-11-20T09:01:00Z", "2026-11-23T10:00:00Z", "2026-11-24T09:00:00Z", "2026-11-24T09:50:00Z"] {
        house.clock.set(now.parse().expect("a timestamp"));
        mails.extend(house.mails().await);
    }
    assert_eq!(mails.len(), 10, "confirmation, link and three reminders on two ways");
    for mail in mails {
        let all = format!("{}{}{:?}{:?}", mail.subject, mail.body, mail.html, mail.invitations);
        for (_, canary) in CANARIES {
            assert!(!all.contains(canary), "{canary} in {all}");
        }
        let calendar = format!("{:?}", mail.invitations);
        assert!(!calendar.contains("/visit/") && !calendar.contains("@patients.example"), "{calendar}");
    }
}
