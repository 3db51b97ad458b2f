//! Agents on the server's own machine: each keeps a spare connection to a socket here, on which the
//! server opens a session's stream, so that its bytes need no overlay.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use subtle::ConstantTimeEq as _;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Notify;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::strangers::Strangers;
use super::{Fleet, lock};
use crate::clock::Entropy;
use crate::model::id::AgentId;
use crate::model::peer::PeerKey;
use crate::net::local::{self, State};
use crate::tasks::{OnPanic, Tasks};
use crate::wire::local::{LocalSecret, LocalWay, SECRET_BYTES};

/// Time to say who one is: an agent does so with the first thing it writes.
const GREETING_WITHIN: Duration = Duration::from_secs(1);
/// Spare connections of one agent. It keeps one; the rest are on their way.
const MAX_SPARE: usize = 8;
/// Agents that are kept in mind while they are away.
const MAX_KNOWN: usize = 4096;
/// How long a session waits for the next spare before it takes the overlay.
const SPARE_WITHIN: Duration = Duration::from_millis(100);

/// The socket, and who is known there.
pub(super) struct Local {
    /// None where there are no such names.
    name: Option<String>,
    /// Where this process is.
    place: String,
    known: Arc<Mutex<BTreeMap<AgentId, Known>>>,
}

/// An agent's connection as the socket knows it.
struct Known {
    /// The process's key on the overlay.
    key: PeerKey,
    secret: [u8; SECRET_BYTES],
    /// Whether it keeps spares: it may be unable to, and then nobody waits for one.
    keeps: bool,
    spare: VecDeque<UnixStream>,
    came: Arc<Notify>,
    /// Ends its streams.
    end: CancellationToken,
}

impl Local {
    /// Listens under a name that nobody can know before.
    pub(super) fn start(entropy: &Entropy, tasks: &Tasks) -> Self {
        let name = format!("steading-{:032x}", u128::from_le_bytes(entropy.bytes()));
        let local = Self { name: None, place: local::place(), known: Arc::default() };
        let door = match local::listen(&name) {
            Ok(door) => door,
            Err(error) => {
                tracing::debug!(%error, "agents on this machine are reached by the overlay");
                return local;
            }
        };
        let (known, own) = (Arc::clone(&local.known), tasks.clone());
        tasks.spawn("fleet-local", OnPanic::Stop, async move { accept(&door, &known, &own).await });
        Self { name: Some(name), ..local }
    }

    /// What to tell an agent that connected and says it is at `place`; nothing to one on another
    /// machine. What is open to it stays when it is the same process.
    pub(super) fn offer(
        &self,
        (agent, key): (AgentId, PeerKey),
        place: &str,
        entropy: &Entropy,
    ) -> Option<LocalWay> {
        let name = self.name.clone().filter(|_| !place.is_empty() && place == self.place)?;
        let secret = entropy.bytes();
        let mut all = lock(&self.known);
        let end = match all.remove(&agent) {
            Some(before) if before.key == key => before.end,
            Some(before) => {
                before.end.cancel();
                CancellationToken::new()
            }
            None => CancellationToken::new(),
        };
        all.insert(
            agent,
            Known { key, secret, keeps: false, spare: VecDeque::new(), came: Arc::default(), end },
        );
        Some(LocalWay { name, owner: local::owner(), secret: LocalSecret(secret) })
    }

    /// An agent's connection ended. What is open stays, for it may be back.
    pub(super) fn rest(&self, agent: AgentId, key: PeerKey) {
        let mut all = lock(&self.known);
        if let Some(known) = all.get_mut(&agent).filter(|known| known.key == key) {
            known.spare.clear();
            known.keeps = false;
        }
        // Those that are not coming back leave no more than their names, and not for ever.
        if all.len() > MAX_KNOWN {
            all.retain(|_, known| known.keeps);
        }
    }

    /// Ends what is open to an agent that may not be here any more.
    pub(super) fn dismiss(&self, agent: AgentId) {
        if let Some(known) = lock(&self.known).remove(&agent) {
            known.end.cancel();
        }
    }

    /// Whether an agent's streams go this way.
    pub(super) fn reaches(&self, agent: AgentId) -> bool {
        lock(&self.known).get(&agent).is_some_and(|known| known.keeps)
    }

    /// A stream to an agent, if it is on this machine.
    pub(super) async fn take(&self, agent: AgentId) -> Option<LocalStream> {
        let taken = tokio::time::timeout(SPARE_WITHIN, async {
            loop {
                let came = match self.look(agent)? {
                    Ok(stream) => return Some(stream),
                    Err(came) => came,
                };
                came.notified().await;
            }
        });
        if let Ok(taken) = taken.await {
            return taken;
        }
        if let Some(known) = lock(&self.known).get_mut(&agent) {
            // One may have come in this very moment.
            known.keeps = !known.spare.is_empty();
        }
        None
    }

    /// A spare that is still good, or what tells of the next one; none where there will be none.
    fn look(&self, agent: AgentId) -> Option<Result<LocalStream, Arc<Notify>>> {
        let mut all = lock(&self.known);
        let known = all.get_mut(&agent).filter(|known| known.keeps)?;
        while let Some(stream) = known.spare.pop_front() {
            if local::look(&stream) == State::Quiet {
                return Some(Ok(LocalStream::new(stream, &known.end)));
            }
        }
        Some(Err(Arc::clone(&known.came)))
    }
}

async fn accept(door: &UnixListener, known: &Arc<Mutex<BTreeMap<AgentId, Known>>>, tasks: &Tasks) {
    let strangers: Arc<Mutex<Strangers<CancellationToken>>> = Arc::default();
    loop {
        let stream = match door.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Out of descriptors: it passes, and must not turn in a circle until then.
                tracing::warn!(%error, "a connection of an agent on this machine was lost");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        // Who cannot be told is one of those who cannot.
        let uid = stream.peer_cred().map_or(u32::MAX, |peer| peer.uid());
        let end = CancellationToken::new();
        let (number, left) = lock(&strangers).admit(uid, end.clone());
        if let Some(left) = left {
            left.cancel();
        }
        let (known, strangers) = (Arc::clone(known), Arc::clone(&strangers));
        tasks.spawn("fleet-local-greeting", OnPanic::Lose, async move {
            tokio::select! {
                () = greet(stream, &known) => {}
                () = end.cancelled() => {}
            }
            lock(&strangers).leave(number);
        });
    }
}

/// Keeps a connection as a spare of whom it says it is from, if it knows that agent's secret.
async fn greet(mut stream: UnixStream, known: &Mutex<BTreeMap<AgentId, Known>>) {
    let said = tokio::time::timeout(GREETING_WITHIN, local::greeting(&mut stream)).await;
    let Ok(Ok((agent, secret))) = said else { return };
    let mut all = lock(known);
    let Some(known) = all.get_mut(&agent) else { return };
    if bool::from(known.secret.ct_eq(&secret)) && known.spare.len() < MAX_SPARE {
        known.keeps = true;
        known.spare.push_back(stream);
        known.came.notify_one();
    }
}

/// A stream to an agent on this machine. Ends with that agent's connection being dismissed.
pub(super) struct LocalStream {
    inner: UnixStream,
    // Two, since reader and writer may be different tasks: each future keeps one waker.
    end_reading: Pin<Box<WaitForCancellationFutureOwned>>,
    end_writing: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl LocalStream {
    fn new(inner: UnixStream, end: &CancellationToken) -> Self {
        let wait = || Box::pin(end.clone().cancelled_owned());
        Self { inner, end_reading: wait(), end_writing: wait() }
    }
}

fn ended() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionReset, "the agent may not be here any more")
}

impl AsyncRead for LocalStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.end_reading.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(ended()));
        }
        Pin::new(&mut self.inner).poll_read(cx, buffer)
    }
}

impl AsyncWrite for LocalStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.end_writing.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(ended()));
        }
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

impl Fleet {
    /// A stream to an agent. What says itself how it ends may take the local way; a broken forward
    /// must look broken to whoever reads it, which a socket's end does not.
    pub(super) async fn stream_to(
        &self,
        agent: AgentId,
        says_its_end: bool,
    ) -> anyhow::Result<crate::ssh::BoxStream> {
        use anyhow::Context as _;
        let Some(key) = self.agent_key(agent) else {
            anyhow::bail!("the workspace's agent is not connected");
        };
        if says_its_end && let Some(stream) = self.0.local.take(agent).await {
            return Ok(Box::new(stream));
        }
        let stream = self.0.overlay.open(&key).await.context("Reaching the agent")?;
        Ok(Box::new(stream))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_agent_is_heard_among_hundreds_who_say_nothing() {
        let (entropy, tasks) = (Entropy::seeded(3), Tasks::new());
        let local = Local::start(&entropy, &tasks);
        let agent = AgentId(uuid::Uuid::from_u128(7));
        let key = PeerKey([1; 32]);
        let way = local.offer((agent, key), &local::place(), &entropy).unwrap();
        let mut silent = vec![];
        for _ in 0..300 {
            silent.push(UnixStream::connect(format!("\0{}", way.name)).await.unwrap());
        }
        let stream = local::dial(&way, agent).await.unwrap();
        let came = async {
            while !local.reaches(agent) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), came).await.expect("it is known");
        assert!(local.take(agent).await.is_some());
        drop((stream, silent));
    }
}
