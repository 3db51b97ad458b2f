//! What people may use and use: allowances of groups, and what workspaces count.
//!
//! A unary plus keeps a search by owner from becoming one by organization, which has more workspaces.

use rusqlite::{Row, named_params};

use super::{ReadTx, Result, WriteTx};
use crate::model::id::{OrganizationId, UserId, VersionId, WorkspaceId};
use crate::model::name::WorkspaceName;
use crate::model::quota::Quota;

/// What someone uses in an organization, and may use there. Workspaces are found by their owner: an
/// organization has many more, which the plus signs keep SQLite from walking through.
///
/// # Errors
/// When SQLite fails.
pub fn of(tx: &ReadTx<'_>, organization: OrganizationId, user: UserId) -> Result<Quota> {
    let found = tx.find(
        "SELECT
           o.quota_allowance > 0 OR EXISTS (
             SELECT 1 FROM groups g WHERE g.organization_id = o.id AND g.quota_allowance > 0
           ) AS is_limited,
           iif(EXISTS (SELECT 1 FROM memberships s
                       WHERE s.organization_id = o.id AND s.user_id = :user), o.quota_allowance, 0)
           + (SELECT coalesce(sum(g.quota_allowance), 0)
              FROM group_members m CROSS JOIN groups g ON g.id = m.group_id
              WHERE m.user_id = :user AND g.organization_id = o.id) AS budget,
           (SELECT coalesce(sum(w.daily_cost), 0) FROM workspaces w
            WHERE w.owner_id = :user AND +w.organization_id = o.id AND w.deleted_at IS NULL) AS consumed
         FROM organizations o WHERE o.id = :organization",
        named_params! { ":organization": organization, ":user": user },
        |row| {
            let budget: i64 = row.get("budget")?;
            let is_limited: bool = row.get("is_limited")?;
            Ok(Quota { consumed: row.get("consumed")?, budget: is_limited.then_some(budget) })
        },
    )?;
    Ok(found.unwrap_or_default())
}

/// What a workspace counts in its owner's budget.
///
/// # Errors
/// When SQLite fails.
pub fn held(tx: &ReadTx<'_>, workspace: WorkspaceId) -> Result<i64> {
    let found = tx.find(
        "SELECT daily_cost FROM workspaces WHERE id = :id",
        named_params! { ":id": workspace },
        |row| row.get("daily_cost"),
    )?;
    Ok(found.unwrap_or(0))
}

/// Stores what a workspace counts in its owner's budget.
///
/// # Errors
/// When SQLite fails.
pub fn hold(tx: &WriteTx<'_>, workspace: WorkspaceId, cost: i64) -> Result<()> {
    tx.execute(
        "UPDATE workspaces SET daily_cost = :cost WHERE id = :id",
        named_params! { ":id": workspace, ":cost": cost },
    )?;
    Ok(())
}

/// A workspace that uses some of a budget.
#[derive(Clone, Debug)]
pub struct Use {
    /// Which.
    pub workspace: WorkspaceId,
    /// Its name.
    pub name: WorkspaceName,
    /// Credits a day that it counts.
    pub cost: i64,
    /// The version of its last build.
    pub version: VersionId,
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Use> {
    Ok(Use {
        workspace: row.get("id")?,
        name: row.get("name")?,
        cost: row.get("daily_cost")?,
        version: row.get("version_id")?,
    })
}

/// Someone's workspaces in an organization that count something, the dearest first.
///
/// # Errors
/// When SQLite fails.
pub fn uses(
    tx: &ReadTx<'_>,
    (organization, owner): (OrganizationId, UserId),
    limit: u32,
) -> Result<Vec<Use>> {
    tx.list(
        "SELECT w.id AS id, w.name AS name, w.daily_cost AS daily_cost, b.version_id AS version_id
         FROM workspaces w CROSS JOIN builds b ON b.workspace_id = w.id
           AND b.number = (SELECT max(number) FROM builds WHERE workspace_id = w.id)
         WHERE w.owner_id = :owner AND +w.organization_id = :organization
           AND w.deleted_at IS NULL AND w.daily_cost > 0
         ORDER BY w.daily_cost DESC, w.name LIMIT :limit",
        named_params! { ":owner": owner, ":organization": organization, ":limit": limit },
        from_row,
    )
}
