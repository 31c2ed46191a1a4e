//! Many participants in one thread: it connects their transports, publishes for them, and counts what comes.
//!
//! [`thread`] waits for sockets, time and commands; a [`session`] is one transport, which publishes by [`outgoing`] and
//! receives by [`incoming`], whose sources are [`stream`]s; [`tally`] is what comes out.

mod feedback;
mod frames;
mod incoming;
mod mark;
mod outgoing;
mod rtp;
mod session;
mod socket;
mod stream;
mod tally;
mod thread;

pub use tally::{Arrivals, Entry, Progress, Tally};

use super::peer::Peer;
use anyhow::Context;
use mio::{Poll, Waker};
use std::{
    sync::{Arc, mpsc},
    thread::JoinHandle,
    time::Duration,
};
use tokio::{
    sync::{oneshot, watch},
    time::timeout,
};

/// A participant knows the round trip of a path that has changed after so long.
pub const ROUND_TRIP_TIME: Duration = session::CONSENT_INTERVAL;

/// What the thread is told.
enum Command {
    Add(Vec<Peer>),
    Remove { room: u32 },
    Begin { below: u32, answer: oneshot::Sender<()> },
    Report(oneshot::Sender<Tally>),
    Entries(oneshot::Sender<Vec<Entry>>),
    RequestKeyframes(oneshot::Sender<usize>),
    Stop,
}

/// A running generator; it ends when dropped.
pub struct Generator {
    commands: mpsc::Sender<Command>,
    waker: Arc<Waker>,
    progress: watch::Receiver<Progress>,
    thread: Option<JoinHandle<()>>,
}

impl Generator {
    /// Starts the thread; it stays on the processor of whoever starts it.
    ///
    /// # Errors
    /// When the system gives no thread or poll.
    pub fn start(seed: u64) -> anyhow::Result<Self> {
        let poll = Poll::new()?;
        let waker = Arc::new(Waker::new(poll.registry(), thread::WAKE)?);
        let (commands, received) = mpsc::channel();
        let (told, progress) = watch::channel(Progress::default());
        let worker = thread::Worker::new(poll, received, told, seed);
        let thread = std::thread::Builder::new().name("generator".to_owned()).spawn(move || worker.run())?;
        Ok(Self { commands, waker, progress, thread: Some(thread) })
    }

    /// Connects transports and begins to publish on each as soon as it has keys.
    pub fn add(&self, peers: Vec<Peer>) {
        self.tell(Command::Add(peers));
    }

    /// Says goodbye for everybody in a room.
    pub fn remove_room(&self, room: u32) {
        self.tell(Command::Remove { room });
    }

    /// Begins a window: counters start at 0, and loss and latency are those of the rooms with a number below `below`.
    ///
    /// # Errors
    /// When the thread has ended.
    pub async fn begin(&self, below: u32) -> anyhow::Result<()> {
        self.ask(|answer| Command::Begin { below, answer }).await
    }

    /// What was counted since the window began.
    ///
    /// # Errors
    /// When the thread has ended.
    pub async fn report(&self) -> anyhow::Result<Tally> {
        self.ask(Command::Report).await
    }

    /// How everybody who is here came in.
    ///
    /// # Errors
    /// When the thread has ended.
    pub async fn entries(&self) -> anyhow::Result<Vec<Entry>> {
        self.ask(Command::Entries).await
    }

    /// Reports every received picture as lost, and says how many there are.
    ///
    /// # Errors
    /// When the thread has ended.
    pub async fn request_keyframes(&self) -> anyhow::Result<usize> {
        self.ask(Command::RequestKeyframes).await
    }

    /// Where everybody is, as last told.
    pub fn progress(&self) -> Progress {
        *self.progress.borrow()
    }

    /// Waits until everybody is where `wanted` says.
    ///
    /// # Errors
    /// Where everybody is instead, when that takes longer than `within`.
    pub async fn until(&self, wanted: impl FnMut(&Progress) -> bool, within: Duration) -> Result<Progress, Progress> {
        let mut progress = self.progress.clone();
        let reached = match timeout(within, progress.wait_for(wanted)).await {
            Ok(Ok(reached)) => Some(*reached),
            _ => None,
        };
        reached.ok_or_else(|| self.progress())
    }

    async fn ask<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> anyhow::Result<T> {
        let (answer, answered) = oneshot::channel();
        self.tell(command(answer));
        answered.await.context("the generator's thread has ended")
    }

    fn tell(&self, command: Command) {
        // Both fail only when the thread has ended; whoever waits for its answer learns it.
        let _ = self.commands.send(command);
        let _ = self.waker.wake();
    }
}

impl Drop for Generator {
    fn drop(&mut self) {
        self.tell(Command::Stop);
        if let Some(thread) = self.thread.take() {
            // A panic was printed by the thread.
            let _ = thread.join();
        }
    }
}
