//! The null relay as a target: starts it, and gives everybody keys and addresses in place of a handshake.

use super::child::{ServerProcess, command};
use crate::relay::{
    null::control::{Answer, Command, Counts, text_of},
    peer::{Peer, PeerFactory, keys::Material},
    target::{Limits, Missing, Place, Seat, Server, Target},
};
use anyhow::Context as _;
use async_trait::async_trait;
use domain::{Random as _, media::MAX_PARTICIPANTS};
use service::random::SystemRandom;
use std::{collections::HashMap, net::SocketAddr, process::Stdio};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{ChildStdin, ChildStdout},
    sync::Mutex,
};

/// The null relay, to be started.
#[derive(Debug, Clone, Copy)]
pub struct Null {
    /// Sends packets of one batch and size to one receiver by one call (`UDP_SEGMENT`).
    pub with_gso: bool,
}

/// The null relay while it runs.
pub struct Running {
    process: ServerProcess,
    address: SocketAddr,
    talk: Mutex<Talk>,
}

/// Both ends of the conversation, and who sits where.
struct Talk {
    to: ChildStdin,
    from: Lines<BufReader<ChildStdout>>,
    /// By room: who is there, with the number of their seat.
    rooms: HashMap<u32, Vec<(u32, usize)>>,
    next: usize,
}

#[async_trait]
impl Target for Null {
    fn name(&self) -> &str {
        if self.with_gso { "null-gso" } else { "null" }
    }

    fn configuration(&self) -> Vec<(String, String)> {
        let sends =
            if self.with_gso { "UDP_SEGMENT, one call for equal packets of a batch" } else { "one call a packet" };
        let all = [("receives", "recvmmsg, 32 messages"), ("sends", sends), ("SRTP", "the relay's own code")];
        all.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    }

    /// As our relay's, whose floor it is.
    fn limits(&self) -> Limits {
        Limits { participants: MAX_PARTICIPANTS, simulcast: false }
    }

    async fn start(&self, place: &Place) -> Result<Box<dyn Server>, Missing> {
        Ok(Box::new(self.run(place).await?))
    }
}

impl Null {
    /// Starts it, and it can say what it has done.
    ///
    /// # Errors
    /// When this program cannot be started a second time.
    pub async fn run(&self, place: &Place) -> anyhow::Result<Running> {
        let mut process = command(std::env::current_exe()?, place);
        process
            .args(["null-relay", "--address", &place.address.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        if self.with_gso {
            process.arg("--gso");
        }
        let mut child = process.spawn()?;
        let to = child.stdin.take().context("it is piped")?;
        let from = BufReader::new(child.stdout.take().context("it is piped")?).lines();
        let process = ServerProcess::over(child)?;
        let mut talk = Talk { to, from, rooms: HashMap::new(), next: 0 };
        let Answer::Listens(port) = talk.hear().await? else {
            anyhow::bail!("the null relay does not say where it listens");
        };
        let address = SocketAddr::new(place.address, port);
        Ok(Running { process, address, talk: Mutex::new(talk) })
    }
}

impl Running {
    /// What it has done so far.
    ///
    /// # Errors
    /// When it is gone.
    pub async fn counts(&self) -> anyhow::Result<Counts> {
        let mut talk = self.talk.lock().await;
        match talk.ask(&Command::Count).await? {
            Answer::Counts(counts) => Ok(counts),
            _ => anyhow::bail!("the null relay does not say what it has done"),
        }
    }
}

#[async_trait]
impl Server for Running {
    fn processes(&self) -> Vec<u32> {
        vec![self.process.id()]
    }

    async fn join(&self, seat: &Seat, peers: &PeerFactory) -> anyhow::Result<Vec<Peer>> {
        let mut keys = vec![0; peers.suite().material_bytes()];
        SystemRandom.fill(&mut keys);
        let keys = Material::of(&keys)?;
        let (remote, peer) = peers.keyed(seat, self.address, keys.clone(), seat.receives)?;
        let mut talk = self.talk.lock().await;
        let number = talk.next;
        talk.next += 1;
        talk.say(&Command::Add { seat: number, remote, keys: text_of(&keys) }).await?;
        talk.rooms.entry(seat.room).or_default().push((seat.participant, number));
        talk.route(seat.room).await?;
        Ok(vec![peer])
    }

    async fn leave(&self, seat: &Seat) -> anyhow::Result<()> {
        let mut talk = self.talk.lock().await;
        let Some(room) = talk.rooms.get_mut(&seat.room) else { return Ok(()) };
        let Some(at) = room.iter().position(|(participant, _)| *participant == seat.participant) else { return Ok(()) };
        let (_, number) = room.remove(at);
        talk.say(&Command::Remove { seat: number }).await?;
        talk.route(seat.room).await
    }

    async fn stop(self: Box<Self>) {
        self.process.stop().await;
    }
}

impl Talk {
    /// Everybody in the room receives everybody else.
    async fn route(&mut self, room: u32) -> anyhow::Result<()> {
        let seats: Vec<usize> = self.rooms.get(&room).into_iter().flatten().map(|(_, number)| *number).collect();
        for &seat in &seats {
            let to = seats.iter().copied().filter(|other| *other != seat).collect();
            self.say(&Command::Forward { seat, to }).await?;
        }
        Ok(())
    }

    async fn say(&mut self, command: &Command) -> anyhow::Result<()> {
        anyhow::ensure!(self.ask(command).await? == Answer::Done, "the null relay does not do as it is told");
        Ok(())
    }

    async fn ask(&mut self, command: &Command) -> anyhow::Result<Answer> {
        self.to.write_all(format!("{}\n", serde_json::to_string(command)?).as_bytes()).await?;
        self.hear().await
    }

    async fn hear(&mut self) -> anyhow::Result<Answer> {
        let line = self.from.next_line().await?.context("the null relay is gone")?;
        Ok(serde_json::from_str(&line)?)
    }
}
