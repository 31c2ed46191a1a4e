//! What a page and this node say to each other, in order: first a token, then the room.

use super::{
    budget::Budget,
    frames::{Frames, Inbound, Over, TRY_AGAIN_LATER},
};
use crate::{
    Node,
    rooms::{Entry, LocalSocket, Outbound, Outbox, ROOM_TIMEOUT, Refusal, RoomCommand, RoomSender, SocketId},
};
use axum::extract::ws::WebSocket;
use domain::{
    Redacted,
    media::Sdp,
    signal::{ClientMessage, ErrorCode, ServerMessage, close},
};
use scheduler::join_tokens::Admission;
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, MissedTickBehavior, interval, sleep, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

/// How long a socket may be open before its page shows a token.
const FIRST_MESSAGE: Duration = Duration::from_secs(10);

/// How often a page is asked for a sign of life, and how long it may owe one.
const PING: Duration = Duration::from_secs(15);
const SILENCE: Duration = Duration::from_secs(45);

/// How long a page that is in the room already waits for a relay to come (a relay that restarts takes a second or two), and
/// how often is looked for one.
const WAIT_FOR_RELAY: Duration = Duration::from_secs(4);
const LOOK_FOR_RELAY: Duration = Duration::from_millis(250);

/// One socket's conversation.
pub(super) struct Conversation {
    node: Arc<Node>,
    frames: Frames,
    id: SocketId,
    budget: Budget,
    heard_at: Instant,
    outbox: Outbox,
    outbound: mpsc::Receiver<Outbound>,
    overflow: CancellationToken,
    /// The room that the token opened.
    room: Option<RoomSender>,
}

/// How the conversation goes on.
enum Step {
    On,
    Close(u16),
    /// Without a goodbye: there is nobody to hear it.
    Gone,
}

impl Conversation {
    pub(super) fn new(node: Arc<Node>, socket: WebSocket, id: u64) -> Self {
        let (outbox, outbound, overflow) = Outbox::new();
        let now = Instant::now();
        Self {
            node,
            frames: Frames::new(socket),
            id: SocketId(id),
            budget: Budget::full(now),
            heard_at: now,
            outbox,
            outbound,
            overflow,
            room: None,
        }
    }

    /// Holds it until one side ends it.
    pub(super) async fn hold(self) {
        let span = tracing::info_span!("socket", socket.id = self.id.0, participant.id = tracing::field::Empty);
        self.converse().instrument(span).await;
    }

    async fn converse(mut self) {
        let draining = self.node.draining.clone();
        let overflow = self.overflow.clone();
        let first_message = Instant::now() + FIRST_MESSAGE;
        let mut ping = interval(PING);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let end = loop {
            let step = tokio::select! {
                biased;
                () = overflow.cancelled() => Step::Close(TRY_AGAIN_LATER),
                Some(outbound) = self.outbound.recv() => self.tell(outbound).await,
                () = draining.cancelled() => Step::Close(close::GOING_AWAY),
                inbound = self.frames.next() => self.hear(inbound).await,
                _ = ping.tick() => self.ask_for_a_sign().await,
                () = sleep_until(first_message), if self.room.is_none() => Step::Close(close::BAD_MESSAGE),
            };
            if !matches!(step, Step::On) {
                break step;
            }
        };
        if let Some(room) = self.room.take() {
            // A room that is too busy to hear it finds the socket's outbox closed and is told again by nobody: it must hear.
            let _ = timeout(ROOM_TIMEOUT, room.send(RoomCommand::Detach { socket: self.id })).await;
        }
        if let Step::Close(code) = end {
            metrics::counter!("signaling_closes_total", "code" => code.to_string()).increment(1);
            self.frames.close(code).await;
        }
    }

    async fn tell(&mut self, outbound: Outbound) -> Step {
        match outbound {
            Outbound::Message(message) => match self.frames.send(&message).await {
                Ok(()) => Step::On,
                Err(Over) => Step::Gone,
            },
            Outbound::Close(code) => Step::Close(code),
        }
    }

    async fn ask_for_a_sign(&mut self) -> Step {
        if self.heard_at.elapsed() > SILENCE || self.frames.ping().await.is_err() {
            return Step::Gone;
        }
        Step::On
    }

    async fn hear(&mut self, inbound: Inbound) -> Step {
        self.heard_at = Instant::now();
        if !self.budget.spend(self.heard_at) {
            return self.break_off(ErrorCode::TooFast, close::TOO_FAST).await;
        }
        match inbound {
            Inbound::Message(message) => self.answer(message).await,
            Inbound::Sign => Step::On,
            Inbound::Gone => Step::Gone,
            Inbound::Broken(close::BAD_MESSAGE) => self.break_off(ErrorCode::BadMessage, close::BAD_MESSAGE).await,
            Inbound::Broken(code) => Step::Close(code),
        }
    }

    async fn answer(&mut self, message: ClientMessage) -> Step {
        metrics::counter!("signaling_messages_total", "type" => type_name(&message)).increment(1);
        match (message, self.room.clone()) {
            (ClientMessage::Ping {}, _) => self.reply(ServerMessage::Pong {}),
            (ClientMessage::Join { token, offer }, None) => self.enter(&token, Entry::Join(offer)).await,
            (ClientMessage::Resume { token }, None) => self.enter(&token, Entry::Resume).await,
            (ClientMessage::Rejoin { offer }, Some(room)) => self.rejoin(&room, &offer).await,
            (ClientMessage::Status { status }, Some(room)) => {
                self.send(&room, RoomCommand::Status { socket: self.id, status })
            }
            (ClientMessage::Chat { id, text }, Some(room)) => {
                let chat = |reply| RoomCommand::Chat { socket: self.id, id, text, reply };
                let result = ask(&room, chat).await;
                self.outcome(result)
            }
            (ClientMessage::Leave {}, Some(room)) => self.send(&room, RoomCommand::Leave { socket: self.id }),
            // Nobody speaks before the token, and nobody shows a second one.
            (ClientMessage::Join { .. } | ClientMessage::Resume { .. }, Some(_)) | (_, None) => {
                self.break_off(ErrorCode::BadMessage, close::BAD_MESSAGE).await
            }
        }
    }

    /// The token decides who this socket is; from here on it can speak for nobody else.
    async fn enter(&mut self, token: &Redacted<String>, entry: Entry) -> Step {
        let admission = match self.node.redeem(token).await {
            Ok(admission) => admission,
            Err(refusal) => return self.break_off(refusal, close_after(refusal)).await,
        };
        tracing::Span::current().record("participant.id", tracing::field::display(admission.participant));
        match self.enter_room(&admission, entry).await {
            Ok(room) => {
                self.room = Some(room);
                Step::On
            }
            // The token is used up: the page needs another one, and a socket to show it.
            Err(refusal) => self.break_off(refusal, close_after(refusal)).await,
        }
    }

    async fn enter_room(&mut self, admission: &Admission, entry: Entry) -> Result<RoomSender, Refusal> {
        let (reply, entered) = oneshot::channel();
        let socket = Box::new(LocalSocket {
            id: self.id,
            participant: admission.participant,
            connection: admission.connection,
            joined: None,
            outbox: self.outbox.clone(),
        });
        let room = self.node.rooms.enter(&self.node, admission.into(), RoomCommand::Enter { socket, entry, reply })?;
        match timeout(ROOM_TIMEOUT, entered).await {
            Ok(Ok(Ok(()))) => Ok(room),
            Ok(Ok(Err(refusal))) => Err(refusal),
            Ok(Err(_)) | Err(_) => {
                // It may still let the socket in, later.
                let _ = room.send(RoomCommand::Detach { socket: self.id }).await;
                Err(ErrorCode::Unavailable)
            }
        }
    }

    /// Waits a little for a relay if there is none: the other one may be starting.
    async fn rejoin(&mut self, room: &RoomSender, offer: &Sdp) -> Step {
        let give_up = Instant::now() + WAIT_FOR_RELAY;
        loop {
            let rejoin = |reply| RoomCommand::Rejoin { socket: self.id, offer: offer.clone(), reply };
            match ask(room, rejoin).await {
                Err(ErrorCode::NoRelay) if Instant::now() < give_up => sleep(LOOK_FOR_RELAY).await,
                result => return self.outcome(result),
            }
        }
    }

    fn outcome(&self, result: Result<(), Refusal>) -> Step {
        if let Err(refusal) = result {
            self.outbox.refuse(refusal);
        }
        Step::On
    }

    fn reply(&self, message: ServerMessage) -> Step {
        self.outbox.send(message);
        Step::On
    }

    fn send(&self, room: &RoomSender, command: RoomCommand) -> Step {
        if room.try_send(command).is_err() {
            self.outbox.refuse(ErrorCode::Unavailable);
        }
        Step::On
    }

    /// Says why, after what was said before, and closes.
    async fn break_off(&mut self, refusal: ErrorCode, code: u16) -> Step {
        self.outbox.refuse(refusal);
        while let Ok(outbound) = self.outbound.try_recv() {
            if matches!(self.tell(outbound).await, Step::Gone) {
                return Step::Gone;
            }
        }
        Step::Close(code)
    }
}

/// Asks the room and waits for what becomes of it.
async fn ask(
    room: &RoomSender,
    command: impl FnOnce(oneshot::Sender<Result<(), Refusal>>) -> RoomCommand,
) -> Result<(), Refusal> {
    let (reply, outcome) = oneshot::channel();
    room.try_send(command(reply)).map_err(|_| ErrorCode::Unavailable)?;
    match timeout(ROOM_TIMEOUT, outcome).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) | Err(_) => Err(ErrorCode::Unavailable),
    }
}

/// With which code a socket that was not let in is closed.
const fn close_after(refusal: Refusal) -> u16 {
    match refusal {
        ErrorCode::TokenRefused => close::TOKEN_REFUSED,
        ErrorCode::OfferRefused | ErrorCode::BadMessage | ErrorCode::ChatRefused => close::BAD_MESSAGE,
        ErrorCode::TooFast => close::TOO_FAST,
        ErrorCode::RoomFull | ErrorCode::NoRelay | ErrorCode::Unavailable => TRY_AGAIN_LATER,
    }
}

/// The message's type as metrics name it.
const fn type_name(message: &ClientMessage) -> &'static str {
    match message {
        ClientMessage::Join { .. } => "join",
        ClientMessage::Resume { .. } => "resume",
        ClientMessage::Rejoin { .. } => "rejoin",
        ClientMessage::Status { .. } => "status",
        ClientMessage::Chat { .. } => "chat",
        ClientMessage::Leave {} => "leave",
        ClientMessage::Ping {} => "ping",
    }
}
