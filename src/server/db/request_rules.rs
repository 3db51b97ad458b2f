//! The table `request_rules`: who answers requests besides those who may share, and how many have to.

use rusqlite::{Row, named_params};

use super::{ReadTx, Result, WriteTx};
use crate::model::id::{GroupId, OrganizationId, UserId, WorkspaceId};
use crate::model::request::Rule;

fn from_row(row: &Row<'_>) -> rusqlite::Result<Rule> {
    Ok(Rule {
        approvals: row.get("approvals")?,
        group: row.get("group_id")?,
        rotation: row.get("rotation_id")?,
        auto: row.get("auto_rotation_id")?,
        set_by: row.get("set_by")?,
        set_at: row.get("set_at")?,
    })
}

/// The rule that is set for an organization, or for one workspace of it.
///
/// # Errors
/// When SQLite fails.
pub fn find(
    tx: &ReadTx<'_>,
    organization: OrganizationId,
    workspace: Option<WorkspaceId>,
) -> Result<Option<Rule>> {
    tx.find(
        "SELECT * FROM request_rules
         WHERE organization_id = :organization
           AND coalesce(workspace_id, '') = coalesce(:workspace, '')",
        named_params! { ":organization": organization, ":workspace": workspace },
        from_row,
    )
}

/// Sets a rule in the place of the one there was.
///
/// # Errors
/// When SQLite fails.
pub fn put(
    tx: &WriteTx<'_>,
    (organization, workspace): (OrganizationId, Option<WorkspaceId>),
    rule: &Rule,
) -> Result<()> {
    delete(tx, organization, workspace)?;
    tx.execute(
        "INSERT INTO request_rules (organization_id, workspace_id, approvals, group_id, rotation_id,
         auto_rotation_id, set_by, set_at) VALUES (:organization, :workspace, :approvals, :group,
         :rotation, :auto, :by, :at)",
        named_params! {
            ":organization": organization, ":workspace": workspace,
            ":approvals": rule.approvals, ":group": rule.group, ":rotation": rule.rotation,
            ":auto": rule.auto, ":by": rule.set_by, ":at": rule.set_at,
        },
    )?;
    Ok(())
}

/// Removes a rule.
///
/// # Errors
/// When SQLite fails.
pub fn delete(
    tx: &WriteTx<'_>,
    organization: OrganizationId,
    workspace: Option<WorkspaceId>,
) -> Result<()> {
    tx.execute(
        "DELETE FROM request_rules
         WHERE organization_id = :organization
           AND coalesce(workspace_id, '') = coalesce(:workspace, '')",
        named_params! { ":organization": organization, ":workspace": workspace },
    )?;
    Ok(())
}

/// Whether someone is in a group, and active in its organization.
///
/// # Errors
/// When SQLite fails.
pub fn is_in_group(tx: &ReadTx<'_>, group: GroupId, user: UserId) -> Result<bool> {
    let found = tx.find(
        "SELECT 1 FROM group_members s
           CROSS JOIN groups g ON g.id = s.group_id
           CROSS JOIN memberships m ON m.organization_id = g.organization_id AND m.user_id = s.user_id
           CROSS JOIN users u ON u.id = s.user_id
         WHERE s.group_id = :group AND s.user_id = :user AND u.status IN ('active', 'dormant')",
        named_params! { ":group": group, ":user": user },
        |_| Ok(()),
    )?;
    Ok(found.is_some())
}
