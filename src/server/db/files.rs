//! The table `files`: who sent which archive.

use rusqlite::named_params;

use super::archives::Hash;
use super::{ReadTx, Result, WriteTx};
use crate::model::id::{FileId, OrganizationId, TemplateId, UserId};
use crate::model::time::Timestamp;

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

/// The organizations with a version that is made from a file.
///
/// # Errors
/// When SQLite fails.
pub fn organizations(tx: &ReadTx<'_>, file: FileId) -> Result<Vec<OrganizationId>> {
    tx.list(
        "SELECT DISTINCT organization_id FROM template_versions WHERE file_id = :file",
        named_params! { ":file": file },
        |row| row.get(0),
    )
}

/// The templates with a version that is made from a file, and where they belong.
///
/// # Errors
/// When SQLite fails.
pub fn templates(tx: &ReadTx<'_>, file: FileId) -> Result<Vec<(TemplateId, OrganizationId)>> {
    tx.list(
        "SELECT DISTINCT template_id, organization_id FROM template_versions
         WHERE file_id = :file AND template_id IS NOT NULL",
        named_params! { ":file": file },
        |row| Ok((row.get("template_id")?, row.get("organization_id")?)),
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

/// Notes that an upload that is not used was sent again: whoever did so may be about to use it.
///
/// # Errors
/// When SQLite fails.
pub fn touch(tx: &WriteTx<'_>, file: FileId) -> Result<()> {
    tx.execute(
        "UPDATE files SET created_at = :now WHERE id = :id AND is_used = 0",
        named_params! { ":id": file, ":now": tx.now },
    )?;
    Ok(())
}

/// Notes that a version is made from an upload.
///
/// # Errors
/// When SQLite fails.
pub fn set_used(tx: &WriteTx<'_>, file: FileId) -> Result<()> {
    tx.execute("UPDATE files SET is_used = 1 WHERE id = :id", named_params! { ":id": file })?;
    Ok(())
}

/// Removes the upload that was not used since before `before` for longest, and its bytes unless
/// another upload has the same. One at a time: a hundred megabytes of them take 65 ms. Whether there
/// was one.
///
/// # Errors
/// When SQLite fails.
pub fn forget(tx: &WriteTx<'_>, before: Timestamp) -> Result<bool> {
    let found: Option<(FileId, Vec<u8>)> = tx.find(
        "SELECT id, hash FROM files WHERE is_used = 0 AND created_at < :before
         ORDER BY created_at LIMIT 1",
        named_params! { ":before": before },
        |row| Ok((row.get("id")?, row.get("hash")?)),
    )?;
    let Some((file, hash)) = found else { return Ok(false) };
    tx.execute("DELETE FROM files WHERE id = :id", named_params! { ":id": file })?;
    tx.execute(
        "DELETE FROM archives WHERE hash = :hash
           AND NOT EXISTS (SELECT 1 FROM files WHERE hash = :hash)",
        named_params! { ":hash": hash },
    )?;
    Ok(true)
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
