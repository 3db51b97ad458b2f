//! The table `role_bindings`: site roles beyond member.

use rusqlite::named_params;

use super::{ReadTx, Result, WriteTx};
use crate::model::id::UserId;
use crate::model::user::SiteRole;

/// Gives a user exactly these site roles.
///
/// # Errors
/// When SQLite fails.
pub fn replace(tx: &WriteTx<'_>, user: UserId, roles: &[SiteRole]) -> Result<()> {
    tx.execute(
        "DELETE FROM role_bindings WHERE user_id = :user AND organization_id IS NULL",
        named_params! { ":user": user },
    )?;
    for role in roles {
        tx.execute(
            "INSERT INTO role_bindings (user_id, role, organization_id, created_at)
             VALUES (:user, :role, NULL, :now)",
            named_params! { ":user": user, ":role": role, ":now": tx.now },
        )?;
    }
    Ok(())
}

/// How many people besides `user` are owners and may act.
///
/// # Errors
/// When SQLite fails.
pub fn count_other_owners(tx: &ReadTx<'_>, user: UserId) -> Result<i64> {
    let n = tx.find(
        "SELECT count(*) AS n FROM role_bindings b JOIN users u ON u.id = b.user_id
         WHERE b.role = 'owner' AND b.organization_id IS NULL AND b.user_id <> :user
         AND u.status IN ('active', 'dormant') AND u.kind = 'person'",
        named_params! { ":user": user },
        |row| row.get("n"),
    )?;
    Ok(n.unwrap_or(0))
}
