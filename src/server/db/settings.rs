//! The table `settings`: what the deployment knows of itself.

use rusqlite::named_params;

use super::{ReadTx, Result, WriteTx};

/// The value of a setting.
///
/// # Errors
/// When SQLite fails.
pub fn find(tx: &ReadTx<'_>, key: &str) -> Result<Option<Vec<u8>>> {
    tx.find("SELECT value FROM settings WHERE key = :key", named_params! { ":key": key }, |row| {
        row.get("value")
    })
}

/// Sets a setting.
///
/// # Errors
/// When SQLite fails.
pub fn put(tx: &WriteTx<'_>, key: &str, value: &[u8]) -> Result<()> {
    tx.execute(
        "INSERT INTO settings (key, value) VALUES (:key, :value)
         ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        named_params! { ":key": key, ":value": value },
    )?;
    Ok(())
}

/// Removes a setting.
///
/// # Errors
/// When SQLite fails.
pub fn delete(tx: &WriteTx<'_>, key: &str) -> Result<()> {
    tx.execute("DELETE FROM settings WHERE key = :key", named_params! { ":key": key })?;
    Ok(())
}
