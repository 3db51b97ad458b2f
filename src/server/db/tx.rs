//! Transactions: a reader cannot write, and one transaction has one time.

use std::cell::{Cell, RefCell};
use std::ops::Deref;

use rusqlite::{CachedStatement, Connection, OptionalExtension as _, Params, Row};

use super::{Result, plan};
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
    // Ids made in one millisecond still sort by age.
    fresh: Cell<i64>,
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
        Self {
            read: ReadTx::new(conn, now),
            now_ms,
            entropy,
            events: RefCell::default(),
            fresh: Cell::new(0),
        }
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

    /// A new id. Ids made later sort later.
    #[must_use]
    pub fn fresh<I: From<uuid::Uuid>>(&self) -> I {
        let n = self.fresh.get();
        self.fresh.set(n + 1);
        // Up to eight ids share a millisecond; more run ahead of the clock by less than a second.
        self.entropy.uuid7(self.now_ms + n / 8).into()
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
