//! The table `audit_checkpoints`: signed words on the audit log.

use rusqlite::{Row, named_params};

use super::{ReadTx, Result, WriteTx};
use crate::model::audit::chain::{Finding, Head};
use crate::model::audit::checkpoint::{Checkpoint, Signed};

fn from_row(row: &Row<'_>) -> rusqlite::Result<Signed> {
    Ok(Signed {
        checkpoint: Checkpoint {
            number: row.get("number")?,
            kind: row.get("kind")?,
            head: Head { seq: row.get("seq")?, hash: row.get("hash")? },
            n_entries: row.get("n_entries")?,
            at: row.get("made_at")?,
        },
        key: row.get("public_key")?,
        signature: row.get("signature")?,
    })
}

/// The newest one.
///
/// # Errors
/// When SQLite fails.
pub fn last(tx: &ReadTx<'_>) -> Result<Option<Signed>> {
    tx.find(
        "SELECT number, kind, seq, hash, n_entries, made_at, public_key, signature
         FROM audit_checkpoints WHERE number = (SELECT max(number) FROM audit_checkpoints)",
        [],
        from_row,
    )
}

/// The first mark at an entry or behind it.
///
/// # Errors
/// When SQLite fails.
pub fn covering(tx: &ReadTx<'_>, seq: i64) -> Result<Option<Signed>> {
    tx.find(
        "SELECT number, kind, seq, hash, n_entries, made_at, public_key, signature
         FROM audit_checkpoints WHERE seq >= :seq AND kind = 'mark' ORDER BY seq, number LIMIT 1",
        named_params! { ":seq": seq },
        from_row,
    )
}

/// The cut behind which the log begins, if it was made at this entry.
///
/// # Errors
/// When SQLite fails.
pub fn cut_at(tx: &ReadTx<'_>, seq: i64) -> Result<Option<Signed>> {
    tx.find(
        "SELECT number, kind, seq, hash, n_entries, made_at, public_key, signature
         FROM audit_checkpoints WHERE seq = :seq AND kind = 'cut' LIMIT 1",
        named_params! { ":seq": seq },
        from_row,
    )
}

/// Those after a number, in order.
///
/// # Errors
/// When SQLite fails.
pub fn list(tx: &ReadTx<'_>, after: i64, limit: i64) -> Result<Vec<Signed>> {
    tx.list(
        "SELECT number, kind, seq, hash, n_entries, made_at, public_key, signature
         FROM audit_checkpoints WHERE number > :after ORDER BY number LIMIT :limit",
        named_params! { ":after": after, ":limit": limit },
        from_row,
    )
}

/// Writes one; a cut takes the place of the cut that was the newest.
///
/// # Errors
/// When SQLite fails.
pub fn put(tx: &WriteTx<'_>, signed: &Signed) -> Result<()> {
    let Signed { checkpoint, key, signature } = signed;
    tx.execute(
        "INSERT INTO audit_checkpoints
           (number, kind, seq, hash, n_entries, made_at, public_key, signature)
         VALUES (:number, :kind, :seq, :hash, :n_entries, :made_at, :public_key, :signature)
         ON CONFLICT (number) DO UPDATE SET kind = excluded.kind, seq = excluded.seq,
           hash = excluded.hash, n_entries = excluded.n_entries, made_at = excluded.made_at,
           public_key = excluded.public_key, signature = excluded.signature",
        named_params! {
            ":number": checkpoint.number, ":kind": checkpoint.kind, ":seq": checkpoint.head.seq,
            ":hash": checkpoint.head.hash, ":n_entries": checkpoint.n_entries,
            ":made_at": checkpoint.at, ":public_key": key, ":signature": signature,
        },
    )?;
    Ok(())
}

/// Every one in order, until `each` finds something wrong.
///
/// # Errors
/// When SQLite cannot begin. What it cannot read on the way is a finding: the file is damaged there.
pub fn walk(
    tx: &ReadTx<'_>,
    mut each: impl FnMut(&Signed) -> std::result::Result<(), Finding>,
) -> Result<std::result::Result<(), Finding>> {
    let mut statement = tx.prepare(
        "SELECT number, kind, seq, hash, n_entries, made_at, public_key, signature
         FROM audit_checkpoints ORDER BY number /* scan: every one is verified */",
    )?;
    let mut rows = statement.query([])?;
    let mut number = 0;
    loop {
        number += 1;
        let unread = |error| Err(Finding::checkpoint(number, format!("cannot be read: {error}")));
        let signed = match rows.next() {
            Ok(Some(row)) => from_row(row),
            Ok(None) => return Ok(Ok(())),
            Err(error) => return Ok(unread(error)),
        };
        let looked = signed.map_or_else(unread, |signed| each(&signed));
        if looked.is_err() {
            return Ok(looked);
        }
    }
}
