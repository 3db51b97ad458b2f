//! Debug builds refuse a statement that walks a whole table, and count the steps of the others: what
//! is slow would be so only in production. Nothing asks SQLite for statistics: with them it may plan
//! otherwise than here, and a walk through what is small today stays when it has grown.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::Connection;

use super::Result;

/// Tables that stay small: a scan of them is meant.
const MAY_SCAN: [&str; 2] = ["organizations", "settings"];

/// Explains `sql` once per connection and panics on a full scan.
///
/// # Errors
/// When the SQL is wrong.
#[cfg(debug_assertions)]
#[expect(clippy::panic, reason = "a full scan is a programming error, found in debug builds only")]
pub(super) fn check(conn: &Connection, sql: &'static str) -> Result<()> {
    use std::cell::RefCell;
    use std::collections::BTreeSet;
    thread_local! { static SEEN: RefCell<BTreeSet<&'static str>> = const { RefCell::new(BTreeSet::new()) }; }
    if !SEEN.with_borrow_mut(|seen| seen.insert(sql)) {
        return Ok(());
    }
    // An operator may have asked for statistics, and with them a table of one row is rightly walked.
    if conn.table_exists(None, "sqlite_stat1")? {
        return Ok(());
    }
    let mut statement = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
    let n = statement.parameter_count();
    let nulls = vec![rusqlite::types::Null; n];
    let steps: Vec<String> = statement
        .query_map(rusqlite::params_from_iter(nulls), |row| row.get("detail"))?
        .collect::<rusqlite::Result<_>>()?;
    // What another step gathers has been read through its own plan.
    let gathered: BTreeSet<&str> = steps
        .iter()
        .filter_map(|s| s.strip_prefix("CO-ROUTINE ").or_else(|| s.strip_prefix("MATERIALIZE ")))
        .collect();
    for step in &steps {
        let Some(rest) = step.strip_prefix("SCAN ") else { continue };
        let table = rest.split(' ').next().unwrap_or_default();
        let by_index = rest.contains("USING")
            || rest.contains("-ROW")
            || rest.contains("CONSTANT ROW")
            || rest.contains("VIRTUAL");
        let subquery = table.starts_with('(')
            || rest.contains("SUBQUERY")
            || gathered.contains(table)
            || table.chars().all(|c| c.is_ascii_uppercase());
        if !by_index && !subquery && !MAY_SCAN.contains(&table) && !sql.contains("/* scan") {
            panic!(
                "full scan of {table}: add an index or say /* scan: why */ in the statement\n{sql}"
            );
        }
    }
    Ok(())
}

/// Release builds trust what debug builds checked.
#[cfg(not(debug_assertions))]
#[expect(clippy::unnecessary_wraps, reason = "the same shape as in debug builds")]
pub(super) fn check(_: &Connection, _: &'static str) -> Result<()> {
    let _ = MAY_SCAN;
    Ok(())
}

/// Steps of SQLite's machine between two counts.
const GRAIN: u8 = 8;

/// The work that was done on some connections.
#[derive(Clone, Debug, Default)]
pub(super) struct Work(Arc<AtomicU64>);

impl Work {
    /// Counts what this connection does from now on. Release builds do not.
    ///
    /// # Errors
    /// When SQLite refuses.
    pub(super) fn count(&self, conn: &Connection) -> Result<()> {
        if cfg!(debug_assertions) {
            let counted = Arc::clone(&self.0);
            let count = move || {
                counted.fetch_add(GRAIN.into(), Ordering::Relaxed);
                false
            };
            conn.progress_handler(GRAIN.into(), Some(count))?;
        }
        Ok(())
    }

    /// Steps until now.
    pub(super) fn steps(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
