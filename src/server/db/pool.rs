//! Connections: one writer thread that commits what has gathered, and a few readers that cannot write.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc as std_mpsc;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::{Semaphore, broadcast, oneshot};

pub use super::writer::Opening;
use super::writer::{self, Desk, Job, Told, job};
use super::{Error, ReadTx, Result, WriteTx, inspect, plan, schema};
use crate::clock::{Clock, Entropy};
use crate::model::event::Event;

/// Connections for reading: two cores' worth and two that wait for the disk.
const N_READERS: usize = 4;
/// Writes that may wait for the writer; more callers wait before they are queued.
const QUEUE: usize = 1024;
/// Events a slow listener may be behind before it must re-read everything.
const EVENTS: usize = 4096;
/// How long the end waits for who still reads or writes.
const GATHER_WITHIN: std::time::Duration = std::time::Duration::from_millis(500);
/// Most rows that a read on the caller's thread may want: well under a millisecond of log lines.
const SHORT: u32 = 500;
/// Prepared statements kept per connection.
const STATEMENTS: usize = 256;

/// A handle to the database; clones share it.
#[derive(Clone)]
pub struct Db(Arc<Shared>);

struct Shared {
    queue: std_mpsc::SyncSender<Job>,
    room: Semaphore,
    readers: Mutex<Vec<Connection>>,
    permits: Semaphore,
    path: PathBuf,
    told: Arc<Told>,
    clock: Clock,
    work: plan::Work,
}

impl Db {
    /// Opens or makes the database at `path` and brings its schema up to date.
    ///
    /// # Errors
    /// When the file cannot be opened, is not one of this program or newer, or a migration fails.
    pub fn open(path: &Path, clock: Clock, entropy: Entropy) -> Result<Self> {
        let (db, opening) = Self::begin(path, clock, entropy)?;
        opening.wait()?;
        Ok(db)
    }

    /// The same, but the connection that writes may still be opening: each reads the whole schema, which
    /// takes milliseconds, and where to open the file changes nothing the two first ones do so side by
    /// side. Writes wait for it.
    ///
    /// # Errors
    /// As [`Db::open`]. What goes wrong later, the [`Opening`] knows.
    pub fn begin(path: &Path, clock: Clock, entropy: Entropy) -> Result<(Self, Opening)> {
        let (queue, jobs) = std_mpsc::sync_channel(QUEUE);
        let (events, _) = broadcast::channel(EVENTS);
        // What was killed may have left entries that searches do not find.
        let is_behind = AtomicBool::new(true);
        let told = Arc::new(Told { events, commits: AtomicU64::new(0), is_behind });
        let desk = Desk { jobs, told: Arc::clone(&told), clock: clock.clone(), entropy };
        let (opening, looked) = if inspect::is_todays(path) {
            let here = path.to_owned();
            let opening = writer::start(move || writer::open(&here), desk)?;
            (opening, inspect::file(path)?)
        } else {
            let looked = inspect::file(path)?;
            let was_private = inspect::make_private(path);
            let conn = writer::open(path)?;
            (writer::start(move || Ok(conn), desk)?, looked.filter(|_| was_private))
        };
        let looked = looked.map(as_reader).transpose()?;
        let work = plan::Work::default();
        if let Some(conn) = &looked {
            work.count(conn)?;
        }
        let shared = Shared {
            queue,
            room: Semaphore::new(QUEUE),
            readers: Mutex::new(looked.into_iter().collect()),
            permits: Semaphore::new(N_READERS),
            path: path.to_owned(),
            told,
            clock,
            work,
        };
        Ok((Self(Arc::new(shared)), opening))
    }

    /// Runs `work` on a file that is only read, beside a server or without one.
    ///
    /// # Errors
    /// What `work` returns, or that the file cannot be opened, is not one of this program's or of
    /// another version.
    pub fn look<T, E, F>(path: &Path, clock: &Clock, work: F) -> std::result::Result<T, E>
    where
        E: From<Error>,
        F: FnOnce(&ReadTx<'_>) -> std::result::Result<T, E>,
    {
        let conn = match inspect::file(path)? {
            Some(looked) => as_reader(looked)?,
            None => open_reader(path)?,
        };
        schema::require_current(&conn)?;
        run(&conn, "BEGIN")?;
        work(&ReadTx::new(&conn, clock.now()))
    }

    /// Runs `work` in a transaction that may write. When it returns an error nothing of it stays.
    /// A caller that goes away does not undo it.
    ///
    /// # Errors
    /// What `work` returns, or that the database is closed.
    pub async fn write<T, E, F>(&self, work: F) -> std::result::Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: FnOnce(&WriteTx<'_>) -> std::result::Result<T, E> + Send + 'static,
    {
        let permit = self.0.room.acquire().await.map_err(|_| Error::Closed)?;
        let (tell, told) = oneshot::channel();
        self.0.queue.try_send(job(work, tell)).map_err(|_| Error::Closed)?;
        let answer = told.await.map_err(|_| E::from(Error::Closed));
        drop(permit);
        answer?
    }

    /// Runs `work` in a transaction that reads one state of the database, on the caller's thread:
    /// a short read takes less time than handing it to another.
    ///
    /// # Errors
    /// What `work` returns, or that no connection could be opened.
    pub async fn read<T, E, F>(&self, work: F) -> std::result::Result<T, E>
    where
        E: From<Error>,
        F: FnOnce(&ReadTx<'_>) -> std::result::Result<T, E>,
    {
        let _permit = self.0.permits.acquire().await.map_err(|_| Error::Closed)?;
        self.0.read(work)
    }

    /// The same for searches in the audit log: they find every entry that was committed by now.
    ///
    /// # Errors
    /// As [`Db::read`].
    pub async fn read_audit<T, E, F>(&self, work: F) -> std::result::Result<T, E>
    where
        E: From<Error>,
        F: FnOnce(&ReadTx<'_>) -> std::result::Result<T, E>,
    {
        if self.0.told.is_behind.load(Ordering::Acquire) {
            // Whoever cannot write, for want of room, still reads what is found already.
            let _: Result<()> = self.write(|tx| tx.enter_audit_words()).await;
        }
        self.read(work).await
    }

    /// The same on a thread for what takes long: archives, states, logs to be downloaded.
    ///
    /// # Errors
    /// As [`Db::read`].
    pub async fn read_large<T, E, F>(&self, work: F) -> std::result::Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: FnOnce(&ReadTx<'_>) -> std::result::Result<T, E> + Send + 'static,
    {
        let _permit = self.0.permits.acquire().await.map_err(|_| Error::Closed)?;
        let shared = Arc::clone(&self.0);
        let done = tokio::task::spawn_blocking(move || shared.read(work)).await;
        done.map_err(|_| E::from(Error::Panicked))?
    }

    /// The same for up to `rows` rows: many are read on a thread of their own.
    ///
    /// # Errors
    /// As [`Db::read`].
    pub async fn read_rows<T, E, F>(&self, rows: u32, work: F) -> std::result::Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: FnOnce(&ReadTx<'_>) -> std::result::Result<T, E> + Send + 'static,
    {
        if rows > SHORT { self.read_large(work).await } else { self.read(work).await }
    }

    /// The work of all reads until now, in steps of SQLite's machine. Counted in debug builds only.
    #[must_use]
    pub fn work(&self) -> u64 {
        self.0.work.steps()
    }

    /// A number that differs after each commit of this program. What was read after it was asked for
    /// is still so for as long as it stays.
    #[must_use]
    pub fn commits(&self) -> u64 {
        self.0.told.commits.load(Ordering::Acquire)
    }

    /// Brings all that was written into the one file, so that a copy of it is whole. For the end:
    /// readers and writers have to be done.
    ///
    /// # Errors
    /// When SQLite fails, or someone still reads or writes.
    pub async fn gather(&self) -> Result<()> {
        let path = self.0.path.clone();
        let gathered = tokio::task::spawn_blocking(move || -> Result<bool> {
            let conn = Connection::open(path)?;
            conn.busy_timeout(GATHER_WITHIN)?;
            let sql = "PRAGMA wal_checkpoint(TRUNCATE)";
            Ok(conn.query_row(sql, [], |row| row.get::<_, i64>(0))? == 0)
        });
        match gathered.await {
            Ok(Ok(true)) => Ok(()),
            Ok(Ok(false)) => Err(Error::NotWritten),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(Error::Panicked),
        }
    }

    /// Events of commits from now on.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.0.told.events.subscribe()
    }
}

impl Shared {
    fn read<T, E, F>(&self, work: F) -> std::result::Result<T, E>
    where
        E: From<Error>,
        F: FnOnce(&ReadTx<'_>) -> std::result::Result<T, E>,
    {
        let idle = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let conn = match idle {
            Some(conn) => conn,
            None => {
                let conn = open_reader(&self.path)?;
                self.work.count(&conn)?;
                conn
            }
        };
        run(&conn, "BEGIN")?;
        let tx = ReadTx::new(&conn, self.clock.now());
        let result = catch_unwind(AssertUnwindSafe(|| work(&tx)));
        // A connection that cannot end its transaction is dropped; the next read opens another.
        if run(&conn, "COMMIT").is_ok() {
            self.readers.lock().unwrap_or_else(PoisonError::into_inner).push(conn);
        }
        result.unwrap_or_else(|_| Err(Error::Panicked.into()))
    }
}

/// Statements are parsed once. Without the planner's stability guarantee SQLite would plan some
/// anew whenever a bound value changes.
pub(super) fn keep_statements(conn: &Connection) -> Result<()> {
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(())
}

/// Runs one of the statements around transactions, which are parsed once.
pub(super) fn run(conn: &Connection, sql: &'static str) -> Result<()> {
    conn.prepare_cached(sql)?.execute([])?;
    Ok(())
}

fn open_reader(path: &Path) -> Result<Connection> {
    let conn = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    as_reader(conn)
}

fn as_reader(conn: Connection) -> Result<Connection> {
    conn.busy_timeout(std::time::Duration::from_secs(5))?;
    conn.pragma_update(None, "query_only", "ON")?;
    conn.pragma_update(None, "trusted_schema", "OFF")?;
    keep_statements(&conn)?;
    Ok(conn)
}

#[cfg(test)]
mod tests {
    use rusqlite::named_params;

    use super::*;
    use crate::model::id::UserId;
    use crate::server::db::settings;

    fn open(dir: &tempfile::TempDir) -> Db {
        Db::open(&dir.path().join("steading.db"), Clock::machine(), Entropy::machine()).unwrap()
    }

    async fn value(db: &Db, key: &'static str) -> Option<Vec<u8>> {
        db.read(move |tx| settings::find(tx, key)).await.unwrap()
    }

    #[tokio::test]
    async fn a_failed_write_leaves_nothing_and_its_neighbours_stay() {
        let dir = tempfile::tempdir().unwrap();
        let db = open(&dir);
        let good = db.write(|tx| settings::put(tx, "a", b"1"));
        let bad = db.write(|tx| -> Result<()> {
            settings::put(tx, "b", b"1")?;
            Err(Error::Closed)
        });
        let (good, bad) = tokio::join!(good, bad);
        assert!(good.is_ok() && bad.is_err());
        assert_eq!(value(&db, "a").await, Some(b"1".to_vec()));
        assert_eq!(value(&db, "b").await, None);
    }

    #[tokio::test]
    async fn events_come_after_the_commit_and_only_then() {
        let dir = tempfile::tempdir().unwrap();
        let db = open(&dir);
        let mut events = db.events();
        let user = UserId(uuid::Uuid::nil());
        let failed: Result<()> = db
            .write(move |tx| {
                tx.emit(Event::Queue);
                Err(Error::Closed)
            })
            .await;
        assert!(failed.is_err());
        db.write(move |tx| -> Result<()> {
            tx.emit(Event::User(user));
            Ok(())
        })
        .await
        .unwrap();
        assert_eq!(events.recv().await.unwrap(), Event::User(user));
    }

    #[tokio::test]
    async fn writer_and_readers_survive_panics() {
        let dir = tempfile::tempdir().unwrap();
        let db = open(&dir);
        for _ in 0..8 {
            let read: Result<()> = db.read(|_| panic!("planned")).await;
            let write: Result<()> = db.write(|_| panic!("planned")).await;
            assert!(read.is_err() && write.is_err());
        }
        db.write(|tx| settings::put(tx, "a", b"1")).await.unwrap();
        assert_eq!(value(&db, "a").await, Some(b"1".to_vec()));
    }

    #[tokio::test]
    async fn readers_cannot_write() {
        let dir = tempfile::tempdir().unwrap();
        let db = open(&dir);
        let refused = db
            .read(|tx| -> Result<()> {
                tx.prepare("DELETE FROM settings WHERE key = :key")?
                    .execute(named_params! { ":key": "a" })?;
                Ok(())
            })
            .await;
        assert!(refused.is_err());
    }
}
