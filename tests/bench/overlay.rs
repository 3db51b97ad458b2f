//! How fast a stream of the overlay is over loopback UDP, beside plain TCP: `cargo bench --bench
//! overlay`. Prints Gbit/s and the ratio; the ratio is what can be compared between machines.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::net::{Ipv6Addr, SocketAddr};
use std::time::Duration;

use anyhow::Context as _;
use steading::clock::{Clock, Entropy};
use steading::model::peer::{Peer, PeerKind};
use steading::net::{Overlay, OverlayConfig};
use steading::tasks::{OnPanic, Tasks};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const SPAN: Duration = Duration::from_secs(3);
const CHUNK: usize = 64 << 10;
const ROUND_TRIPS: u32 = 2000;

async fn host(n: u16, tasks: &Tasks) -> anyhow::Result<(Overlay, Ipv6Addr)> {
    let address = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, n);
    let bind = SocketAddr::from(([127, 0, 0, 1], 0));
    let config = OverlayConfig { secret: Entropy::machine().bytes(), bind, address };
    let overlay = Overlay::start(config, Clock::machine(), Entropy::machine(), tasks).await?;
    Ok((overlay, address))
}

fn peer((overlay, address): &(Overlay, Ipv6Addr)) -> Peer {
    let endpoints = vec![overlay.local_addr()];
    Peer { key: overlay.key(), kind: PeerKind::Agent, address: *address, endpoints, user: None }
}

/// Writes for a while; gives Gbit/s as the reader saw them.
async fn rate<W, R>(mut write: W, mut read: R, tasks: &Tasks) -> anyhow::Result<f64>
where
    W: AsyncWrite + Send + Unpin + 'static,
    R: AsyncRead + Unpin,
{
    let clock = Clock::machine();
    let until = clock.instant() + SPAN;
    tasks.spawn("writer", OnPanic::Stop, async move {
        let chunk = vec![7; CHUNK];
        while clock.instant() < until && write.write_all(&chunk).await.is_ok() {}
        let _ = write.shutdown().await;
    });
    let (clock, mut room, mut total) = (Clock::machine(), vec![0; CHUNK], 0);
    let began = clock.instant();
    loop {
        match read.read(&mut room).await? {
            0 => break,
            some => total += some,
        }
    }
    Ok(total as f64 * 8.0 / (clock.instant() - began).as_secs_f64() / 1e9)
}

/// The mean of many round trips of one byte.
async fn round_trip<S>(mut near: S, mut far: S, tasks: &Tasks) -> anyhow::Result<Duration>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    tasks.spawn("echo", OnPanic::Stop, async move {
        while let Ok(byte) = far.read_u8().await {
            if far.write_u8(byte).await.is_err() {
                break;
            }
        }
    });
    let clock = Clock::machine();
    let began = clock.instant();
    for _ in 0..ROUND_TRIPS {
        near.write_u8(1).await?;
        near.read_u8().await?;
    }
    Ok((clock.instant() - began) / ROUND_TRIPS)
}

async fn streams(
    from: &Overlay,
    to: &Overlay,
) -> anyhow::Result<(steading::net::Stream, steading::net::Stream)> {
    let mut near = from.open(&to.key()).await?;
    near.write_u8(0).await?;
    let (_, mut far) = to.accept().await.context("Accepting a stream")?;
    far.read_u8().await?;
    Ok((near, far))
}

async fn run() -> anyhow::Result<()> {
    let tasks = Tasks::new();
    let (ada, bob) = (host(1, &tasks).await?, host(2, &tasks).await?);
    ada.0.set_peer(&peer(&bob));
    bob.0.set_peer(&peer(&ada));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let near = TcpStream::connect(listener.local_addr()?).await?;
    let (far, _) = listener.accept().await?;
    let tcp = rate(near, far, &tasks).await?;
    println!("tcp      {tcp:6.2} Gbit/s");
    for (name, from, to) in [("up", &ada.0, &bob.0), ("down", &bob.0, &ada.0)] {
        let (near, far) = streams(from, to).await?;
        let overlay = rate(near, far, &tasks).await?;
        println!("{name:8} {overlay:6.2} Gbit/s  {:.3} of tcp", overlay / tcp);
    }
    let (near, far) = streams(&ada.0, &bob.0).await?;
    println!("round trip {:?}", round_trip(near, far, &tasks).await?);
    tasks.stop(Duration::from_secs(2)).await;
    Ok(())
}

fn main() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(run())
}
