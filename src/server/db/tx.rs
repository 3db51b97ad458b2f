//! Transactions: a reader cannot write, and one transaction has one time.

use std::cell::RefCell;
use std::ops::Deref;
use std::sync::{Mutex, PoisonError};

use rusqlite::{CachedStatement, Connection, OptionalExtension as _, Params, Row};

use super::{Result, audit_words, plan};
use crate::clock::Entropy;
use crate::model::event::Event;
use crate::model::time::Timestamp;

/// A transaction that reads.
pub struct ReadTx<'c> {
    conn: &'c Connection,
    /// The time of this transaction.
    pub now: Timestamp,
}

/// A transaction that may write. What it emits is announced after the commit, and only then.
pub struct WriteTx<'c> {
    read: ReadTx<'c>,
    /// The time of this transaction, in milliseconds.
    pub now_ms: i64,
    entropy: &'c Entropy,
    events: RefCell<Vec<Event>>,
}

impl<'c> ReadTx<'c> {
    pub(super) fn new(conn: &'c Connection, now: Timestamp) -> Self {
        Self { conn, now }
    }

    /// A prepared statement, kept for the next use. Debug builds refuse one that scans a table.
    ///
    /// # Errors
    /// When the SQL is wrong.
    pub fn prepare(&self, sql: &'static str) -> Result<CachedStatement<'_>> {
        plan::check(self.conn, sql)?;
        Ok(self.conn.prepare_cached(sql)?)
    }

    /// The first row, if there is one.
    ///
    /// # Errors
    /// When SQLite fails or the row cannot be read.
    pub fn find<T>(
        &self,
        sql: &'static str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>> {
        Ok(self.prepare(sql)?.query_row(params, read).optional()?)
    }

    /// Every row.
    ///
    /// # Errors
    /// When SQLite fails or a row cannot be read.
    pub fn list<T>(
        &self,
        sql: &'static str,
        params: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>> {
        let mut statement = self.prepare(sql)?;
        let rows = statement.query_map(params, read)?;
        Ok(rows.collect::<rusqlite::Result<Vec<T>>>()?)
    }
}

impl<'c> WriteTx<'c> {
    pub(super) fn new(conn: &'c Connection, now_ms: i64, entropy: &'c Entropy) -> Self {
        let now = Timestamp(now_ms.div_euclid(1000));
        Self { read: ReadTx::new(conn, now), now_ms, entropy, events: RefCell::default() }
    }

    /// Runs a statement; the number of rows it changed.
    ///
    /// # Errors
    /// When SQLite fails or a constraint refuses.
    pub fn execute(&self, sql: &'static str, params: impl Params) -> Result<usize> {
        Ok(self.prepare(sql)?.execute(params)?)
    }

    /// The row id of the last insert.
    #[must_use]
    pub fn last_rowid(&self) -> i64 {
        self.read.conn.last_insert_rowid()
    }

    /// Brings what searches in the audit log go by up to its last entry.
    ///
    /// # Errors
    /// When SQLite fails.
    pub(super) fn enter_audit_words(&self) -> Result<()> {
        audit_words::catch_up(self.read.conn)
    }

    /// A new id. Ids made later sort later, also within a millisecond and across transactions.
    #[must_use]
    pub fn fresh<I: From<uuid::Uuid>>(&self) -> I {
        let (ms, n) = next_place(self.now_ms);
        let mut random: [u8; 10] = self.entropy.bytes();
        // The first twelve bits after the time are a counter (RFC 9562, section 6.2, method 1).
        if let Some(first) = random.first_chunk_mut::<2>() {
            *first = n.to_be_bytes();
        }
        let ms = u64::try_from(ms).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(ms, &random).into_uuid().into()
    }

    /// Randomness for tokens and keys.
    #[must_use]
    pub fn entropy(&self) -> &Entropy {
        self.entropy
    }

    /// Announces an event after the commit.
    pub fn emit(&self, event: Event) {
        self.events.borrow_mut().push(event);
    }

    pub(super) fn take_events(&self) -> Vec<Event> {
        self.events.take()
    }
}

impl<'c> Deref for WriteTx<'c> {
    type Target = ReadTx<'c>;

    fn deref(&self) -> &Self::Target {
        &self.read
    }
}

/// The millisecond and the count within it of the next id, never before the last one's.
fn next_place(now_ms: i64) -> (i64, u16) {
    static LAST: Mutex<(i64, u16)> = Mutex::new((0, 0));
    const MOST: u16 = 0x0fff;
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    *last = match *last {
        (ms, _) if now_ms > ms => (now_ms, 0),
        (ms, n) if n < MOST => (ms, n + 1),
        (ms, _) => (ms + 1, 0),
    };
    *last
}
