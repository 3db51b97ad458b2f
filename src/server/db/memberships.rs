//! The table `memberships`: who belongs to which organization.

use rusqlite::named_params;

use super::users::{self, select_users};
use super::{ReadTx, Result, WriteTx};
use crate::model::id::{IdentityId, OrganizationId, UserId};
use crate::model::identity::Identity;
use crate::model::time::Timestamp;
use crate::model::user::User;

/// Makes a user a member. Who was put in by a sync is there by someone's hand from now on.
///
/// # Errors
/// When SQLite fails.
pub fn insert(tx: &WriteTx<'_>, organization: OrganizationId, user: UserId) -> Result<()> {
    tx.execute(
        "INSERT INTO memberships (organization_id, user_id, created_at)
         VALUES (:organization, :user, :now) ON CONFLICT DO UPDATE SET identity_id = NULL",
        named_params! { ":organization": organization, ":user": user, ":now": tx.now },
    )?;
    Ok(())
}

/// Makes an identity's user a member, unless they are one.
///
/// # Errors
/// When SQLite fails.
pub fn add_synced(
    tx: &WriteTx<'_>,
    organization: OrganizationId,
    identity: &Identity,
) -> Result<bool> {
    let n = tx.execute(
        "INSERT INTO memberships (organization_id, user_id, created_at, identity_id)
         VALUES (:organization, :user, :now, :identity) ON CONFLICT DO NOTHING",
        named_params! {
            ":organization": organization, ":user": identity.user_id, ":now": tx.now,
            ":identity": identity.id,
        },
    )?;
    Ok(n > 0)
}

/// Leaves the memberships that an identity's user has to the word of its provider.
///
/// # Errors
/// When SQLite fails.
pub fn leave_to(tx: &WriteTx<'_>, identity: &Identity) -> Result<()> {
    tx.execute(
        "UPDATE memberships SET identity_id = :identity WHERE user_id = :user",
        named_params! { ":identity": identity.id, ":user": identity.user_id },
    )?;
    Ok(())
}

/// The organizations that a provider's word has put an identity's user into.
///
/// # Errors
/// When SQLite fails.
pub fn list_synced(tx: &ReadTx<'_>, identity: IdentityId) -> Result<Vec<OrganizationId>> {
    tx.list(
        "SELECT organization_id FROM memberships WHERE identity_id = :identity
         ORDER BY organization_id",
        named_params! { ":identity": identity },
        |row| row.get("organization_id"),
    )
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

/// Members who may act and whose names hold `text`, in lower case; by name.
///
/// # Errors
/// When SQLite fails.
pub fn named(
    tx: &ReadTx<'_>,
    organization: OrganizationId,
    text: &str,
    limit: i64,
) -> Result<Vec<User>> {
    tx.list(
        select_users!(
            "FROM memberships s JOIN users u ON u.id = s.user_id
             WHERE s.organization_id = :organization
               AND (u.status = 'active' OR u.status = 'dormant')
               AND (:text = '' OR instr(lower(u.username), :text) > 0)
             ORDER BY u.username LIMIT :limit"
        ),
        named_params! { ":organization": organization, ":text": text, ":limit": limit },
        users::from_row,
    )
}

/// Since when a user is a member; none for who is none.
///
/// # Errors
/// When SQLite fails.
pub fn since(
    tx: &ReadTx<'_>,
    organization: OrganizationId,
    user: UserId,
) -> Result<Option<Timestamp>> {
    tx.find(
        "SELECT created_at FROM memberships
         WHERE organization_id = :organization AND user_id = :user",
        named_params! { ":organization": organization, ":user": user },
        |row| row.get("created_at"),
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
