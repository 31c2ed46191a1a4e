//! Brings whole rooms into a server and out again, and knows who is there.

use super::{
    generator::{Generator, Progress},
    peer::PeerFactory,
    scenario::Room,
    target::{Seat, Server},
};
use anyhow::Context as _;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};
use tokio::time::sleep_until;

/// Rooms that are joined at a time when nothing else is said.
const AT_ONCE: usize = 8;
/// How long it may take until everybody receives everything.
const PATIENCE: Duration = Duration::from_secs(10);

/// The people at one server.
pub struct Crowd<'a> {
    server: &'a dyn Server,
    peers: &'a PeerFactory,
    generator: &'a Generator,
    room: &'a Room,
    /// The rooms that are there, oldest first.
    rooms: VecDeque<u32>,
    next_room: u32,
    transports: usize,
}

impl<'a> Crowd<'a> {
    /// Nobody yet. Rooms will be as `room`.
    pub fn new(server: &'a dyn Server, peers: &'a PeerFactory, generator: &'a Generator, room: &'a Room) -> Self {
        Self { server, peers, generator, room, rooms: VecDeque::new(), next_room: 0, transports: 0 }
    }

    /// How many rooms are there.
    pub fn rooms(&self) -> usize {
        self.rooms.len()
    }

    /// How many people are there.
    pub fn participants(&self) -> usize {
        self.rooms.len() * self.room.seats.len()
    }

    /// The number that the next room will have; all that are there have a lower one.
    pub const fn next_room(&self) -> u32 {
        self.next_room
    }

    /// Lets rooms come until there are `rooms`, spread over `over`, and gives how long that took.
    ///
    /// # Errors
    /// When the server refuses somebody or is gone.
    pub async fn grow_to(&mut self, rooms: usize, over: Duration) -> anyhow::Result<Duration> {
        let began = Instant::now();
        let count = rooms.saturating_sub(self.rooms.len());
        let numbers = self.next_room..self.next_room + u32::try_from(count)?;
        let each = over.checked_div(u32::try_from(count)?).unwrap_or_default();
        let at_once = if over.is_zero() { AT_ONCE } else { count.max(1) };
        let (server, peers, generator, room) = (self.server, self.peers, self.generator, self.room);
        let joins = stream::iter(numbers.clone().enumerate()).map(|(place, number)| async move {
            sleep_until((began + each * place as u32).into()).await;
            join(server, peers, generator, room, number).await
        });
        let transports: Vec<usize> = joins.buffer_unordered(at_once).try_collect().await?;
        self.transports += transports.iter().sum::<usize>();
        self.next_room = numbers.end;
        self.rooms.extend(numbers);
        Ok(began.elapsed())
    }

    /// Waits until everybody receives everything.
    ///
    /// # Errors
    /// Where everybody is instead.
    pub async fn settled(&self) -> Result<Progress, Progress> {
        let all = self.transports;
        self.generator.until(|progress| progress.transports == all && progress.flowing == all, PATIENCE).await
    }

    /// Takes the oldest room out.
    ///
    /// # Errors
    /// When the server refuses or is gone.
    pub async fn leave_oldest(&mut self) -> anyhow::Result<()> {
        let Some(number) = self.rooms.pop_front() else { return Ok(()) };
        self.generator.remove_room(number);
        for seat in &self.room.seats {
            self.server.leave(&Seat { room: number, ..*seat }).await?;
        }
        let left = self.generator.entries().await?.len();
        self.transports = left;
        Ok(())
    }
}

/// One room: its people come one after the other, and each is connected as soon as they are answered.
async fn join(
    server: &dyn Server,
    peers: &PeerFactory,
    generator: &Generator,
    room: &Room,
    number: u32,
) -> anyhow::Result<usize> {
    let mut transports = 0;
    for seat in &room.seats {
        let seat = Seat { room: number, ..*seat };
        let joined = server.join(&seat, peers).await;
        let joined = joined.with_context(|| format!("participant {} of room {number}", seat.participant))?;
        transports += joined.len();
        generator.add(joined);
    }
    let subscribed = server.subscribe(number, peers).await.with_context(|| format!("receiving in room {number}"))?;
    transports += subscribed.len();
    generator.add(subscribed);
    Ok(transports)
}
