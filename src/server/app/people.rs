//! Who may see and change whom: shared by the use cases on users, their tokens and keys.

use super::{Actor, Error, Result};
use crate::model::id::UserId;
use crate::model::user::{SiteRole, User, UserStatus};
use crate::server::db::{self, ReadTx, users};

/// Finds a user by `me`, id or name, if the actor may know them.
///
/// # Errors
/// [`Error::NotFound`] when there is none or the actor may not see them.
pub fn find(tx: &ReadTx<'_>, actor: &Actor, key: &str) -> Result<User> {
    let found = match (key, key.parse::<UserId>()) {
        ("me", _) => users::find(tx, actor.caller()?.user.id)?,
        (_, Ok(id)) => users::find(tx, id)?,
        (name, Err(_)) => users::find_by_name(tx, name)?,
    };
    found
        .filter(|u| u.status != UserStatus::Deleted && may_see(actor, u.id))
        .ok_or(Error::NotFound("user"))
}

/// Whether the actor may see more of a user than the name.
#[must_use]
pub fn may_see(actor: &Actor, user: UserId) -> bool {
    actor.user_id() == Some(user) || SiteRole::ALL.iter().any(|role| actor.has(*role))
}

/// Asks for the right to change someone else's account: owners may change all, user admins all but
/// owners.
///
/// # Errors
/// [`Error::Denied`] otherwise.
pub fn require_admin_of(actor: &Actor, user: &User) -> Result<()> {
    actor.require_role(SiteRole::ADMINS)?;
    if user.has(SiteRole::Owner) && !actor.has(SiteRole::Owner) {
        return Err(Error::denied("only an owner may change an owner"));
    }
    Ok(())
}

/// Asks for the right to change this account: one's own, or as [`require_admin_of`].
///
/// # Errors
/// [`Error::Denied`] otherwise.
pub fn require_self_or_admin(actor: &Actor, user: &User) -> Result<()> {
    if actor.user_id() == Some(user.id) { Ok(()) } else { require_admin_of(actor, user) }
}

/// Says which of a user's names is taken; other errors stay what they are.
pub(super) fn taken(error: db::Error, user: &User) -> Error {
    match error.collision() {
        Some(what) if what.contains("username") => {
            Error::Conflict(format!("there is a user named {}", user.username))
        }
        Some(what) if what.contains("email") => {
            Error::Conflict(format!("there is a user with the address {}", user.email))
        }
        Some(_) | None => error.into(),
    }
}
