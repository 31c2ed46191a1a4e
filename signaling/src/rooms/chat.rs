//! The chat of a consultation: kept in Postgres first, then told to every node, then to every page.

use super::{Refusal, SocketId, keeper::Keeper};
use crate::tables::chat_messages::{self, Written};
use domain::{
    ChatMessageId, Redacted,
    signal::{ChatMessage, ErrorCode, MAX_CHAT_CHARS, ServerMessage},
};
use service::bus::{Happening, Topic};

/// How much chat a page is told on entering, in bytes of text, the newest first: with an answer beside it, it still fits
/// into one message of the protocol. Two bytes of JSON for one of text is what escapes cost at most in practice.
const HISTORY_BYTES: usize = 16 * 1024;

impl Keeper {
    /// Keeps a message and has every node tell it. Sending the same again changes nothing.
    pub(super) async fn write_chat(
        &mut self,
        socket: SocketId,
        id: ChatMessageId,
        text: Redacted<String>,
    ) -> Result<(), Refusal> {
        let from = self.sockets.get(&socket).ok_or(ErrorCode::BadMessage)?.participant;
        if !is_sendable(text.expose()) {
            return Err(ErrorCode::ChatRefused);
        }
        let message = Written { id, from, text, at: self.node.clock.now() };
        let is_kept = self.keep_message(&message).await.map_err(|_| ErrorCode::Unavailable)?;
        if !is_kept {
            return Err(ErrorCode::ChatRefused);
        }
        self.tell_chat().await;
        let happening = Happening::ChatWritten { encounter: self.encounter, message: id };
        self.node.bus.publish(Topic::Room(self.room), happening).await;
        Ok(())
    }

    /// Reads the newest messages and tells every socket those that it was not told.
    pub(super) async fn tell_chat(&mut self) {
        // What cannot be read now is told when Postgres is read again.
        let _ = self.chat_history().await;
    }

    /// What was written so far, for a page that enters. The others are told what is new of it, so that all know the same.
    pub(super) async fn chat_history(&mut self) -> Result<Vec<ChatMessage>, sqlx::Error> {
        let messages = self.read_chat().await?;
        for message in &messages {
            if self.chat_told.insert(message.id) {
                for socket in self.sockets.values() {
                    socket.outbox.send(ServerMessage::Chat { message: message.clone() });
                }
            }
        }
        Ok(newest_within(messages, HISTORY_BYTES))
    }

    async fn keep_message(&self, message: &Written) -> Result<bool, sqlx::Error> {
        let mut tx = self.node.db.begin(&self.actor).await?;
        let is_kept = chat_messages::add(&mut tx, self.actor.clinic, self.encounter, message).await?;
        tx.commit().await?;
        Ok(is_kept)
    }

    async fn read_chat(&self) -> Result<Vec<ChatMessage>, sqlx::Error> {
        let mut tx = self.node.db.begin(&self.actor).await?;
        let written = chat_messages::newest(&mut tx, self.actor.clinic, self.encounter).await?;
        let messages = written.into_iter().filter_map(|one| {
            let name = self.people.get(&one.from)?.name.clone();
            Some(ChatMessage { id: one.id, from: one.from, name, text: one.text, at: one.at })
        });
        Ok(messages.collect())
    }
}

/// The newest messages whose text has at most `bytes`, oldest first.
fn newest_within(messages: Vec<ChatMessage>, bytes: usize) -> Vec<ChatMessage> {
    let mut room = bytes;
    let fits = |message: &ChatMessage| match room.checked_sub(message.text.expose().len()) {
        Some(rest) => {
            room = rest;
            true
        }
        None => false,
    };
    let mut newest: Vec<ChatMessage> = messages.into_iter().rev().take_while(fits).collect();
    newest.reverse();
    newest
}

/// Not empty, not too long, and nothing that Postgres cannot keep.
fn is_sendable(text: &str) -> bool {
    !text.trim().is_empty() && text.chars().count() <= MAX_CHAT_CHARS && !text.contains('\0')
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::ParticipantId;
    use jiff::Timestamp;
    use uuid::Uuid;

    fn message(id: u128, length: usize) -> ChatMessage {
        ChatMessage {
            id: ChatMessageId(Uuid::from_u128(id)),
            from: ParticipantId(Uuid::from_u128(1)),
            name: Redacted::new("Maria Santos".to_owned()),
            text: Redacted::new("a".repeat(length)),
            at: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn who_enters_is_told_the_newest_messages_in_their_order() {
        let messages = vec![message(1, 10), message(2, 10), message(3, 10)];
        assert_eq!(newest_within(messages.clone(), 25), messages[1..]);
        assert_eq!(newest_within(messages.clone(), 1_000), messages);
    }

    #[test]
    fn a_message_is_neither_empty_nor_longer_than_a_page_of_text() {
        assert!(is_sendable("Please hold the camera a little higher."));
        assert!(is_sendable(&"ä".repeat(MAX_CHAT_CHARS)));
        assert!(!is_sendable(" \n"));
        assert!(!is_sendable(&"a".repeat(MAX_CHAT_CHARS + 1)));
        assert!(!is_sendable("a\0b"));
    }
}
