//! The one loop of a node that reads and writes: the socket, the relay and the timers.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, broadcast, mpsc};
use tokio_util::sync::CancellationToken;

use super::node::{Node, NodeEvent, StreamRef};
use super::outbox::{Ready, Transmit};
use super::path::Path;
use super::relay::RelayFrame;
use super::socket::{ReceiveRoom, Socket};
use crate::clock::Clock;
use crate::model::peer::PeerKey;

/// Batches taken from the node in one turn: the lock is held for some 100 µs each.
const BATCHES: usize = 8;
/// Receives in one turn, before something is sent again.
const RECEIVES: usize = 4;
/// How long a node that stops waits for what was written to be acknowledged.
const LINGER: Duration = Duration::from_millis(500);
/// How often it looks meanwhile.
const LINGER_STEP: Duration = Duration::from_millis(10);
/// Without timers the loop still turns this often.
const IDLE: Duration = Duration::from_secs(60);

/// What the handles and the loop share.
pub(super) struct Shared {
    node: Mutex<Node>,
    pub(super) wake: Notify,
    pub(super) clock: Clock,
    pub(super) socket: Socket,
    relay: Mutex<Option<Relay>>,
    next_relay: AtomicU64,
    pub(super) lost: broadcast::Sender<PeerKey>,
    pub(super) stopped: AtomicBool,
}

#[derive(Clone)]
struct Relay {
    id: u64,
    sender: mpsc::Sender<RelayFrame>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(super) fn new(
        node: Node,
        clock: Clock,
        socket: Socket,
        lost: broadcast::Sender<PeerKey>,
    ) -> Self {
        Self {
            node: Mutex::new(node),
            wake: Notify::new(),
            clock,
            socket,
            relay: Mutex::new(None),
            next_relay: AtomicU64::new(0),
            lost,
            stopped: AtomicBool::new(false),
        }
    }

    pub(super) fn node(&self) -> MutexGuard<'_, Node> {
        lock(&self.node)
    }

    pub(super) fn attach_relay(&self, sender: mpsc::Sender<RelayFrame>) -> u64 {
        let id = self.next_relay.fetch_add(1, Ordering::Relaxed);
        *lock(&self.relay) = Some(Relay { id, sender });
        self.node().set_relay(true, self.clock.instant());
        self.wake.notify_one();
        id
    }

    /// Detaches, unless another relay was attached since.
    pub(super) fn detach_relay(&self, id: u64) {
        let mut relay = lock(&self.relay);
        if relay.as_ref().is_some_and(|relay| relay.id == id) {
            *relay = None;
            self.node().set_relay(false, self.clock.instant());
        }
        drop(relay);
        self.wake.notify_one();
    }

    fn relay(&self) -> Option<Relay> {
        lock(&self.relay).clone()
    }
}

/// Streams that peers opened, on their way to [`super::Overlay::accept`].
pub(super) type Incoming = mpsc::Sender<(PeerKey, StreamRef)>;

/// Ends all streams when the loop ends, however it does.
struct StopGuard(Arc<Shared>);

impl Drop for StopGuard {
    fn drop(&mut self) {
        self.0.stopped.store(true, Ordering::Release);
        self.0.node().close(self.0.clock.instant());
    }
}

/// What waits for its way to take it: at most the rest of one turn.
#[derive(Default)]
struct Blocked {
    direct: VecDeque<Transmit>,
    relay: VecDeque<Transmit>,
}

impl Blocked {
    fn ready(&self) -> Ready {
        Ready { direct: self.direct.is_empty(), relay: self.relay.is_empty() }
    }
}

/// Runs a node until `stop`; then says goodbye to its peers.
pub(super) async fn run(shared: Arc<Shared>, incoming: Incoming, stop: CancellationToken) {
    let guard = StopGuard(Arc::clone(&shared));
    let mut blocked = Blocked::default();
    let mut room = ReceiveRoom::new();
    while !stop.is_cancelled() {
        let more = turn(&shared, &incoming, &mut blocked);
        if !more {
            let stopping = stop.cancelled();
            tokio::select! {
                () = stopping => {}
                () = wait(&shared, &mut blocked) => {}
            }
        }
        receive(&shared, &mut room);
        // Other tasks of this thread have their turn.
        tokio::task::yield_now().await;
    }
    linger(&shared, &incoming, &mut blocked, &mut room).await;
    drop(guard);
    turn(&shared, &incoming, &mut blocked);
}

/// Gives what was written a moment to arrive.
async fn linger(
    shared: &Shared,
    incoming: &Incoming,
    blocked: &mut Blocked,
    room: &mut ReceiveRoom,
) {
    let until = shared.clock.instant() + LINGER;
    while shared.node().unsent() && shared.clock.instant() < until {
        turn(shared, incoming, blocked);
        let _ = tokio::time::timeout(LINGER_STEP, wait(shared, blocked)).await;
        receive(shared, room);
    }
}

/// One round of timers, sends and events; says whether there is more to send at once.
fn turn(shared: &Shared, incoming: &Incoming, blocked: &mut Blocked) -> bool {
    let now = shared.clock.instant();
    let mut batches = Vec::with_capacity(BATCHES);
    let ready = blocked.ready();
    {
        let mut node = shared.node();
        node.handle_timeout(now);
        while batches.len() < BATCHES
            && let Some(transmit) = node.poll_transmit(now, ready)
        {
            batches.push(transmit);
        }
        while let Some(event) = node.poll_event() {
            announce(shared, &mut node, incoming, event);
        }
    }
    let more = batches.len() == BATCHES;
    for transmit in batches {
        match transmit.path {
            Path::Direct(_) => blocked.direct.push_back(transmit),
            Path::Relay => blocked.relay.push_back(transmit),
        }
    }
    send_direct(shared, blocked);
    send_relay(shared, blocked);
    more && blocked.ready() != Ready { direct: false, relay: false }
}

fn announce(shared: &Shared, node: &mut Node, incoming: &Incoming, event: NodeEvent) {
    match event {
        NodeEvent::Opened(key, stream) => {
            if incoming.try_send((key, stream)).is_err() {
                tracing::warn!(peer.key = %key, "a stream was refused: too many wait to be accepted");
                node.release(stream, false, shared.clock.instant());
            }
        }
        // Nobody may be listening.
        NodeEvent::Lost(key) => drop(shared.lost.send(key)),
    }
}

fn send_direct(shared: &Shared, blocked: &mut Blocked) {
    while let Some(transmit) = blocked.direct.pop_front() {
        let Path::Direct(to) = transmit.path else { continue };
        if !shared.socket.send(to, transmit.datagrams(), transmit.segment) {
            blocked.direct.push_front(transmit);
            return;
        }
        shared.node().recycle(transmit);
    }
}

fn send_relay(shared: &Shared, blocked: &mut Blocked) {
    let Some(relay) = shared.relay() else {
        blocked.relay.clear();
        return;
    };
    while !blocked.relay.is_empty() {
        match relay.sender.try_reserve() {
            Ok(room) => {
                if let Some(transmit) = blocked.relay.pop_front() {
                    room.send(transmit.into_frame());
                }
            }
            Err(mpsc::error::TrySendError::Full(())) => return,
            Err(mpsc::error::TrySendError::Closed(())) => {
                shared.detach_relay(relay.id);
                blocked.relay.clear();
            }
        }
    }
}

/// Waits until there is something to do.
async fn wait(shared: &Shared, blocked: &mut Blocked) {
    let deadline = shared.node().poll_timeout();
    let now = shared.clock.instant();
    let due = deadline.map_or(IDLE, |at| at.saturating_duration_since(now).min(IDLE));
    let free = blocked.ready();
    let writable = async {
        if free.direct {
            std::future::pending::<()>().await;
        }
        shared.socket.writable().await;
    };
    let relay = if free.relay { None } else { shared.relay() };
    let relay_free = async {
        match &relay {
            Some(relay) => drop(relay.sender.reserve().await),
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = std::future::poll_fn(|cx| shared.socket.poll_readable(cx)) => {}
        () = shared.wake.notified() => {}
        () = tokio::time::sleep(due) => {}
        () = writable => send_direct(shared, blocked),
        () = relay_free => send_relay(shared, blocked),
    }
}

fn receive(shared: &Shared, room: &mut ReceiveRoom) {
    for _ in 0..RECEIVES {
        let now = shared.clock.instant();
        let mut node = None;
        let some = shared.socket.receive(room, |from, data, segment| {
            node.get_or_insert_with(|| shared.node()).input(Path::Direct(from), data, segment, now);
        });
        if !some {
            break;
        }
    }
}
