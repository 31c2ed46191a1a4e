//! The chat: kept once, told to all.

use crate::house::{House, SOON, chat_id, opens};
use domain::signal::{ErrorCode, MAX_CHAT_CHARS};
use sqlx::PgPool;

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_message_reaches_the_page_on_another_node(pool: PgPool) {
    let (mut house, _relay, node) = House::ready(pool).await;
    let other_node = house.starts_node().await;
    let doctor = house.joins(&house.practitioner, &node).await;
    let patient = house.joins(&house.patient, &other_node).await;
    doctor.send_chat(chat_id(), "Can you hear me?").await.expect("open");
    for page in [&doctor, &patient] {
        let heard = page.until(|heard| !heard.chat.is_empty(), SOON).await.expect("told");
        assert_eq!(heard.chat[0].text.expose(), "Can you hear me?");
        assert_eq!(heard.chat[0].name.expose(), "Dr Hannah Osei");
    }
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_message_sent_again_is_kept_and_told_once(pool: PgPool) {
    let (house, _relay, node) = House::ready(pool).await;
    let doctor = house.joins(&house.practitioner, &node).await;
    let id = chat_id();
    doctor.send_chat(id, "One moment").await.expect("open");
    doctor.send_chat(id, "One moment").await.expect("open");
    doctor.send_chat(chat_id(), "Now").await.expect("open");
    let heard =
        doctor.until(|heard| heard.chat.iter().any(|one| one.text.expose() == "Now"), SOON).await.expect("told");
    assert_eq!(heard.chat.len(), 2);
    assert!(heard.errors.is_empty());
    let kept: i64 =
        sqlx::query_scalar("select count(*) from chat_messages").fetch_one(&house.pool).await.expect("rows");
    assert_eq!(kept, 2);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn who_comes_later_or_comes_back_is_told_what_was_written(pool: PgPool) {
    let (house, _relay, node) = House::ready(pool).await;
    let doctor = house.joins(&house.practitioner, &node).await;
    doctor.send_chat(chat_id(), "Take your time").await.expect("open");
    doctor.until(|heard| heard.chat.len() == 1, SOON).await.expect("kept");
    let patient = house.joins(&house.patient, &node).await;
    assert_eq!(patient.heard().chat.len(), 1);
    drop(patient);
    let page = opens(&node).await;
    page.resume(&house.token(&house.patient).await).await.expect("open");
    page.until(|heard| heard.resumed == 1 && heard.chat.len() == 1, SOON).await.expect("told again");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn an_empty_or_endless_message_is_refused_and_the_socket_stays(pool: PgPool) {
    let (house, _relay, node) = House::ready(pool).await;
    let doctor = house.joins(&house.practitioner, &node).await;
    doctor.send_chat(chat_id(), "  ").await.expect("open");
    doctor.send_chat(chat_id(), &"a".repeat(MAX_CHAT_CHARS + 1)).await.expect("open");
    let heard = doctor.until(|heard| heard.errors.len() == 2, SOON).await.expect("refused");
    assert_eq!(heard.errors, vec![ErrorCode::ChatRefused; 2]);
    assert_eq!(heard.closed, None);
}
