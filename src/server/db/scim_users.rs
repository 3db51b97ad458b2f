//! The table `scim_users`: whom an identity provider keeps, and what it said of each.

use rusqlite::{Row, named_params};

use super::codec::Json;
use super::{ReadTx, Result, WriteTx};
use crate::model::id::UserId;
use crate::model::scim::user::UserWish;
use crate::model::time::Timestamp;

/// A user whom a provider keeps.
#[derive(Clone, Debug, PartialEq)]
pub struct ScimUserRow {
    /// Who it is here.
    pub user: UserId,
    /// The settings by which they sign in; may be empty.
    pub provider: String,
    /// What the provider wants them to be.
    pub wish: UserWish,
    /// Whether it has suspended them, and so may let them in again.
    pub is_stopped: bool,
    /// Since when it keeps them.
    pub created_at: Timestamp,
    /// When it last changed them.
    pub updated_at: Timestamp,
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<ScimUserRow> {
    Ok(ScimUserRow {
        user: row.get("user_id")?,
        provider: row.get("provider")?,
        wish: UserWish {
            user_name: row.get("user_name")?,
            external_id: row.get("external_id")?,
            active: row.get("active")?,
            profile: row.get::<_, Json<_>>("profile")?.0,
        },
        is_stopped: row.get("is_stopped")?,
        created_at: row.get("created_at")?,
        updated_at: row.get("updated_at")?,
    })
}

/// What [`from_row`] reads.
macro_rules! select_scim_users {
    ($rest:literal) => {
        concat!(
            "SELECT s.user_id, s.provider, s.user_name, s.external_id, s.active, s.profile,
             s.is_stopped, s.created_at, s.updated_at FROM scim_users s ",
            $rest
        )
    };
}

/// A user by id.
///
/// # Errors
/// When SQLite fails.
pub fn find(tx: &ReadTx<'_>, user: UserId) -> Result<Option<ScimUserRow>> {
    tx.find(
        select_scim_users!("WHERE s.user_id = :user"),
        named_params! { ":user": user },
        from_row,
    )
}

/// A user by the provider's name.
///
/// # Errors
/// When SQLite fails.
pub fn find_by_name(tx: &ReadTx<'_>, name: &str) -> Result<Option<ScimUserRow>> {
    tx.find(
        select_scim_users!("WHERE s.user_name = :name"),
        named_params! { ":name": name },
        from_row,
    )
}

/// A user by the address of their account.
///
/// # Errors
/// When SQLite fails.
pub fn find_by_email(tx: &ReadTx<'_>, email: &str) -> Result<Option<ScimUserRow>> {
    tx.find(
        select_scim_users!(
            "JOIN users u ON u.id = s.user_id
             WHERE u.email = :email AND u.status <> 'deleted' AND u.email <> ''"
        ),
        named_params! { ":email": email },
        from_row,
    )
}

/// Users by the provider's own id; it may give one to several.
///
/// # Errors
/// When SQLite fails.
pub fn list_by_external_id(tx: &ReadTx<'_>, id: &str) -> Result<Vec<ScimUserRow>> {
    tx.list(
        select_scim_users!(
            "WHERE s.external_id = :id AND s.external_id <> '' ORDER BY s.user_id LIMIT 100"
        ),
        named_params! { ":id": id },
        from_row,
    )
}

/// Users, oldest first.
///
/// # Errors
/// When SQLite fails.
pub fn list(tx: &ReadTx<'_>, limit: usize, offset: usize) -> Result<Vec<ScimUserRow>> {
    tx.list(
        select_scim_users!(
            "ORDER BY s.user_id LIMIT :limit OFFSET :offset /* scan: in the order of the key */"
        ),
        named_params! { ":limit": bound(limit), ":offset": bound(offset) },
        from_row,
    )
}

/// A number of rows as SQLite takes it.
pub(super) fn bound(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// How many there are.
///
/// # Errors
/// When SQLite fails.
pub fn count(tx: &ReadTx<'_>) -> Result<usize> {
    let sql = "SELECT count(*) AS n FROM scim_users /* scan: of the table alone */";
    let n = tx.find(sql, [], |row| row.get::<_, i64>("n"))?;
    Ok(usize::try_from(n.unwrap_or(0)).unwrap_or(0))
}

/// Writes what a provider wants a user to be.
///
/// # Errors
/// When SQLite fails or another user has the provider's name.
pub fn put(tx: &WriteTx<'_>, row: &ScimUserRow) -> Result<()> {
    tx.execute(
        "INSERT INTO scim_users (user_id, provider, user_name, external_id, active, profile,
         is_stopped, created_at, updated_at) VALUES (:user, :provider, :user_name, :external_id,
         :active, :profile, :is_stopped, :now, :now)
         ON CONFLICT (user_id) DO UPDATE SET provider = excluded.provider,
         user_name = excluded.user_name, external_id = excluded.external_id,
         active = excluded.active, profile = excluded.profile,
         is_stopped = excluded.is_stopped, updated_at = excluded.updated_at",
        named_params! {
            ":user": row.user, ":provider": row.provider, ":user_name": row.wish.user_name,
            ":external_id": row.wish.external_id, ":active": row.wish.active,
            ":profile": Json(&row.wish.profile), ":is_stopped": row.is_stopped, ":now": tx.now,
        },
    )?;
    Ok(())
}

/// Someone here has said whether a user may act: the provider's own suspension is over.
///
/// # Errors
/// When SQLite fails.
pub fn forget_stop(tx: &WriteTx<'_>, user: UserId) -> Result<usize> {
    tx.execute(
        "UPDATE scim_users SET is_stopped = 0 WHERE user_id = :user",
        named_params! { ":user": user },
    )
}

/// Leaves users to no provider of this name: what it calls them says nothing of what another of the
/// same name does.
///
/// # Errors
/// When SQLite fails.
pub fn detach(tx: &WriteTx<'_>, provider: &str) -> Result<usize> {
    tx.execute(
        "UPDATE scim_users SET provider = '', external_id = ''
         WHERE provider = :provider /* scan: a provider is removed once */",
        named_params! { ":provider": provider },
    )
}

/// The provider keeps a user no longer.
///
/// # Errors
/// When SQLite fails.
pub fn delete(tx: &WriteTx<'_>, user: UserId) -> Result<usize> {
    tx.execute("DELETE FROM scim_users WHERE user_id = :user", named_params! { ":user": user })
}
