//! The null relay as a target: starts it, and gives everybody keys and addresses in place of a handshake.

use super::child::{ServerProcess, command};
use crate::relay::{
    null::control::{Answer, Command, text_of},
    peer::{Peer, PeerFactory},
    target::{Limits, Missing, Place, Seat, Server, Target},
};
use anyhow::Context as _;
use async_trait::async_trait;
use domain::{Random as _, media::MAX_PARTICIPANTS};
use media_relay::srtp::KEYING_MATERIAL_BYTES;
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

struct Running {
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
        let all =
            [("receives", "recvmmsg, 32 messages"), ("sends", sends), ("SRTP", "AES-128-GCM, the relay's own code")];
        all.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    }

    /// As our relay's, whose floor it is.
    fn limits(&self) -> Limits {
        Limits { participants: MAX_PARTICIPANTS, simulcast: false }
    }

    async fn start(&self, place: &Place) -> Result<Box<dyn Server>, Missing> {
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
            return Err(Missing { why: "the null relay does not say where it listens".to_owned() });
        };
        let address = SocketAddr::new(place.address, port);
        Ok(Box::new(Running { process, address, talk: Mutex::new(talk) }))
    }
}

#[async_trait]
impl Server for Running {
    fn processes(&self) -> Vec<u32> {
        vec![self.process.id()]
    }

    async fn join(&self, seat: &Seat, peers: &PeerFactory) -> anyhow::Result<Vec<Peer>> {
        let mut keys = [0; KEYING_MATERIAL_BYTES];
        SystemRandom.fill(&mut keys);
        let (remote, peer) = peers.keyed(seat, self.address, keys, seat.receives)?;
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
        self.to.write_all(format!("{}\n", serde_json::to_string(command)?).as_bytes()).await?;
        anyhow::ensure!(self.hear().await? == Answer::Done, "the null relay does not do as it is told");
        Ok(())
    }

    async fn hear(&mut self) -> anyhow::Result<Answer> {
        let line = self.from.next_line().await?.context("the null relay is gone")?;
        Ok(serde_json::from_str(&line)?)
    }
}
