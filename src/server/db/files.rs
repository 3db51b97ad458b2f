//! The table `files`: who sent which archive.

use rusqlite::named_params;

use super::archives::Hash;
use super::{ReadTx, Result, WriteTx};
use crate::model::id::{FileId, UserId};

/// Who sent a file.
///
/// # Errors
/// When SQLite fails.
pub fn sender(tx: &ReadTx<'_>, file: FileId) -> Result<Option<UserId>> {
    tx.find(
        "SELECT created_by FROM files WHERE id = :file",
        named_params! { ":file": file },
        |row| row.get("created_by"),
    )
}

/// The upload of these bytes by this user, if there was one.
///
/// # Errors
/// When SQLite fails.
pub fn find(tx: &ReadTx<'_>, user: UserId, hash: &Hash) -> Result<Option<FileId>> {
    tx.find(
        "SELECT id FROM files WHERE created_by = :user AND hash = :hash",
        named_params! { ":user": user, ":hash": hash.as_slice() },
        |row| row.get("id"),
    )
}

/// Records an upload.
///
/// # Errors
/// When SQLite fails.
pub fn insert(tx: &WriteTx<'_>, file: FileId, user: UserId, hash: &Hash) -> Result<()> {
    tx.execute(
        "INSERT INTO files (id, hash, created_by, created_at) VALUES (:id, :hash, :user, :now)",
        named_params! { ":id": file, ":hash": hash.as_slice(), ":user": user, ":now": tx.now },
    )?;
    Ok(())
}
