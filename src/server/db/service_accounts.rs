//! The table `service_accounts`: who answers for each.

use rusqlite::{Row, named_params};

use super::{ReadTx, Result, WriteTx};
use crate::model::id::UserId;

/// Who answers for a service account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceRow {
    /// The account.
    pub user: UserId,
    /// Who answers for it; none for nobody.
    pub responsible: Option<UserId>,
    /// Whether it is suspended because nobody who may act answers for it.
    pub is_stopped: bool,
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<ServiceRow> {
    Ok(ServiceRow {
        user: row.get("user_id")?,
        responsible: row.get("responsible_id")?,
        is_stopped: row.get("is_stopped")?,
    })
}

/// Who answers for an account.
///
/// # Errors
/// When SQLite fails.
pub fn find(tx: &ReadTx<'_>, user: UserId) -> Result<Option<ServiceRow>> {
    tx.find(
        "SELECT user_id, responsible_id, is_stopped FROM service_accounts WHERE user_id = :user",
        named_params! { ":user": user },
        from_row,
    )
}

/// The accounts that someone answers for.
///
/// # Errors
/// When SQLite fails.
pub fn list_of(tx: &ReadTx<'_>, responsible: UserId) -> Result<Vec<ServiceRow>> {
    tx.list(
        "SELECT user_id, responsible_id, is_stopped FROM service_accounts
         WHERE responsible_id = :responsible ORDER BY user_id",
        named_params! { ":responsible": responsible },
        from_row,
    )
}

/// Every account, oldest first.
///
/// # Errors
/// When SQLite fails.
pub fn list(tx: &ReadTx<'_>, limit: i64) -> Result<Vec<ServiceRow>> {
    tx.list(
        "SELECT user_id, responsible_id, is_stopped FROM service_accounts
         ORDER BY user_id LIMIT :limit /* scan: in the order of the key */",
        named_params! { ":limit": limit },
        from_row,
    )
}

/// Sets who answers for an account.
///
/// # Errors
/// When SQLite fails.
pub fn put(tx: &WriteTx<'_>, row: &ServiceRow) -> Result<()> {
    tx.execute(
        "INSERT INTO service_accounts (user_id, responsible_id, is_stopped, updated_at)
         VALUES (:user, :responsible, :is_stopped, :now)
         ON CONFLICT (user_id) DO UPDATE SET responsible_id = excluded.responsible_id,
         is_stopped = excluded.is_stopped, updated_at = excluded.updated_at",
        named_params! {
            ":user": row.user, ":responsible": row.responsible, ":is_stopped": row.is_stopped,
            ":now": tx.now,
        },
    )?;
    Ok(())
}

/// Someone here has said whether an account may act: it is not for want of who answers any more.
///
/// # Errors
/// When SQLite fails.
pub fn forget_stop(tx: &WriteTx<'_>, user: UserId) -> Result<usize> {
    tx.execute(
        "UPDATE service_accounts SET is_stopped = 0 WHERE user_id = :user",
        named_params! { ":user": user },
    )
}

/// An account is gone.
///
/// # Errors
/// When SQLite fails.
pub fn delete(tx: &WriteTx<'_>, user: UserId) -> Result<usize> {
    tx.execute(
        "DELETE FROM service_accounts WHERE user_id = :user",
        named_params! { ":user": user },
    )
}
