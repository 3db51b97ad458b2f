//! The tables `invitations` and `invitation_groups`: links by which people make accounts.

use rusqlite::types::Type;
use rusqlite::{Row, named_params};

use super::scim_users::bound;
use super::{ReadTx, Result, WriteTx};
use crate::model::id::{InvitationId, UserId};
use crate::model::invitation::Invitation;
use crate::model::secret::TokenHash;
use crate::model::time::Timestamp;
use crate::model::user::{SiteRole, UserRef};

/// What [`from_row`] reads.
macro_rules! select_invitations {
    ($rest:literal) => {
        concat!(
            "SELECT i.id, i.hash, i.email, i.roles, i.made_by, u.username, i.created_at,
             i.expires_at FROM invitations i JOIN users u ON u.id = i.made_by ",
            $rest
        )
    };
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<(TokenHash, Invitation)> {
    let mut roles = Vec::new();
    for word in row.get_ref("roles")?.as_str()?.split(' ').filter(|word| !word.is_empty()) {
        let why = || format!("unknown role {word:?}").into();
        let read = SiteRole::from_word(word);
        roles.push(
            read.ok_or_else(|| rusqlite::Error::FromSqlConversionFailure(3, Type::Text, why()))?,
        );
    }
    let invitation = Invitation {
        id: row.get("id")?,
        email: row.get("email")?,
        roles,
        groups: Vec::new(),
        made_by: UserRef { id: row.get("made_by")?, username: row.get("username")? },
        created_at: row.get("created_at")?,
        expires_at: row.get("expires_at")?,
    };
    Ok((row.get("hash")?, invitation))
}

fn with_groups(tx: &ReadTx<'_>, mut invitation: Invitation) -> Result<Invitation> {
    invitation.groups = tx.list(
        "SELECT g.id, g.name FROM invitation_groups i JOIN groups g ON g.id = i.group_id
         WHERE i.invitation_id = :id ORDER BY g.name",
        named_params! { ":id": invitation.id },
        |row| Ok((row.get("id")?, row.get("name")?)),
    )?;
    Ok(invitation)
}

/// An invitation by the part its link is looked up by, with the hash of the rest.
///
/// # Errors
/// When SQLite fails.
pub fn present(tx: &ReadTx<'_>, public_id: &str) -> Result<Option<(TokenHash, Invitation)>> {
    let found = tx.find(
        select_invitations!("WHERE i.public_id = :public_id AND i.expires_at > :now"),
        named_params! { ":public_id": public_id, ":now": tx.now },
        from_row,
    )?;
    let Some((hash, invitation)) = found else { return Ok(None) };
    Ok(Some((hash, with_groups(tx, invitation)?)))
}

/// An invitation by id.
///
/// # Errors
/// When SQLite fails.
pub fn find(tx: &ReadTx<'_>, id: InvitationId) -> Result<Option<Invitation>> {
    let found =
        tx.find(select_invitations!("WHERE i.id = :id"), named_params! { ":id": id }, from_row)?;
    found.map(|(_, invitation)| with_groups(tx, invitation)).transpose()
}

/// Invitations that have not ended, what ends first coming first.
///
/// # Errors
/// When SQLite fails.
pub fn list(tx: &ReadTx<'_>, limit: usize) -> Result<Vec<Invitation>> {
    let all = tx.list(
        select_invitations!("WHERE i.expires_at > :now ORDER BY i.expires_at, i.id LIMIT :limit"),
        named_params! { ":now": tx.now, ":limit": bound(limit) },
        from_row,
    )?;
    all.into_iter().map(|(_, invitation)| with_groups(tx, invitation)).collect()
}

/// How many invitations have not ended.
///
/// # Errors
/// When SQLite fails.
pub fn count(tx: &ReadTx<'_>) -> Result<usize> {
    let n: Option<i64> = tx.find(
        "SELECT count(*) FROM invitations WHERE expires_at > :now",
        named_params! { ":now": tx.now },
        |row| row.get(0),
    )?;
    Ok(usize::try_from(n.unwrap_or_default()).unwrap_or(usize::MAX))
}

/// Writes a new invitation; `secret` is what it is looked up by, and the hash of the rest.
///
/// # Errors
/// When SQLite fails.
pub fn insert(
    tx: &WriteTx<'_>,
    new: &Invitation,
    (public_id, hash): (&str, TokenHash),
) -> Result<()> {
    let roles: Vec<&str> = new.roles.iter().map(|role| role.as_str()).collect();
    tx.execute(
        "INSERT INTO invitations (id, public_id, hash, email, roles, made_by, created_at,
         expires_at) VALUES (:id, :public_id, :hash, :email, :roles, :made_by, :now, :expires_at)",
        named_params! {
            ":id": new.id, ":public_id": public_id, ":hash": hash, ":email": new.email,
            ":roles": roles.join(" "), ":made_by": new.made_by.id, ":now": tx.now,
            ":expires_at": new.expires_at,
        },
    )?;
    for (group, _) in &new.groups {
        tx.execute(
            "INSERT INTO invitation_groups (invitation_id, group_id) VALUES (:id, :group)",
            named_params! { ":id": new.id, ":group": group },
        )?;
    }
    Ok(())
}

/// Ends an invitation.
///
/// # Errors
/// When SQLite fails.
pub fn delete(tx: &WriteTx<'_>, id: InvitationId) -> Result<usize> {
    tx.execute("DELETE FROM invitations WHERE id = :id", named_params! { ":id": id })
}

/// Ends every invitation that someone made.
///
/// # Errors
/// When SQLite fails.
pub fn delete_of(tx: &WriteTx<'_>, user: UserId) -> Result<usize> {
    tx.execute("DELETE FROM invitations WHERE made_by = :user", named_params! { ":user": user })
}

/// Removes up to `most` that ended before `at`. Whether there may be more to do.
///
/// # Errors
/// When SQLite fails.
pub fn forget(tx: &WriteTx<'_>, at: Timestamp, most: usize) -> Result<bool> {
    let n = tx.execute(
        "DELETE FROM invitations WHERE id IN (
             SELECT id FROM invitations WHERE expires_at < :at ORDER BY expires_at LIMIT :most)",
        named_params! { ":at": at, ":most": bound(most) },
    )?;
    Ok(n == most)
}
