//! Overlays over loopback UDP and an in-process relay.

use std::net::{Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::mpsc;

use super::relay::{self, RelayFrame, RelayQueues, Verdict};
use super::{OpenError, Overlay, OverlayConfig, Path, RelayInput, Stream};
use crate::clock::{Clock, Entropy};
use crate::model::peer::{Peer, PeerKey, PeerKind};
use crate::tasks::{OnPanic, Tasks};

const PATIENCE: Duration = Duration::from_secs(30);

struct Host {
    overlay: Overlay,
    address: Ipv6Addr,
    tasks: Tasks,
}

impl Host {
    async fn start(n: u8) -> Self {
        Self::with_secret(n, Entropy::machine().bytes()).await
    }

    async fn with_secret(n: u8, secret: [u8; 32]) -> Self {
        let tasks = Tasks::new();
        let address = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, n.into());
        let bind = SocketAddr::from(([127, 0, 0, 1], 0));
        let config = OverlayConfig { secret, bind, address };
        let overlay =
            Overlay::start(config, Clock::machine(), Entropy::machine(), &tasks).await.unwrap();
        Self { overlay, address, tasks }
    }

    fn key(&self) -> PeerKey {
        self.overlay.key()
    }

    fn peer(&self, endpoints: Vec<SocketAddr>) -> Peer {
        let (key, address) = (self.key(), self.address);
        Peer { key, kind: PeerKind::Agent, address, endpoints, user: None }
    }

    fn knows(&self, other: &Self) {
        self.overlay.set_peer(&other.peer(vec![other.overlay.local_addr()]));
    }

    fn knows_by_relay(&self, other: &Self) {
        self.overlay.set_peer(&other.peer(vec![]));
    }

    /// Opens a stream to the other and gives both ends.
    async fn stream_to(&self, other: &Self) -> (Stream, Stream) {
        let mut here = self.overlay.open(&other.key()).await.unwrap();
        here.write_all(b"!").await.unwrap();
        let (from, mut there) = in_time(other.overlay.accept()).await.unwrap();
        assert_eq!(from, self.key());
        assert_eq!(in_time(there.read_u8()).await.unwrap(), b'!');
        (here, there)
    }
}

async fn in_time<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, work).await.expect("in time")
}

async fn pair() -> (Host, Host) {
    let (ada, bob) = (Host::start(1).await, Host::start(2).await);
    ada.knows(&bob);
    bob.knows(&ada);
    (ada, bob)
}

/// An in-process relay that joins hosts.
struct Relay {
    _inputs: Arc<Mutex<Vec<(PeerKey, RelayInput)>>>,
}

impl Relay {
    fn join(hosts: &[&Host]) -> Self {
        let inputs = Arc::new(Mutex::new(Vec::new()));
        let queues = Arc::new(Mutex::new(RelayQueues::new()));
        for host in hosts {
            let (sender, mut frames) = mpsc::channel::<RelayFrame>(16);
            let key = host.key();
            queues.lock().unwrap().connect(key);
            inputs.lock().unwrap().push((key, host.overlay.attach_relay(sender)));
            let (inputs, queues) = (Arc::downgrade(&inputs), Arc::clone(&queues));
            host.tasks.spawn("relay", OnPanic::Lose, async move {
                while let Some(frame) = frames.recv().await {
                    let Some(inputs) = inputs.upgrade() else { return };
                    let mut queues = queues.lock().unwrap();
                    let Verdict::Queued(to) = queues.push(&key, frame, |_, _| true) else {
                        continue;
                    };
                    let inputs = inputs.lock().unwrap();
                    while let Some(frame) = queues.pop(&to) {
                        assert_eq!(relay::decode(&frame).unwrap().0, key);
                        inputs.iter().filter(|(k, _)| *k == to).for_each(|(_, input)| {
                            input.push(frame.clone());
                        });
                    }
                }
            });
        }
        Self { _inputs: inputs }
    }
}

fn pattern(seed: u64, length: usize) -> Vec<u8> {
    let mut out = vec![0; length];
    let mut x = seed | 1;
    for chunk in out.chunks_mut(8) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        chunk.copy_from_slice(&x.to_le_bytes()[..chunk.len()]);
    }
    out
}

/// Sends `length` bytes each way at once, and checks them.
async fn exchange(here: Stream, there: Stream, length: usize) {
    async fn side(stream: Stream, send: &[u8], expect: &[u8]) {
        let (mut read, mut write) = tokio::io::split(stream);
        let sending = async {
            write.write_all(send).await.unwrap();
            write.shutdown().await.unwrap();
        };
        let receiving = async {
            let mut got = Vec::with_capacity(expect.len());
            read.read_to_end(&mut got).await.unwrap();
            assert_eq!(got.len(), expect.len());
            assert!(got == expect, "the bytes arrived changed");
        };
        tokio::join!(sending, receiving);
    }
    let (a, b) = (pattern(1, length), pattern(2, length));
    in_time(async { tokio::join!(side(here, &a, &b), side(there, &b, &a)) }).await;
}

#[tokio::test]
async fn a_hundred_megabytes_cross_both_ways() {
    let (ada, bob) = pair().await;
    let (here, there) = ada.stream_to(&bob).await;
    exchange(here, there, 100 << 20).await;
    let status = ada.overlay.status(&bob.key()).unwrap();
    assert_eq!(status.path, Some(Path::Direct(bob.overlay.local_addr())));
    assert!(status.tx_bytes > 100 << 20 && status.rx_bytes > 100 << 20);
}

#[tokio::test]
async fn either_side_opens_streams() {
    let (ada, bob) = pair().await;
    let _first = ada.stream_to(&bob).await;
    for _ in 0..50 {
        let (here, there) = bob.stream_to(&ada).await;
        exchange(here, there, 10_000).await;
        let (here, there) = ada.stream_to(&bob).await;
        exchange(here, there, 10_000).await;
    }
}

#[tokio::test]
async fn both_sides_open_at_once() {
    let (ada, bob) = pair().await;
    let (ada_key, bob_key) = (ada.key(), bob.key());
    let (a, b) =
        in_time(async { tokio::join!(ada.overlay.open(&bob_key), bob.overlay.open(&ada_key)) })
            .await;
    let (mut a, mut b) = (a.unwrap(), b.unwrap());
    a.write_all(b"a").await.unwrap();
    b.write_all(b"b").await.unwrap();
    let (_, mut from_a) = in_time(bob.overlay.accept()).await.unwrap();
    let (_, mut from_b) = in_time(ada.overlay.accept()).await.unwrap();
    assert_eq!(from_a.read_u8().await.unwrap(), b'a');
    assert_eq!(from_b.read_u8().await.unwrap(), b'b');
}

#[tokio::test]
async fn without_an_address_the_relay_carries() {
    let (ada, bob) = (Host::start(1).await, Host::start(2).await);
    ada.knows_by_relay(&bob);
    bob.knows_by_relay(&ada);
    let _relay = Relay::join(&[&ada, &bob]);
    let (here, there) = ada.stream_to(&bob).await;
    assert_eq!(ada.overlay.status(&bob.key()).unwrap().path, Some(Path::Relay));
    exchange(here, there, 10 << 20).await;
}

#[tokio::test]
async fn a_stream_moves_from_the_relay_to_a_direct_path() {
    let (ada, bob) = (Host::start(1).await, Host::start(2).await);
    ada.knows_by_relay(&bob);
    bob.knows_by_relay(&ada);
    let _relay = Relay::join(&[&ada, &bob]);
    let (here, there) = ada.stream_to(&bob).await;
    ada.knows(&bob);
    let direct = Path::Direct(bob.overlay.local_addr());
    in_time(async {
        while ada.overlay.status(&bob.key()).unwrap().path != Some(direct) {
            tokio::task::yield_now().await;
        }
    })
    .await;
    exchange(here, there, 1 << 20).await;
}

#[tokio::test]
async fn a_removed_peer_is_cut_off_at_once() {
    let (ada, bob) = pair().await;
    let (mut here, mut there) = ada.stream_to(&bob).await;
    let mut lost = ada.overlay.lost();
    ada.overlay.remove_peer(&bob.key());
    let cut = async {
        assert!(here.read_u8().await.is_err());
        assert!(here.write_all(b"more").await.is_err());
        assert!(there.read_u8().await.is_err(), "the peer is told");
        assert_eq!(lost.recv().await.unwrap(), bob.key());
    };
    tokio::time::timeout(Duration::from_secs(2), cut).await.expect("within two seconds");
    assert_eq!(ada.overlay.open(&bob.key()).await.unwrap_err(), OpenError::Unknown);
    let again = tokio::time::timeout(Duration::from_secs(3), bob.overlay.open(&ada.key())).await;
    assert!(again.is_err(), "who was removed gets no answer");
}

#[tokio::test]
async fn a_restarted_peer_is_reached_again_within_seconds() {
    let secret = [7; 32];
    // In a runtime of its own, which ends with all its tasks as a killed process does: no goodbye.
    let killed = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let killed = killed.unwrap();
    let old = killed.spawn(Host::with_secret(2, secret));
    let (ada, old) = (Host::start(1).await, old.await.unwrap());
    ada.knows(&old);
    old.knows(&ada);
    let (mut here, _there) = ada.stream_to(&old).await;
    killed.shutdown_background();
    let new = Host::with_secret(2, secret).await;
    new.knows(&ada);
    ada.knows(&new);
    let (_back, _) = new.stream_to(&ada).await;
    let ended = tokio::time::timeout(Duration::from_secs(2), here.read_u8()).await;
    assert!(ended.expect("the old stream fails fast").is_err());
    let (again, there) = ada.stream_to(&new).await;
    exchange(again, there, 10_000).await;
}

#[tokio::test]
async fn a_packet_with_a_foreign_source_address_is_dropped() {
    let (ada, bob) = pair().await;
    bob.overlay.set_address(Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 99));
    let opening = tokio::time::timeout(Duration::from_secs(3), bob.overlay.open(&ada.key())).await;
    assert!(opening.is_err(), "nothing answers a packet with a foreign address");
    bob.overlay.set_address(bob.address);
    let (here, there) = bob.stream_to(&ada).await;
    exchange(here, there, 1000).await;
}

#[tokio::test]
async fn an_absent_peer_is_reported_with_what_was_tried() {
    let ada = Host::start(1).await;
    let nobody = PeerKey([9; 32]);
    assert_eq!(ada.overlay.open(&nobody).await.unwrap_err(), OpenError::Unknown);
    let endpoint = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (address, kind) = (Ipv6Addr::LOCALHOST, PeerKind::Agent);
    ada.overlay.set_peer(&Peer {
        key: nobody,
        kind,
        address,
        endpoints: vec![endpoint],
        user: None,
    });
    let error = in_time(ada.overlay.open(&nobody)).await.unwrap_err();
    assert_eq!(error, OpenError::Timeout { tried: format!("tried {endpoint}: no answer") });
}

#[tokio::test]
async fn what_was_written_arrives_when_the_node_stops() {
    let (ada, bob) = pair().await;
    let (mut here, mut there) = ada.stream_to(&bob).await;
    let data = pattern(3, 1 << 20);
    let receiving = async {
        let mut got = Vec::new();
        there.read_to_end(&mut got).await.unwrap();
        got
    };
    let sending = async {
        here.write_all(&data).await.unwrap();
        here.shutdown().await.unwrap();
        assert!(ada.tasks.stop(PATIENCE).await);
    };
    let (got, ()) = in_time(async { tokio::join!(receiving, sending) }).await;
    assert!(got == data);
    assert_eq!(ada.overlay.open(&bob.key()).await.unwrap_err(), OpenError::Stopped);
    assert!(ada.overlay.accept().await.is_none());
}
