//! The views `effective_grants`, `shift_grants` and `everywhere_grants`: who may do what on which workspace,
//! and why.

use rusqlite::{Row, named_params};

use super::{ReadTx, Result};
use crate::model::grant::EffectiveGrant;
use crate::model::id::{OrganizationId, UserId, WorkspaceId};
use crate::model::verb::Verb;

/// What is read of each right, from both views.
macro_rules! rights {
    ($($which:literal),+) => {
        concat!(
            "SELECT user_id, verb, reason, grant_id, from_at, until_at, hours, networks, needs_mfa,
               is_recorded FROM effective_grants WHERE user_id = :user ", $($which,)+
            " UNION ALL
             SELECT user_id, verb, reason, grant_id, from_at, until_at, hours, networks, needs_mfa,
               is_recorded FROM shift_grants
             WHERE user_id = :user AND shift_from_at <= :now AND shift_until_at > :now ", $($which),+
        )
    };
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<EffectiveGrant> {
    Ok(EffectiveGrant {
        user_id: row.get("user_id")?,
        verb: row.get("verb")?,
        reason: row.get("reason")?,
        grant_id: row.get("grant_id")?,
        from: row.get("from_at")?,
        until: row.get("until_at")?,
        hours: row.get("hours")?,
        networks: row.get("networks")?,
        needs_mfa: row.get("needs_mfa")?,
        is_recorded: row.get("is_recorded")?,
    })
}

/// Every right of a user on a workspace; those of a rotation in the shift of now.
///
/// # Errors
/// When SQLite fails.
pub fn list(tx: &ReadTx<'_>, user: UserId, workspace: WorkspaceId) -> Result<Vec<EffectiveGrant>> {
    tx.list(
        rights!("AND workspace_id = :workspace"),
        named_params! { ":user": user, ":workspace": workspace, ":now": tx.now },
        from_row,
    )
}

/// Whether a user may share some workspace of an organization, or some of its service accounts'.
///
/// # Errors
/// When SQLite fails.
pub fn shares_in(
    tx: &ReadTx<'_>,
    user: UserId,
    (organization, of_accounts): (OrganizationId, bool),
) -> Result<bool> {
    let found = tx.find(
        "SELECT 1 FROM effective_grants e CROSS JOIN workspaces w ON w.id = e.workspace_id
           CROSS JOIN users o ON o.id = w.owner_id
         WHERE e.user_id = :user AND e.verb = 'share' AND e.from_at <= :now
           AND (e.until_at IS NULL OR e.until_at > :now) AND w.organization_id = :organization
           AND (:of_accounts = 0 OR o.kind = 'service')
         LIMIT 1 /* scan: a role may open every workspace */",
        named_params! {
            ":user": user, ":organization": organization, ":now": tx.now, ":of_accounts": of_accounts,
        },
        |_| Ok(()),
    )?;
    Ok(found.is_some())
}

/// What a user may do on every workspace now, hours, networks and second factors aside.
///
/// # Errors
/// When SQLite fails.
pub fn on_all(tx: &ReadTx<'_>, user: UserId) -> Result<Vec<(WorkspaceId, Verb)>> {
    tx.list(
        "SELECT workspace_id, verb FROM effective_grants
         WHERE user_id = :user AND from_at <= :now AND (until_at IS NULL OR until_at > :now)
         UNION
         SELECT workspace_id, verb FROM shift_grants
         WHERE user_id = :user AND shift_from_at <= :now AND shift_until_at > :now
           AND from_at <= :now AND (until_at IS NULL OR until_at > :now)
         /* scan: a role may open every workspace */",
        named_params! { ":user": user, ":now": tx.now },
        |row| Ok((row.get("workspace_id")?, row.get("verb")?)),
    )
}

/// The rights of a user to see a workspace that have limits besides a time.
///
/// # Errors
/// When SQLite fails.
pub fn limited(tx: &ReadTx<'_>, user: UserId) -> Result<Vec<EffectiveGrant>> {
    tx.list(
        rights!(
            "AND verb = 'view' AND grant_id IS NOT NULL
             AND (hours NOT IN ('', char(10)) OR networks NOT IN ('', char(10)) OR needs_mfa = 1)"
        ),
        named_params! { ":user": user, ":now": tx.now },
        from_row,
    )
}

/// What a user may do on every workspace there is, by their roles on the site.
///
/// # Errors
/// When SQLite fails.
pub fn everywhere(tx: &ReadTx<'_>, user: UserId) -> Result<Vec<Verb>> {
    tx.list(
        "SELECT DISTINCT verb FROM everywhere_grants
         WHERE user_id = :user AND organization_id IS NULL",
        named_params! { ":user": user },
        |row| row.get(0),
    )
}
