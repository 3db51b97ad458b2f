//! The table `archives`: uploaded bytes by content, kept once.

use rusqlite::named_params;

use super::{ReadTx, Result, WriteTx};

/// SHA-256 of an archive.
pub type Hash = [u8; 32];

/// Keeps the bytes, unless they are kept already.
///
/// # Errors
/// When SQLite fails.
pub fn keep(tx: &WriteTx<'_>, hash: &Hash, body: &[u8]) -> Result<()> {
    tx.execute(
        "INSERT INTO archives (hash, body, created_at) VALUES (:hash, :body, :now)
         ON CONFLICT (hash) DO NOTHING",
        named_params! { ":hash": hash.as_slice(), ":body": body, ":now": tx.now },
    )?;
    Ok(())
}

/// The bytes of an upload.
///
/// # Errors
/// When SQLite fails.
pub fn body(tx: &ReadTx<'_>, file: crate::model::id::FileId) -> Result<Option<Vec<u8>>> {
    tx.find(
        "SELECT a.body AS body FROM files f JOIN archives a ON a.hash = f.hash WHERE f.id = :file",
        named_params! { ":file": file },
        |row| row.get("body"),
    )
}
