//! The table `audit`: who did what, written in the transaction of the change.

use rusqlite::{Row, named_params};

use super::{ReadTx, Result, WriteTx};
use crate::model::audit::{AuditAction, AuditEntry, AuditRow, AuditTarget};
use crate::model::id::{AuditId, UserId};

/// Writes an entry.
///
/// # Errors
/// When SQLite fails.
pub fn insert(tx: &WriteTx<'_>, user: Option<UserId>, ip: &str, entry: &AuditEntry) -> Result<()> {
    tx.execute(
        "INSERT INTO audit (id, at, user_id, ip, action, target, target_id, target_name, diff)
         VALUES (:id, :at, :user, :ip, :action, :target, :target_id, :target_name, :diff)",
        named_params! {
            ":id": tx.fresh::<AuditId>(),
            ":at": tx.now,
            ":user": user,
            ":ip": ip,
            ":action": entry.action,
            ":target": entry.target,
            ":target_id": entry.target_id.to_string(),
            ":target_name": entry.target_name,
            ":diff": entry.diff,
        },
    )?;
    Ok(())
}

/// Verb, kind of thing and user to narrow a list to.
pub type Narrow = (Option<AuditAction>, Option<AuditTarget>, Option<UserId>);

/// Entries of a narrowed list that are counted: eighty pages, more than anybody turns.
const MOST_COUNTED: i64 = 2000;

/// The statement for the road that narrows most. Roads are in the order of writing.
macro_rules! road {
    ($narrow:expr, $of:ident) => {
        match $narrow {
            (_, _, Some(_)) => $of!("user_id = :user"),
            (_, Some(_), None) => $of!("target = :target"),
            (_, None, None) => $of!("action = :action"),
        }
    };
}

macro_rules! narrowed {
    ($road:literal) => {
        concat!(
            "WHERE ",
            $road,
            " AND (:action IS NULL OR action = :action) AND (:target IS NULL OR target = :target)
              AND (:user IS NULL OR user_id = :user)"
        )
    };
}

macro_rules! page {
    ($road:literal) => {
        concat!(
            "SELECT id, at, user_id, ip, action, target, target_id, target_name, diff FROM audit ",
            narrowed!($road),
            " ORDER BY place DESC LIMIT :limit OFFSET :offset"
        )
    };
}

macro_rules! number {
    ($road:literal) => {
        concat!("SELECT count(*) FROM (SELECT 1 FROM audit ", narrowed!($road), " LIMIT :most)")
    };
}

/// Entries, newest first.
///
/// # Errors
/// When SQLite fails.
pub fn list(tx: &ReadTx<'_>, narrow: Narrow, limit: i64, offset: i64) -> Result<Vec<AuditRow>> {
    let (action, target, user) = narrow;
    if narrow == (None, None, None) {
        return tx.list(
            "SELECT id, at, user_id, ip, action, target, target_id, target_name, diff FROM audit
             WHERE place <= (SELECT max(place) FROM audit) - :offset
             ORDER BY place DESC LIMIT :limit",
            named_params! { ":limit": limit, ":offset": offset },
            from_row,
        );
    }
    tx.list(
        road!(narrow, page),
        named_params! {
            ":action": action, ":target": target, ":user": user, ":limit": limit,
            ":offset": offset,
        },
        from_row,
    )
}

/// How many [`list`] would give without limit; of a narrowed list at most `MOST_COUNTED`.
///
/// # Errors
/// When SQLite fails.
pub fn count(tx: &ReadTx<'_>, narrow: Narrow) -> Result<i64> {
    let (action, target, user) = narrow;
    let n = if narrow == (None, None, None) {
        tx.find("SELECT coalesce(max(place), 0) FROM audit", [], |row| row.get(0))?
    } else {
        tx.find(
            road!(narrow, number),
            named_params! {
                ":action": action, ":target": target, ":user": user, ":most": MOST_COUNTED,
            },
            |row| row.get(0),
        )?
    };
    Ok(n.unwrap_or(0))
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<AuditRow> {
    let target_id: String = row.get("target_id")?;
    Ok(AuditRow {
        id: row.get("id")?,
        at: row.get("at")?,
        user_id: row.get("user_id")?,
        ip: row.get("ip")?,
        entry: AuditEntry {
            action: row.get("action")?,
            target: row.get("target")?,
            target_id: target_id.parse().unwrap_or_default(),
            target_name: row.get("target_name")?,
            diff: row.get("diff")?,
        },
    })
}
