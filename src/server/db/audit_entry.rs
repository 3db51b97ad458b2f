//! One entry of the table `audit`, and what stands beside it.

use rusqlite::{Row, named_params};

use super::audit::{columns, from_row, values};
use super::{ReadTx, Result, audit_words};
use crate::model::audit::AuditRow;
use crate::model::audit::chain::{self, Hash};
use crate::model::audit::shown::Neighbour;
use crate::model::id::AuditId;

/// An entry by id.
///
/// # Errors
/// When SQLite fails.
pub fn find(tx: &ReadTx<'_>, id: AuditId) -> Result<Option<AuditRow>> {
    let sql = concat!("SELECT ", columns!(), " FROM audit WHERE id = :id");
    tx.find(sql, named_params! { ":id": id }, from_row)
}

/// An entry by its place in the chain.
///
/// # Errors
/// When SQLite fails.
pub fn at(tx: &ReadTx<'_>, seq: i64) -> Result<Option<AuditRow>> {
    let sql = concat!("SELECT ", columns!(), " FROM audit WHERE seq = :seq");
    tx.find(sql, named_params! { ":seq": seq }, from_row)
}

/// The hash of an entry.
///
/// # Errors
/// When SQLite fails.
pub fn hash_at(tx: &ReadTx<'_>, seq: i64) -> Result<Option<Hash>> {
    let sql = "SELECT hash FROM audit WHERE seq = :seq";
    tx.find(sql, named_params! { ":seq": seq }, |row| row.get("hash"))
}

/// The hash that an entry should have after another, from its content as it is stored.
///
/// # Errors
/// When SQLite fails.
pub fn expected_hash(tx: &ReadTx<'_>, seq: i64, previous: &Hash) -> Result<Option<Hash>> {
    let sql = concat!("SELECT ", columns!(), " FROM audit WHERE seq = :seq");
    let mut statement = tx.prepare(sql)?;
    let mut rows = statement.query(named_params! { ":seq": seq })?;
    match rows.next()? {
        Some(row) => Ok(Some(chain::hash(previous, &values(row)?))),
        None => Ok(None),
    }
}

/// The entries before and after one on the same thing.
///
/// # Errors
/// When SQLite fails.
pub fn neighbours(
    tx: &ReadTx<'_>,
    row: &AuditRow,
) -> Result<(Option<Neighbour>, Option<Neighbour>)> {
    let thing = row.entry.target_id;
    if thing.is_nil() {
        return Ok((None, None));
    }
    let (words, id) = (audit_words::thing(thing), thing.to_string());
    let given = named_params! { ":words": words, ":id": id, ":seq": row.seq };
    let read = |row: &Row<'_>| Ok(Neighbour { id: row.get("id")?, seq: row.get("seq")? });
    let earlier = tx.find(
        "SELECT a.id, a.seq FROM audit_words w CROSS JOIN audit a ON a.seq = w.rowid
         WHERE w.audit_words MATCH :words AND w.rowid < :seq AND a.target_id = :id
         ORDER BY w.rowid DESC LIMIT 1",
        given,
        read,
    )?;
    let later = tx.find(
        "SELECT a.id, a.seq FROM audit_words w CROSS JOIN audit a ON a.seq = w.rowid
         WHERE w.audit_words MATCH :words AND w.rowid > :seq AND a.target_id = :id
         ORDER BY w.rowid LIMIT 1",
        given,
        read,
    )?;
    Ok((earlier, later))
}
