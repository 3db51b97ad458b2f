//! The agent: runs on the workspace's machine.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use futures_util::future::BoxFuture;
use tokio::time::timeout;

use crate::clock::{Clock, Entropy};
use crate::model::log::LogLevel;
use crate::net::dial::Dialer;
use crate::net::{Overlay, OverlayConfig};
use crate::tasks::OnPanic;
use crate::wire::program;

use base::Base;
use connection::Connection;
use peers::Peers;
use update::Updates;
use work::Work;

pub mod account;
pub mod backoff;
pub mod base;
pub mod busy;
pub mod connection;
pub mod env;
pub mod group;
mod hardware;
pub mod health;
#[cfg(unix)]
pub mod init;
pub mod lifecycle;
pub mod lines;
pub mod load;
#[cfg_attr(not(unix), path = "no_local.rs")]
mod local;
pub mod log_buffer;
pub mod marker;
mod marks;
pub mod metadata;
pub mod output;
pub mod peers;
pub mod platform;
pub mod ports;
pub mod process;
pub mod reports;
pub mod script_file;
pub mod scripts;
pub mod sessions;
mod terminals;
#[cfg(test)]
mod testing;
pub mod update;
mod waker;
pub mod work;

/// How an agent is started.
#[derive(Clone)]
pub struct Options {
    /// Where the server is.
    pub url: url::Url,
    /// The agent's secret.
    pub token: String,
    /// A private directory for scripts and links; everything in it may be deleted between two runs.
    pub state_dir: PathBuf,
    /// This program, for the links called `coder` and `steading`.
    pub binary: PathBuf,
    /// The environment the process was started with.
    pub environment: BTreeMap<String, String>,
    /// Where the overlay's UDP socket is bound.
    pub bind: SocketAddr,
    /// How the server is connected to.
    pub dialer: Dialer,
    /// Whether it replaces its program by the server's newer one.
    pub updates: update::Mode,
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("url", &self.url.as_str())
            .field("state_dir", &self.state_dir)
            .finish_non_exhaustive()
    }
}

/// Runs the agent until the system asks it to end; then the stop scripts have run.
/// Losing the server, or being refused by it, is never the end. Made for a current-thread runtime.
/// As the first process of a container it runs itself again as a child, and reaps orphans. Gives the
/// exit code to end with.
///
/// # Errors
/// When the agent cannot be set up (no socket, no state directory).
pub async fn run(options: Options, clock: Clock, entropy: Entropy) -> anyhow::Result<u8> {
    #[cfg(unix)]
    if init::is_first() {
        return init::run_again(&options.binary).await;
    }
    #[cfg(unix)]
    if let Err(error) = crate::spawn::raise_open_files() {
        tracing::warn!(%error, "the limit of open files could not be raised");
    }
    let mut ends = platform::Ends::listen()?;
    let agent = start(&options, &clock, &entropy).await?;
    tokio::select! {
        () = ends.next() => {}
        () = agent.updates.due(&agent.base, agent.peers.sessions()) => {
            return agent.make_room(&options.binary).await;
        }
    }
    tokio::select! {
        () = agent.stop() => {}
        // Someone is in a hurry.
        () = ends.next() => {}
    }
    agent.base.tasks.stop(LAST_WORDS).await;
    Ok(0)
}

/// What is left to be told at the end may take this long, and stopping the tasks as well.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// A running agent.
struct Agent {
    base: Base,
    peers: Arc<Peers>,
    work: Work,
    updates: Updates,
}

async fn start(options: &Options, clock: &Clock, entropy: &Entropy) -> anyhow::Result<Agent> {
    let base = Base::prepare(options, clock.clone(), entropy.clone())?;
    // Found out before the connection, which would wait for it.
    #[cfg(windows)]
    let _ = tokio::task::spawn_blocking(hardware::machine).await;
    // The key lives as long as the process: a server that comes back knows the agent by it.
    let secret = entropy.bytes();
    let config = |bind| OverlayConfig { secret, bind, address: Ipv6Addr::UNSPECIFIED };
    let overlay = |bind| Overlay::start(config(bind), clock.clone(), entropy.clone(), &base.tasks);
    let overlay = match overlay(options.bind).await {
        // A system without that family.
        Err(_) if options.bind.is_ipv6() => {
            overlay((Ipv4Addr::UNSPECIFIED, options.bind.port()).into()).await?
        }
        started => started?,
    };
    let peers = Arc::new(Peers::new(&base, overlay));
    let work = Work::new(base.clone());
    let updates = Updates::new(options);
    updates.go_on(&base);
    let does = (work.clone(), updates.clone());
    let connection = Connection::new(options, base.clone(), peers.clone(), does)?;
    let hello = format!("Agent {} on {}", program::version(), platform::host());
    base.reports.own_line(LogLevel::Info, &hello);

    let spawn = |name, task: BoxFuture<'static, ()>| base.tasks.spawn(name, OnPanic::Stop, task);
    let (ground, doors) = (base.clone(), peers.clone());
    spawn("peers", Box::pin(async move { doors.serve(&ground).await }));
    let doors = peers.clone();
    spawn("peers-grace", Box::pin(async move { doors.end_grace().await }));
    let (ground, sessions) = (base.clone(), peers.sessions().clone());
    spawn("load", Box::pin(async move { load::watch(&ground, &sessions).await }));
    let (ground, sessions) = (base.clone(), peers.sessions().clone());
    let anyone = move || sessions.counts().sessions > 0;
    spawn("ports", Box::pin(async move { ports::watch(&ground, anyone).await }));
    spawn("connection", Box::pin(async move { connection.run().await }));
    Ok(Agent { base, peers, work, updates })
}

impl Agent {
    /// Runs the program that was put in this one's place: whoever started it sees no end, and stop
    /// scripts are not due. Gives the exit code to end with.
    async fn make_room(self, program: &std::path::Path) -> anyhow::Result<u8> {
        let _ = timeout(LAST_WORDS, self.base.reports.all_heard()).await;
        self.updates.leave(&self.base).await;
        update::next::run(program, self)
            .await
            .with_context(|| format!("Running {}", program.display()))
    }

    /// Runs the stop scripts and tells the server how they ended, if it is there to listen.
    async fn stop(&self) {
        self.work.shut_down();
        self.work.over().await;
        let _ = timeout(LAST_WORDS, self.base.reports.all_heard()).await;
    }
}
