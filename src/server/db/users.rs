//! The table `users`, read together with each user's site roles and organizations.

use rusqlite::types::Type;
use rusqlite::{Row, named_params};

use super::{ReadTx, Result, WriteTx};
use crate::model::id::{OrganizationId, UserId};
use crate::model::name::RoleName;
use crate::model::time::Timestamp;
use crate::model::user::{HeldRole, LoginType, SiteRole, User};

/// A query for users as `u`, with what [`from_row`] reads.
macro_rules! select_users {
    ($($rest:literal),+) => { select_users!(with "" ; $($rest),+) };
    (with $more:literal ; $($rest:literal),+) => {
        concat!(
            "SELECT u.id AS user_id, u.username, u.name AS full_name, u.email, u.kind AS user_kind,
             u.status, u.login_type, u.created_at AS user_created_at,
             u.updated_at AS user_updated_at, u.last_seen_at,
             (SELECT group_concat(b.role || '@' || coalesce(b.organization_id, ''), ' ')
              FROM role_bindings b WHERE b.user_id = u.id) AS roles,
             (SELECT group_concat(m.organization_id, ' ') FROM memberships m
              WHERE m.user_id = u.id) AS organizations ",
            $more,
            $($rest),+
        )
    };
}
pub(super) use select_users;

/// Columns that `select_users` reads of a user; what else is asked for comes after them.
pub(super) const COLUMNS: usize = 12;

/// Reads a user of a query made by `select_users`, by the place of each column: lists are long, and
/// a column's name is searched for in every row.
pub(super) fn from_row(row: &Row<'_>) -> rusqlite::Result<User> {
    let mut user = without_belonging(row)?;
    user.organizations = words(row, 11, |w| w.parse::<OrganizationId>().ok())?;
    for (role, place) in words(row, 10, |w| w.split_once('@'))? {
        match place.parse() {
            Err(_) => user.roles.extend(SiteRole::from_word(role)),
            Ok(organization) => {
                let role = RoleName::parse(role).map_err(|e| unreadable(10, e.into()))?;
                user.organization_roles.push(HeldRole { organization, role });
            }
        }
    }
    user.roles.sort_unstable();
    user.organization_roles.sort_unstable();
    leave_behind(&mut user);
    Ok(user)
}

/// Reads what stands in the row of the user.
pub(super) fn without_belonging(row: &Row<'_>) -> rusqlite::Result<User> {
    Ok(User {
        id: row.get(0)?,
        username: row.get(1)?,
        name: row.get(2)?,
        email: row.get(3)?,
        kind: row.get(4)?,
        status: row.get(5)?,
        login_type: row.get(6)?,
        created_at: row.get(7)?,
        updated_at: row.get(8)?,
        last_seen_at: row.get(9)?,
        roles: vec![],
        organizations: vec![],
        organization_roles: vec![],
    })
}

/// A column of words joined by spaces, sorted.
fn words<'r, T: Ord>(
    row: &'r Row<'_>,
    column: usize,
    read: impl Fn(&'r str) -> Option<T>,
) -> rusqlite::Result<Vec<T>> {
    let text = row.get_ref(column)?.as_str_or_null()?;
    let mut all = Vec::new();
    for word in text.iter().flat_map(|t| t.split(' ')) {
        let why = || unreadable(column, format!("unknown word {word:?}").into());
        all.push(read(word).ok_or_else(why)?);
    }
    all.sort_unstable();
    Ok(all)
}

fn unreadable(column: usize, why: Box<dyn std::error::Error + Send + Sync>) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, why)
}

/// A user by id, deleted or not.
///
/// # Errors
/// When SQLite fails.
pub fn find(tx: &ReadTx<'_>, id: UserId) -> Result<Option<User>> {
    tx.find(select_users!("FROM users u WHERE u.id = :id"), named_params! { ":id": id }, from_row)
}

/// A user by name, unless deleted.
///
/// # Errors
/// When SQLite fails.
pub fn find_by_name(tx: &ReadTx<'_>, name: &str) -> Result<Option<User>> {
    tx.find(
        select_users!("FROM users u WHERE u.username = :name AND u.status <> 'deleted'"),
        named_params! { ":name": name },
        from_row,
    )
}

/// Who of those that are deleted had a name last.
///
/// # Errors
/// When SQLite fails.
pub fn last_of_name(tx: &ReadTx<'_>, name: &str) -> Result<Option<UserId>> {
    tx.find(
        "SELECT id FROM users WHERE username = :name AND status = 'deleted'
         ORDER BY created_at DESC LIMIT 1",
        named_params! { ":name": name },
        |row| row.get("id"),
    )
}

/// A user by e-mail address, unless deleted.
///
/// # Errors
/// When SQLite fails.
pub fn find_by_email(tx: &ReadTx<'_>, email: &str) -> Result<Option<User>> {
    tx.find(
        select_users!(
            "FROM users u WHERE u.email = :email AND u.status <> 'deleted' AND u.email <> ''"
        ),
        named_params! { ":email": email },
        from_row,
    )
}

/// Whether there was ever a user.
///
/// # Errors
/// When SQLite fails.
pub fn any(tx: &ReadTx<'_>) -> Result<bool> {
    let found =
        tx.find("SELECT 1 AS one FROM users LIMIT 1 /* scan: one row is enough */", [], |row| {
            row.get::<_, i64>("one")
        })?;
    Ok(found.is_some())
}

/// The owner who was there first.
///
/// # Errors
/// When SQLite fails.
pub fn oldest_owner(tx: &ReadTx<'_>) -> Result<Option<User>> {
    tx.find(
        select_users!(
            "FROM role_bindings r CROSS JOIN users u
             WHERE r.role = 'owner' AND r.organization_id IS NULL AND u.id = r.user_id
               AND u.status IN ('active', 'dormant')
             ORDER BY u.created_at, u.id LIMIT 1"
        ),
        [],
        from_row,
    )
}

/// Adds the role and the organization of one row of a page.
pub(super) fn belonging(row: &Row<'_>, user: &mut User) -> rusqlite::Result<()> {
    match (row.get_ref(10)?.as_str_or_null()?, row.get(11)?) {
        (None, _) => {}
        (Some(role), None) => add(&mut user.roles, SiteRole::from_word(role)),
        (Some(_), Some(organization)) => {
            let held = HeldRole { organization, role: row.get(10)? };
            add(&mut user.organization_roles, Some(held));
        }
    }
    add(&mut user.organizations, row.get(12)?);
    Ok(())
}

/// Keeps a list sorted and without doubles.
fn add<T: Ord>(list: &mut Vec<T>, one: Option<T>) {
    if let Some(one) = one
        && let Err(place) = list.binary_search(&one)
    {
        list.insert(place, one);
    }
}

/// Who has left an organization has no roles there.
pub(super) fn leave_behind(user: &mut User) {
    let User { organization_roles, organizations, .. } = user;
    organization_roles.retain(|held| organizations.contains(&held.organization));
}

/// How many users sign in by this.
///
/// # Errors
/// When SQLite fails.
pub fn count_of_login_type(tx: &ReadTx<'_>, by: LoginType) -> Result<i64> {
    let n = tx.find(
        "SELECT count(*) AS n FROM users WHERE login_type = :by AND status <> 'deleted'",
        named_params! { ":by": by },
        |row| row.get("n"),
    )?;
    Ok(n.unwrap_or(0))
}

/// Writes a new user; roles and memberships are rows of their own.
///
/// # Errors
/// When SQLite fails or the name or address is taken.
pub fn insert(tx: &WriteTx<'_>, user: &User) -> Result<()> {
    tx.execute(
        "INSERT INTO users (id, username, name, email, kind, status, login_type, created_at,
         updated_at, last_seen_at) VALUES (:id, :username, :name, :email, :kind, :status,
         :login_type, :created_at, :updated_at, :last_seen_at)",
        named_params! {
            ":id": user.id, ":username": user.username, ":name": user.name,
            ":email": user.email, ":kind": user.kind, ":status": user.status,
            ":login_type": user.login_type, ":created_at": user.created_at,
            ":updated_at": user.updated_at, ":last_seen_at": user.last_seen_at,
        },
    )?;
    Ok(())
}

/// Writes what may change of a user.
///
/// # Errors
/// When SQLite fails or the name or address is taken.
pub fn update(tx: &WriteTx<'_>, user: &User) -> Result<()> {
    tx.execute(
        "UPDATE users SET username = :username, name = :name, email = :email, status = :status,
         login_type = :login_type, updated_at = :now WHERE id = :id",
        named_params! {
            ":id": user.id, ":username": user.username, ":name": user.name,
            ":email": user.email, ":status": user.status, ":login_type": user.login_type,
            ":now": tx.now,
        },
    )?;
    Ok(())
}

/// Notes that a user was here.
///
/// # Errors
/// When SQLite fails.
pub fn saw(tx: &WriteTx<'_>, id: UserId, at: Timestamp) -> Result<()> {
    tx.execute(
        "UPDATE users SET last_seen_at = max(coalesce(last_seen_at, 0), :at),
           status = CASE status WHEN 'dormant' THEN 'active' ELSE status END
         WHERE id = :id",
        named_params! { ":id": id, ":at": at },
    )?;
    Ok(())
}

/// How many workspaces a user has that are not deleted.
///
/// # Errors
/// When SQLite fails.
pub fn count_workspaces(tx: &ReadTx<'_>, id: UserId) -> Result<i64> {
    let n = tx.find(
        "SELECT count(*) AS n FROM workspaces WHERE owner_id = :id AND deleted_at IS NULL",
        named_params! { ":id": id },
        |row| row.get("n"),
    )?;
    Ok(n.unwrap_or(0))
}
