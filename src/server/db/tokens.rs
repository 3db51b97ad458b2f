//! The table `tokens`: browser sessions, API tokens, tokens lent to workspaces.

use std::time::Duration;

use rusqlite::types::Type;
use rusqlite::{Row, named_params};

use super::users::{self, select_users};
use super::{ReadTx, Result, WriteTx};
use crate::model::factor::Mfa;
use crate::model::id::{IdentityGrantId, TokenId, UserId, WorkspaceId};
use crate::model::identity::DIRECTORY;
use crate::model::network::Network;
use crate::model::policy::Scope;
use crate::model::secret::TokenHash;
use crate::model::time::Timestamp;
use crate::model::user::{TokenEntry, TokenKind, TokenLimits, User, UserRef};

/// A token to be written.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// Its id.
    pub id: TokenId,
    /// The part it is looked up by.
    pub public_id: String,
    /// What is stored of its secret.
    pub hash: TokenHash,
    /// Whose.
    pub user: UserId,
    /// What for.
    pub kind: TokenKind,
    /// The name the user gave it.
    pub name: String,
    /// The workspace it is lent to.
    pub workspace: Option<WorkspaceId>,
    /// How long it lasts; a session's end slides by this.
    pub lifetime: Duration,
    /// From where it was asked for.
    pub ip: String,
    /// What it is limited to.
    pub limits: TokenLimits,
    /// The token with limits that makes it.
    pub parent: Option<TokenId>,
    /// What a provider granted, when it ends with that.
    pub identity_grant: Option<IdentityGrantId>,
    /// For a session: when a second factor was given.
    pub mfa_at: Option<Timestamp>,
}

/// What a check of a token needs, read at once.
#[derive(Clone, Debug)]
pub struct Presented {
    /// The token.
    pub id: TokenId,
    /// What is stored of its secret.
    pub hash: TokenHash,
    /// What for.
    pub kind: TokenKind,
    /// When it ends, or what a provider granted for it.
    pub expires_at: Timestamp,
    /// How long a session lasts from its last use.
    pub lifetime_s: i64,
    /// When a use was last noted.
    pub last_used_at: Option<Timestamp>,
    /// What a provider granted for it.
    pub identity_grant: Option<IdentityGrantId>,
    /// Whose.
    pub user: User,
    /// What it is limited to.
    pub limits: TokenLimits,
    /// What is known of second factors.
    pub mfa: Mfa,
}

/// The token that is looked up by `public_id`, with its user.
///
/// # Errors
/// When SQLite fails.
pub fn present(tx: &ReadTx<'_>, public_id: &str) -> Result<Option<Presented>> {
    tx.find(
        select_users!(with ", t.id, t.hash, t.kind,
             min(t.expires_at, coalesce(g.ends_at, t.expires_at)), t.lifetime_s, t.last_used_at,
             t.identity_grant_id, t.scopes, t.things, t.networks, t.depth, t.mfa_at,
             EXISTS (SELECT 1 FROM totp_factors f
                     WHERE f.user_id = t.user_id AND f.confirmed_at IS NOT NULL)
             OR EXISTS (SELECT 1 FROM passkeys p WHERE p.user_id = t.user_id),
             coalesce(g.provider = :directory, 0) ";
            "FROM tokens t JOIN users u ON u.id = t.user_id
             LEFT JOIN identity_grants g ON g.id = t.identity_grant_id
             WHERE t.public_id = :public_id"),
        named_params! { ":public_id": public_id, ":directory": DIRECTORY },
        |row| {
            // By the places after the user's: each request comes by here.
            Ok(Presented {
                id: row.get(users::COLUMNS)?,
                hash: row.get(users::COLUMNS + 1)?,
                kind: row.get(users::COLUMNS + 2)?,
                expires_at: row.get(users::COLUMNS + 3)?,
                lifetime_s: row.get(users::COLUMNS + 4)?,
                last_used_at: row.get(users::COLUMNS + 5)?,
                identity_grant: row.get(users::COLUMNS + 6)?,
                user: users::from_row(row)?,
                limits: limits(row, users::COLUMNS + 7)?,
                mfa: Mfa {
                    at: row.get(users::COLUMNS + 11)?,
                    has_factor: row.get(users::COLUMNS + 12)?,
                    by_directory: row.get(users::COLUMNS + 13)?,
                },
            })
        },
    )
}

/// Whether a token has not ended.
///
/// # Errors
/// When SQLite fails.
pub fn is_current(tx: &ReadTx<'_>, id: TokenId) -> Result<bool> {
    let found = tx.find(
        "SELECT 1 FROM tokens t LEFT JOIN identity_grants g ON g.id = t.identity_grant_id
         WHERE t.id = :id AND t.expires_at > :now AND coalesce(g.ends_at > :now, 1)",
        named_params! { ":id": id, ":now": tx.now },
        |_| Ok(()),
    )?;
    Ok(found.is_some())
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<TokenEntry> {
    Ok(TokenEntry {
        id: row.get("id")?,
        public_id: row.get("public_id")?,
        user: UserRef { id: row.get("user_id")?, username: row.get("username")? },
        kind: row.get("kind")?,
        name: row.get("name")?,
        created_at: row.get("created_at")?,
        expires_at: row.get("expires_at")?,
        last_used_at: row.get("last_used_at")?,
        last_used_ip: row.get("last_used_ip")?,
        limits: limits(row, row.as_ref().column_index("scopes")?)?,
    })
}

/// Reads the columns `scopes`, `things`, `networks` and `depth`, from the place of the first.
fn limits(row: &Row<'_>, at: usize) -> rusqlite::Result<TokenLimits> {
    let text = |place| row.get_ref(place)?.as_str().map_err(rusqlite::Error::from);
    let words = |text: &'_ str| -> Vec<String> { text.split(' ').map(str::to_owned).collect() };
    let scope = Scope::parse(&words(text(at)?), &words(text(at + 1)?));
    let networks = text(at + 2)?.split(' ').filter(|n| !n.is_empty());
    let networks: std::result::Result<Vec<Network>, _> = networks.map(str::parse).collect();
    Ok(TokenLimits {
        scope: scope.map_err(|why| unreadable(at, why))?,
        networks: networks.map_err(|e| unreadable(at + 2, e.to_string()))?,
        depth: row.get(at + 3)?,
    })
}

fn unreadable(column: usize, why: String) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, why.into())
}

/// What [`from_row`] reads.
macro_rules! select_tokens {
    ($rest:literal) => {
        concat!(
            "SELECT t.id, t.public_id, t.user_id, u.username, t.kind, t.name, t.created_at,
             t.expires_at, t.last_used_at, t.last_used_ip, t.scopes, t.things, t.networks, t.depth
             FROM tokens t JOIN users u ON u.id = t.user_id ",
            $rest
        )
    };
}

/// A token by the part it is looked up by.
///
/// # Errors
/// When SQLite fails.
pub fn find(tx: &ReadTx<'_>, public_id: &str) -> Result<Option<TokenEntry>> {
    tx.find(
        select_tokens!("WHERE t.public_id = :public_id"),
        named_params! { ":public_id": public_id },
        from_row,
    )
}

/// A token by id.
///
/// # Errors
/// When SQLite fails.
pub fn find_by_id(tx: &ReadTx<'_>, id: TokenId) -> Result<Option<TokenEntry>> {
    tx.find(select_tokens!("WHERE t.id = :id"), named_params! { ":id": id }, from_row)
}

/// A user's API token by name.
///
/// # Errors
/// When SQLite fails.
pub fn find_by_name(tx: &ReadTx<'_>, user: UserId, name: &str) -> Result<Option<TokenEntry>> {
    tx.find(
        select_tokens!("WHERE t.user_id = :user AND t.name = :name AND t.kind = 'api'"),
        named_params! { ":user": user, ":name": name },
        from_row,
    )
}

/// A user's tokens of every kind that have not ended; newest first.
///
/// # Errors
/// When SQLite fails.
pub fn list(tx: &ReadTx<'_>, user: UserId, limit: i64) -> Result<Vec<TokenEntry>> {
    tx.list(
        select_tokens!(
            "WHERE t.user_id = :user AND t.expires_at > :now
             ORDER BY t.created_at DESC, t.id DESC LIMIT :limit"
        ),
        named_params! { ":user": user, ":now": tx.now, ":limit": limit },
        from_row,
    )
}

/// A part of a user's API tokens, or of everyone's, newest first; `ended` with those that have ended and
/// are not forgotten yet.
///
/// # Errors
/// When SQLite fails.
pub fn list_api(
    tx: &ReadTx<'_>,
    (user, ended): (Option<UserId>, bool),
    (limit, offset): (u32, u32),
) -> Result<Vec<TokenEntry>> {
    match user {
        Some(user) => tx.list(
            select_tokens!(
                "WHERE t.user_id = :user AND t.kind = 'api' AND (:ended OR t.expires_at > :now)
                 ORDER BY t.created_at DESC, t.id DESC LIMIT :limit OFFSET :offset"
            ),
            named_params! {
                ":user": user, ":ended": ended, ":now": tx.now, ":limit": limit, ":offset": offset,
            },
            from_row,
        ),
        None => tx.list(
            select_tokens!(
                "WHERE t.kind = 'api' AND (:ended OR t.expires_at > :now)
                 ORDER BY t.created_at DESC, t.id DESC LIMIT :limit OFFSET :offset
                 /* scan: of the newest, those of people's sessions are passed over */"
            ),
            named_params! {
                ":ended": ended, ":now": tx.now, ":limit": limit, ":offset": offset,
            },
            from_row,
        ),
    }
}

/// A user's sessions that have not ended; newest first.
///
/// # Errors
/// When SQLite fails.
pub fn list_sessions(tx: &ReadTx<'_>, user: UserId, limit: i64) -> Result<Vec<TokenEntry>> {
    tx.list(
        select_tokens!(
            "WHERE t.user_id = :user AND t.kind = 'session' AND t.expires_at > :now
             ORDER BY t.created_at DESC, t.id DESC LIMIT :limit"
        ),
        named_params! { ":user": user, ":now": tx.now, ":limit": limit },
        from_row,
    )
}

/// Writes a new token.
///
/// # Errors
/// When SQLite fails or the user has an API token of this name.
pub fn insert(tx: &WriteTx<'_>, token: &NewToken) -> Result<()> {
    let lifetime = i64::try_from(token.lifetime.as_secs()).unwrap_or(i64::MAX).max(1);
    let networks: Vec<String> = token.limits.networks.iter().map(ToString::to_string).collect();
    tx.execute(
        "INSERT INTO tokens (id, public_id, hash, user_id, kind, name, workspace_id, created_at,
         expires_at, lifetime_s, last_used_at, last_used_ip, scopes, things, networks, parent_id,
         depth, identity_grant_id, mfa_at) VALUES (:id, :public_id, :hash, :user, :kind, :name, :workspace,
         :now, :expires_at, :lifetime, NULL, :ip, :scopes, :things, :networks, :parent, :depth,
         :grant, :mfa_at)",
        named_params! {
            ":id": token.id, ":public_id": token.public_id, ":hash": token.hash,
            ":user": token.user, ":kind": token.kind, ":name": token.name,
            ":workspace": token.workspace, ":now": tx.now,
            ":expires_at": tx.now.plus(token.lifetime), ":lifetime": lifetime, ":ip": token.ip,
            ":scopes": token.limits.scope.words().join(" "),
            ":things": token.limits.scope.things().join(" "),
            ":networks": networks.join(" "), ":parent": token.parent, ":depth": token.limits.depth,
            ":grant": token.identity_grant, ":mfa_at": token.mfa_at,
        },
    )?;
    Ok(())
}

/// Gives a session another secret after a second factor was given in it: whoever knew the old one
/// gains nothing by it.
///
/// # Errors
/// When SQLite fails.
pub fn renew(tx: &WriteTx<'_>, id: TokenId, (public_id, hash): (&str, TokenHash)) -> Result<usize> {
    tx.execute(
        "UPDATE tokens SET public_id = :public_id, hash = :hash, mfa_at = :now
         WHERE id = :id AND kind = 'session'",
        named_params! { ":id": id, ":public_id": public_id, ":hash": hash, ":now": tx.now },
    )
}

/// Forgets that second factors were given in a user's sessions: they have none any more.
///
/// # Errors
/// When SQLite fails.
pub fn forget_mfa(tx: &WriteTx<'_>, user: UserId) -> Result<usize> {
    tx.execute(
        "UPDATE tokens SET mfa_at = NULL WHERE user_id = :user",
        named_params! { ":user": user },
    )
}

/// Ends an API token now, with those that came from it; they stay in the list of those that have ended.
///
/// # Errors
/// When SQLite fails.
pub fn expire(tx: &WriteTx<'_>, id: TokenId) -> Result<usize> {
    tx.execute(
        "WITH RECURSIVE below (id) AS (
             SELECT :id UNION SELECT t.id FROM below b JOIN tokens t ON t.parent_id = b.id)
         /* scan: of those that were found */ UPDATE tokens SET expires_at = min(expires_at, :now)
         WHERE kind = 'api' AND id IN (SELECT id FROM below)",
        named_params! { ":id": id, ":now": tx.now },
    )
}

/// Ends a token now; it stays in no list.
///
/// # Errors
/// When SQLite fails.
pub fn delete(tx: &WriteTx<'_>, id: TokenId) -> Result<usize> {
    tx.execute("DELETE FROM tokens WHERE id = :id", named_params! { ":id": id })
}

/// Removes every session of a user but one.
///
/// # Errors
/// When SQLite fails.
pub fn delete_sessions(tx: &WriteTx<'_>, user: UserId, keep: Option<TokenId>) -> Result<usize> {
    tx.execute(
        "DELETE FROM tokens WHERE user_id = :user AND kind = 'session' AND id IS NOT :keep",
        named_params! { ":user": user, ":keep": keep },
    )
}

/// Removes every token of a user.
///
/// # Errors
/// When SQLite fails.
pub fn delete_all(tx: &WriteTx<'_>, user: UserId) -> Result<usize> {
    tx.execute("DELETE FROM tokens WHERE user_id = :user", named_params! { ":user": user })
}

/// Removes the token lent to a workspace.
///
/// # Errors
/// When SQLite fails.
pub fn delete_lent(tx: &WriteTx<'_>, workspace: WorkspaceId) -> Result<usize> {
    tx.execute(
        "DELETE FROM tokens WHERE workspace_id = :workspace",
        named_params! { ":workspace": workspace },
    )
}

/// Removes up to `most` tokens that ended before `at`. Whether there may be more to do.
///
/// # Errors
/// When SQLite fails.
pub fn forget(tx: &WriteTx<'_>, at: Timestamp, most: usize) -> Result<bool> {
    let n = tx.execute(
        "DELETE FROM tokens WHERE id IN (
             SELECT id FROM tokens WHERE expires_at < :at ORDER BY expires_at LIMIT :most)",
        named_params! { ":at": at, ":most": i64::try_from(most).unwrap_or(i64::MAX) },
    )?;
    Ok(n == most)
}
