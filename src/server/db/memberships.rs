//! The table `memberships`: who belongs to which organization.

use rusqlite::named_params;

use super::users::{self, select_users};
use super::{ReadTx, Result, WriteTx};
use crate::model::id::{OrganizationId, UserId};
use crate::model::time::Timestamp;
use crate::model::user::User;

/// Makes a user a member.
///
/// # Errors
/// When SQLite fails.
pub fn insert(tx: &WriteTx<'_>, organization: OrganizationId, user: UserId) -> Result<()> {
    tx.execute(
        "INSERT INTO memberships (organization_id, user_id, created_at)
         VALUES (:organization, :user, :now) ON CONFLICT DO NOTHING",
        named_params! { ":organization": organization, ":user": user, ":now": tx.now },
    )?;
    Ok(())
}

/// Ends one membership of a user.
///
/// # Errors
/// When SQLite fails.
pub fn delete(tx: &WriteTx<'_>, organization: OrganizationId, user: UserId) -> Result<usize> {
    tx.execute(
        "DELETE FROM memberships WHERE organization_id = :organization AND user_id = :user",
        named_params! { ":organization": organization, ":user": user },
    )
}

/// Ends every membership of a user.
///
/// # Errors
/// When SQLite fails.
pub fn delete_all(tx: &WriteTx<'_>, user: UserId) -> Result<usize> {
    tx.execute("DELETE FROM memberships WHERE user_id = :user", named_params! { ":user": user })
}

/// Members by name, each with the time since when.
///
/// # Errors
/// When SQLite fails.
pub fn list(
    tx: &ReadTx<'_>,
    organization: OrganizationId,
    limit: i64,
    offset: i64,
) -> Result<Vec<(User, Timestamp)>> {
    tx.list(
        select_users!(with ", s.created_at AS since ";
            "FROM memberships s JOIN users u ON u.id = s.user_id
             WHERE s.organization_id = :organization AND u.status <> 'deleted'
             ORDER BY u.username LIMIT :limit OFFSET :offset"),
        named_params! { ":organization": organization, ":limit": limit, ":offset": offset },
        |row| Ok((users::from_row(row)?, row.get("since")?)),
    )
}

/// How many members there are.
///
/// # Errors
/// When SQLite fails.
pub fn count(tx: &ReadTx<'_>, organization: OrganizationId) -> Result<i64> {
    let n = tx.find(
        "SELECT count(*) AS n FROM memberships WHERE organization_id = :organization",
        named_params! { ":organization": organization },
        |row| row.get("n"),
    )?;
    Ok(n.unwrap_or(0))
}
