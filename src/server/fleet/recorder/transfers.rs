//! Files, ports and sockets that pass a recorded session: seen as they pass, and written as rows.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::model::recording::transfers::{Row, Tally, TransferKind, Whose, path_text};
use crate::server::app::App;
use crate::server::fleet::Fleet;
use crate::server::fleet::register::Live;
use crate::ssh::BoxStream;
use crate::ssh::sftp_watch::{Deed, Watch};
use crate::ssh::watched::{Watched, Watcher};
use crate::tasks::OnPanic;
use crate::wire::session::{Back, Kind, ListenOn};

/// The longest that a row waits to be written: so much is lost with the server.
const EVERY: Duration = Duration::from_secs(1);
/// Attempts to write rows, after which they are left out.
const ATTEMPTS: usize = 10;

/// What passed one session, until it is written.
#[derive(Debug)]
pub(in crate::server::fleet) struct Log {
    clock: Clock,
    tally: Mutex<Tally>,
    changed: Notify,
    over: CancellationToken,
}

impl Log {
    fn new(clock: Clock) -> Arc<Self> {
        let (tally, changed, over) = (Mutex::default(), Notify::new(), CancellationToken::new());
        Arc::new(Self { clock, tally, changed, over })
    }

    /// The session ended: what lasts ends, and all is written.
    pub(in crate::server::fleet) fn close(&self) {
        self.over.cancel();
    }

    fn note<T>(&self, note: impl FnOnce(&mut Tally) -> T) -> T {
        let noted = note(&mut self.lock());
        self.changed.notify_one();
        noted
    }

    fn lock(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fleet {
    /// Has what passes a stream noted, where the session is to be recorded and the stream cannot be.
    pub(in crate::server::fleet) fn note_transfers(
        &self,
        live: &Arc<Live>,
        kind: &Kind,
        stream: BoxStream,
    ) -> BoxStream {
        if self.is_recorded(live).is_none() {
            return stream;
        }
        let (kind, name) = match kind {
            Kind::Sftp => return Box::new(Watched::new(stream, Files::new(self.transfers(live)))),
            Kind::Tcp { host, port } => (TransferKind::Port, target(host, *port)),
            Kind::Unix { path } => (TransferKind::Socket, path.clone()),
            Kind::Listen { on } => {
                let log = self.transfers(live);
                log.note(|tally| {
                    tally.again(TransferKind::Listener, &listener(on), log.clock.now())
                });
                return stream;
            }
            Kind::Exec { .. } | Kind::Terminal { .. } | Kind::Speedtest { .. } => return stream,
        };
        Box::new(Watched::new(stream, Counted::new(self.transfers(live), (kind, &name))))
    }

    /// The same for a stream that the agent opened.
    pub(in crate::server::fleet) fn note_back(
        &self,
        live: &Arc<Live>,
        back: &Back,
        stream: BoxStream,
    ) -> BoxStream {
        match back {
            Back::Accepted { on, .. } if self.is_recorded(live).is_some() => {
                let of = (TransferKind::Listener, &*listener(on));
                Box::new(Watched::new(stream, Counted::new(self.transfers(live), of)))
            }
            Back::Accepted { .. } | Back::SshAgent => stream,
        }
    }

    /// The log of a session, begun when this is the first that passes.
    fn transfers(&self, live: &Live) -> Arc<Log> {
        let begun = live.transfers.get_or_init(|| {
            let log = Log::new(self.0.clock.clone());
            let whose = Whose { session: live.id, user: live.user, workspace: live.workspace };
            let (app, stop) = (self.0.app.clone(), self.0.tasks.token());
            let run = write(app, Arc::clone(&log), whose, stop);
            self.0.tasks.spawn_graceful("transfers", OnPanic::Lose, run);
            log
        });
        Arc::clone(begun)
    }
}

fn target(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

fn listener(on: &ListenOn) -> String {
    match on {
        ListenOn::Tcp { host, port } => target(host, *port),
        ListenOn::Unix { path } => path.clone(),
    }
}

/// Writes what changed, until the session ends or the server stops.
async fn write(app: App, log: Arc<Log>, whose: Whose, stop: CancellationToken) {
    loop {
        let is_last = tokio::select! {
            () = async { log.changed.notified().await; tokio::time::sleep(EVERY).await } => false,
            () = log.over.cancelled() => true,
            () = stop.cancelled() => true,
        };
        let rows = {
            let mut tally = log.lock();
            if is_last {
                tally.end_all(log.clock.now());
            }
            tally.take()
        };
        put(&app, whose, rows).await;
        if is_last {
            return;
        }
    }
}

async fn put(app: &App, whose: Whose, rows: Vec<Row>) {
    if rows.is_empty() {
        return;
    }
    for _ in 0..ATTEMPTS {
        let Err(error) = app.put_transfers(whose, rows.clone()).await else { return };
        tracing::error!(session.id = %whose.session, %error, "what passed a session was not written");
        tokio::time::sleep(EVERY).await;
    }
}

/// What is known of a stream of SFTP, whose files are noted.
struct Files {
    watch: Watch,
    log: Arc<Log>,
    /// The rows of files that are open. They are no more than a watch keeps in mind.
    rows: BTreeMap<u32, i64>,
}

impl Files {
    fn new(log: Arc<Log>) -> Self {
        Self { watch: Watch::default(), log, rows: BTreeMap::new() }
    }
}

impl Watcher for Files {
    fn read(&mut self, bytes: &[u8]) {
        let Self { watch, log, rows } = self;
        watch.answers(bytes, |deed| enter(log, rows, deed));
    }

    fn written(&mut self, bytes: &[u8]) {
        let Self { watch, log, rows } = self;
        watch.asks(bytes, |deed| enter(log, rows, deed));
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let now = self.log.clock.now();
        self.log.note(|tally| self.rows.values().for_each(|row| tally.end(*row, now)));
    }
}

fn enter(log: &Log, rows: &mut BTreeMap<u32, i64>, deed: Deed) {
    let now = log.clock.now();
    let at_once = |kind, name: &[u8], to: &[u8]| {
        log.note(|tally| {
            let row = tally.begin(kind, (&path_text(name), &path_text(to)), now);
            tally.end(row, now);
        });
    };
    match deed {
        Deed::Opened { file, path, writes } => {
            let kind = if writes { TransferKind::Upload } else { TransferKind::Download };
            let row = log.note(|tally| tally.begin(kind, (&path_text(&path), ""), now));
            rows.insert(file, row);
        }
        Deed::Read { file, bytes } => {
            if let Some(row) = rows.get(&file) {
                log.note(|tally| tally.count(*row, bytes.into(), 0));
            }
        }
        Deed::Wrote { file, bytes } => {
            if let Some(row) = rows.get(&file) {
                log.note(|tally| tally.count(*row, 0, bytes.into()));
            }
        }
        Deed::Closed { file } => {
            if let Some(row) = rows.remove(&file) {
                log.note(|tally| tally.end(row, now));
            }
        }
        Deed::Removed { path } => at_once(TransferKind::Remove, &path, b""),
        Deed::Renamed { from, to } => at_once(TransferKind::Rename, &from, &to),
        Deed::Unseen => {
            log.note(|tally| {
                tally.again(TransferKind::Rest, "", now);
            });
        }
    }
}

/// A stream whose bytes are counted in a row.
struct Counted {
    log: Arc<Log>,
    row: i64,
}

impl Counted {
    fn new(log: Arc<Log>, (kind, name): (TransferKind, &str)) -> Self {
        let now = log.clock.now();
        let row = log.note(|tally| tally.again(kind, name, now));
        Self { log, row }
    }
}

impl Watcher for Counted {
    fn read(&mut self, bytes: &[u8]) {
        self.log.note(|tally| tally.count(self.row, bytes.len() as u64, 0));
    }

    fn written(&mut self, bytes: &[u8]) {
        self.log.note(|tally| tally.count(self.row, 0, bytes.len() as u64));
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let now = self.log.clock.now();
        self.log.note(|tally| tally.end(self.row, now));
    }
}
