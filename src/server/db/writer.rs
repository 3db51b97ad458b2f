//! The writer: takes the writes that have gathered, commits them as one, and answers everyone after.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self as std_mpsc, RecvTimeoutError};
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::{broadcast, oneshot};

use super::pool::{keep_statements, run};
use super::{Error, WriteTx, audit_words, schema};
use crate::clock::{Clock, Entropy};
use crate::model::event::Event;

/// Writes in one commit: bounds how long the first of them waits.
const MAX_BATCH: usize = 128;
/// How long nobody has written before what searches in the audit log go by is brought up to date.
const QUIET: Duration = Duration::from_secs(1);

/// Runs inside a savepoint, or is told why there is none.
pub(super) type Job = Box<dyn FnOnce(Result<Bench<'_>, Lost>) -> Answer + Send>;
/// Is called after the commit with whether that worked.
type Reply = Box<dyn FnOnce(Result<(), Lost>) + Send>;

/// What a write works with.
#[derive(Clone, Copy)]
pub(super) struct Bench<'a> {
    conn: &'a Connection,
    clock: &'a Clock,
    entropy: &'a Entropy,
}

/// Why nothing of a batch was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lost {
    /// There was no room on the disk.
    Full,
    /// SQLite failed otherwise; the log says how.
    Failed,
}

/// What a write came to.
pub(super) struct Answer {
    keep: bool,
    events: Vec<Event>,
    reply: Reply,
}

impl From<Lost> for Error {
    fn from(lost: Lost) -> Self {
        match lost {
            Lost::Full => Self::Full,
            Lost::Failed => Self::NotWritten,
        }
    }
}

impl Lost {
    /// Takes SQLite's word, and puts it into the log.
    fn because(error: &Error, what: &'static str) -> Self {
        tracing::error!(%error, what, "nothing of a batch of writes stays");
        if matches!(error, Error::Full) { Self::Full } else { Self::Failed }
    }
}

/// A write as the queue holds it; `tell` hears what became of it.
pub(super) fn job<T, E, F>(work: F, tell: oneshot::Sender<Result<T, E>>) -> Job
where
    T: Send + 'static,
    E: From<Error> + Send + 'static,
    F: FnOnce(&WriteTx<'_>) -> Result<T, E> + Send + 'static,
{
    Box::new(move |bench| {
        let result = match bench {
            Ok(bench) => return run_job(bench, work, tell),
            Err(lost) => Err(Error::from(lost).into()),
        };
        answer(result, Vec::new(), tell)
    })
}

fn run_job<T, E, F>(bench: Bench<'_>, work: F, tell: oneshot::Sender<Result<T, E>>) -> Answer
where
    T: Send + 'static,
    E: From<Error> + Send + 'static,
    F: FnOnce(&WriteTx<'_>) -> Result<T, E>,
{
    let tx = WriteTx::new(bench.conn, bench.clock.now_ms(), bench.entropy);
    let result = catch_unwind(AssertUnwindSafe(|| work(&tx)))
        .unwrap_or_else(|_| Err(Error::Panicked.into()));
    let events = if result.is_ok() { tx.take_events() } else { Vec::new() };
    answer(result, events, tell)
}

fn answer<T, E>(
    result: Result<T, E>,
    events: Vec<Event>,
    tell: oneshot::Sender<Result<T, E>>,
) -> Answer
where
    T: Send + 'static,
    E: From<Error> + Send + 'static,
{
    let keep = result.is_ok();
    let reply: Reply = Box::new(move |committed| {
        let answer = match committed {
            Err(lost) if keep => Err(Error::from(lost).into()),
            Ok(()) | Err(_) => result,
        };
        // The caller may have gone; what was committed stands.
        let _ = tell.send(answer);
    });
    Answer { keep, events, reply }
}

/// What the writer lets others know.
pub(super) struct Told {
    /// What happened.
    pub(super) events: broadcast::Sender<Event>,
    /// Goes up with each commit.
    pub(super) commits: AtomicU64,
    /// Whether there may be audit entries that searches do not find yet.
    pub(super) is_behind: AtomicBool,
}

/// Opens the connection that writes, and brings the schema up to date.
///
/// # Errors
/// When the file cannot be opened, or a migration fails.
pub(super) fn open(path: &Path) -> super::Result<Connection> {
    let mut conn = Connection::open(path)?;
    conn.busy_timeout(Duration::from_secs(5))?;
    conn.pragma_update(None, "journal_mode", "WAL")?;
    // An acknowledged write survives a power cut; gathered commits make that affordable.
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.pragma_update(None, "trusted_schema", "OFF")?;
    // What a savepoint keeps to be undone is then held in kilobytes, not in a piece of 64 for
    // each write, which the allocator would give back and fetch anew.
    conn.pragma_update(None, "temp_store", "MEMORY")?;
    schema::prepare(&mut conn)?;
    conn.pragma_update(None, "foreign_keys", "ON")?;
    keep_statements(&conn)?;
    Ok(conn)
}

/// What the writer takes its work from, and works with.
pub(super) struct Desk {
    pub(super) jobs: std_mpsc::Receiver<Job>,
    pub(super) told: Arc<Told>,
    pub(super) clock: Clock,
    pub(super) entropy: Entropy,
}

/// A connection for writing that is on its way to be open.
#[derive(Debug)]
pub struct Opening(std_mpsc::Receiver<Result<(), Error>>);

impl Opening {
    /// Waits until it is open.
    ///
    /// # Errors
    /// Why it is not.
    pub fn wait(self) -> super::Result<()> {
        self.0.recv().unwrap_or(Err(Error::Panicked))
    }
}

/// Starts the writer: its thread opens the connection, and then writes until nobody has the queue.
///
/// # Errors
/// When there can be no thread.
pub(super) fn start<F>(open: F, desk: Desk) -> super::Result<Opening>
where
    F: FnOnce() -> super::Result<Connection> + Send + 'static,
{
    let (tell, opened) = std_mpsc::channel();
    let run = move || match open() {
        Ok(conn) => {
            let _ = tell.send(Ok(()));
            write_loop(&conn, &desk);
        }
        Err(error) => {
            let _ = tell.send(Err(error));
        }
    };
    std::thread::Builder::new()
        .name("db-writer".to_owned())
        .spawn(run)
        .map_err(|e| Error::Unreadable { what: "thread", why: e.to_string() })?;
    Ok(Opening(opened))
}

/// Takes what has gathered, commits it as one, and answers everyone after.
fn write_loop(conn: &Connection, desk: &Desk) {
    let Desk { jobs, told, clock, entropy } = desk;
    let mut wrote = false;
    while let Some(first) = next(conn, jobs, told) {
        let mut batch = vec![first];
        while batch.len() < MAX_BATCH
            && let Ok(job) = jobs.try_recv()
        {
            batch.push(job);
        }
        wrote = true;
        let (answers, committed) = run_batch(Bench { conn, clock, entropy }, batch);
        // Before anyone is answered: who knows of a write must not be told what was before it.
        told.is_behind.store(true, Ordering::Release);
        told.commits.fetch_add(1, Ordering::Release);
        for answer in answers {
            (answer.reply)(committed);
            if committed.is_ok() {
                for event in answer.events {
                    // No listener is no fault.
                    let _ = told.events.send(event);
                }
            }
        }
    }
    // A file that was refused is left as it is.
    if wrote && let Err(error) = conn.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)") {
        tracing::warn!(%error, "the last checkpoint did not finish; the next start does it");
    }
}

/// The next write, none at the end. Where there is time, searches are brought up to date before it.
fn next(conn: &Connection, jobs: &std_mpsc::Receiver<Job>, told: &Told) -> Option<Job> {
    let mut wait = QUIET;
    while told.is_behind.load(Ordering::Acquire) {
        match jobs.recv_timeout(wait) {
            Ok(job) => return Some(job),
            Err(RecvTimeoutError::Disconnected) => return None,
            Err(RecvTimeoutError::Timeout) => wait = Duration::ZERO,
        }
        match enter_words(conn) {
            Ok(is_behind) => told.is_behind.store(is_behind, Ordering::Release),
            Err(error) => {
                tracing::warn!(%error, "audit entries are not ready to be searched; the next search tries");
                break;
            }
        }
    }
    jobs.recv().ok()
}

/// Enters some of what waits. Whether there is more.
fn enter_words(conn: &Connection) -> super::Result<bool> {
    run(conn, "BEGIN IMMEDIATE")?;
    let entered = audit_words::go_on(conn).and_then(|more| run(conn, "COMMIT").map(|()| more));
    if entered.is_err() && !conn.is_autocommit() {
        run(conn, "ROLLBACK")?;
    }
    entered
}

fn run_batch(bench: Bench<'_>, batch: Vec<Job>) -> (Vec<Answer>, Result<(), Lost>) {
    let mut state =
        run(bench.conn, "BEGIN IMMEDIATE").map_err(|error| Lost::because(&error, "begin"));
    let mut answers = Vec::with_capacity(batch.len());
    for job in batch {
        let answer = match state {
            Ok(()) => run_saved(bench, job, &mut state),
            Err(lost) => job(Err(lost)),
        };
        answers.push(answer);
    }
    if state.is_ok() {
        enter_some(bench.conn, &mut state);
    }
    let committed = state
        .and_then(|()| run(bench.conn, "COMMIT").map_err(|error| Lost::because(&error, "commit")));
    // A full disk ends the transaction by itself, in the middle of a statement or at the commit.
    if committed.is_err()
        && !bench.conn.is_autocommit()
        && let Err(error) = run(bench.conn, "ROLLBACK")
    {
        tracing::error!(%error, "a transaction could not be rolled back");
    }
    (answers, committed)
}

/// Brings searches closer to what is written, in the same commit. That it fails undoes nothing else.
fn enter_some(conn: &Connection, state: &mut Result<(), Lost>) {
    let entered = run(conn, "SAVEPOINT words").and_then(|()| {
        let entered = audit_words::step(conn);
        if entered.is_err() && !conn.is_autocommit() {
            run(conn, "ROLLBACK TO words")?;
        }
        run(conn, "RELEASE words").and(entered)
    });
    match entered {
        Ok(()) => {}
        Err(error) if conn.is_autocommit() => *state = Err(Lost::because(&error, "words")),
        Err(error) => tracing::warn!(%error, "audit entries are not ready to be searched"),
    }
}

/// One job in a savepoint of its own, so that its failure undoes only itself. `state` becomes an
/// error when the transaction around it is lost: nothing may be written outside of it.
fn run_saved(bench: Bench<'_>, job: Job, state: &mut Result<(), Lost>) -> Answer {
    let conn = bench.conn;
    if let Err(error) = run(conn, "SAVEPOINT job") {
        *state = Err(Lost::because(&error, "savepoint"));
        return job(state.map(|()| bench));
    }
    let answer = job(Ok(bench));
    if conn.is_autocommit() {
        *state = Err(Lost::because(&Error::Full, "a statement"));
        return answer;
    }
    let undone = if answer.keep { Ok(()) } else { run(conn, "ROLLBACK TO job") };
    if let Err(error) = undone.and_then(|()| run(conn, "RELEASE job")) {
        *state = Err(Lost::because(&error, "release"));
    }
    answer
}
