//! The table `grants`: what someone was given on a workspace, by whom, and within which limits.

use rusqlite::{Row, named_params};

use super::scim_users::bound;
use super::{ReadTx, Result, WriteTx};
use crate::model::grant::{EndedWhy, Grant, Limits, Mode, Recipient};
use crate::model::id::{GrantId, GroupId, OrganizationId, RotationId, UserId, WorkspaceId};
use crate::model::network::Network;
use crate::model::time::Timestamp;
use crate::model::verb::Verbs;

pub(super) fn from_row(row: &Row<'_>) -> rusqlite::Result<Grant> {
    let user = row.get::<_, Option<UserId>>("user_id")?.map(Recipient::User);
    let group = row.get::<_, Option<GroupId>>("group_id")?.map(Recipient::Group);
    let rotation = row.get::<_, Option<RotationId>>("rotation_id")?.map(Recipient::Rotation);
    let to = user.or(group).or(rotation).unwrap_or(Recipient::Everyone);
    let networks: String = row.get("networks")?;
    let ended_at: Option<Timestamp> = row.get("ended_at")?;
    Ok(Grant {
        id: row.get("id")?,
        workspace_id: row.get("workspace_id")?,
        to,
        verbs: Verbs::of_bits(row.get("verbs")?),
        limits: Limits {
            from: row.get("from_at")?,
            until: row.get("until_at")?,
            hours: row.get("hours")?,
            networks: networks.split(',').filter_map(|n| n.parse().ok()).collect(),
            needs_mfa: row.get("needs_mfa")?,
            is_recorded: row.get("is_recorded")?,
        },
        reason: row.get("reason")?,
        granted_by: row.get("granted_by")?,
        granted_at: row.get("granted_at")?,
        via: row.get("via")?,
        under: row.get("under_id")?,
        ended: ended_at.zip(row.get("ended_why")?),
    })
}

/// The columns that a recipient is kept in.
fn columns(to: Recipient) -> (Option<UserId>, Option<GroupId>, Option<RotationId>) {
    match to {
        Recipient::User(user) => (Some(user), None, None),
        Recipient::Group(group) => (None, Some(group), None),
        Recipient::Rotation(rotation) => (None, None, Some(rotation)),
        Recipient::Everyone => (None, None, None),
    }
}

/// A grant, whether it stands or not.
///
/// # Errors
/// When SQLite fails.
pub fn find(tx: &ReadTx<'_>, id: GrantId) -> Result<Option<Grant>> {
    tx.find("SELECT * FROM grants WHERE id = :id", named_params! { ":id": id }, from_row)
}

/// The grants on a workspace that were not ended and are not over, the oldest first.
///
/// # Errors
/// When SQLite fails.
pub fn list(tx: &ReadTx<'_>, workspace: WorkspaceId) -> Result<Vec<Grant>> {
    tx.list(
        "SELECT * FROM grants WHERE workspace_id = :workspace AND ended_at IS NULL
           AND (until_at IS NULL OR until_at > :now) ORDER BY granted_at, id",
        named_params! { ":workspace": workspace, ":now": tx.now },
        from_row,
    )
}

/// The grants on a workspace that were taken back since then, the last one first; at most 50.
///
/// # Errors
/// When SQLite fails.
pub fn removed_since(
    tx: &ReadTx<'_>,
    workspace: WorkspaceId,
    since: Timestamp,
) -> Result<Vec<Grant>> {
    tx.list(
        "SELECT * FROM grants WHERE workspace_id = :workspace AND ended_why = 'removed'
           AND ended_at >= :since ORDER BY ended_at DESC, id LIMIT 50",
        named_params! { ":workspace": workspace, ":since": since },
        from_row,
    )
}

/// Whether anybody has a grant, whenever and from wherever it may be used.
///
/// # Errors
/// When SQLite fails.
pub fn is_held(tx: &ReadTx<'_>, id: GrantId) -> Result<bool> {
    let found = tx.find(
        "SELECT 1 FROM grants g
         WHERE g.id = :id AND ((g.user_id IS NULL AND g.group_id IS NULL AND g.rotation_id IS NULL)
           OR EXISTS (SELECT 1 FROM on_shift s WHERE s.rotation_id = g.rotation_id AND s.until_at > :now)
           OR EXISTS (SELECT 1 FROM grant_holders x WHERE x.grant_id = g.id AND x.user_id = g.user_id)
           OR EXISTS (
             SELECT 1 FROM group_members s
               CROSS JOIN memberships m ON m.organization_id = g.organization_id AND m.user_id = s.user_id
               CROSS JOIN users u ON u.id = m.user_id
             WHERE s.group_id = g.group_id AND u.status IN ('active', 'dormant')))
         AND (g.under_id IS NULL OR EXISTS (
           SELECT 1 FROM grant_holders x WHERE x.grant_id = g.under_id AND x.user_id = g.granted_by))
         AND ((g.via <> 'request' AND g.by_role = 0) OR g.under_id IS NOT NULL OR EXISTS (
           SELECT 1 FROM sharers x WHERE x.workspace_id = g.workspace_id AND x.user_id = g.granted_by))",
        named_params! { ":id": id, ":now": tx.now },
        |_| Ok(()),
    )?;
    Ok(found.is_some())
}

/// How many of those that [`list`] gives.
///
/// # Errors
/// When SQLite fails.
pub fn count(tx: &ReadTx<'_>, workspace: WorkspaceId) -> Result<usize> {
    let found = tx.find(
        "SELECT count(*) FROM grants WHERE workspace_id = :workspace AND ended_at IS NULL
           AND (until_at IS NULL OR until_at > :now)",
        named_params! { ":workspace": workspace, ":now": tx.now },
        |row| row.get::<_, i64>(0),
    )?;
    Ok(usize::try_from(found.unwrap_or_default()).unwrap_or(usize::MAX))
}

/// Forgets the oldest grants on a workspace that are over, beyond so many that are kept.
///
/// # Errors
/// When SQLite fails.
pub fn forget_surplus(tx: &WriteTx<'_>, workspace: WorkspaceId, kept: usize) -> Result<usize> {
    tx.execute(
        "DELETE FROM grants WHERE id IN (
             SELECT id FROM grants
             WHERE workspace_id = :workspace AND (ended_at IS NOT NULL OR until_at <= :now)
             ORDER BY granted_at LIMIT max(0, (
               SELECT count(*) FROM grants WHERE workspace_id = :workspace) - :kept))",
        named_params! {
            ":workspace": workspace, ":now": tx.now,
            ":kept": i64::try_from(kept).unwrap_or(i64::MAX),
        },
    )
}

/// Writes a new grant. Who gives it under no other one, and neither owns the workspace nor answers for its
/// owner, has the right to by a role.
///
/// # Errors
/// When SQLite fails.
pub fn insert(tx: &WriteTx<'_>, grant: &Grant) -> Result<()> {
    let (user, group, rotation) = columns(grant.to);
    let networks: Vec<String> = grant.limits.networks.iter().map(Network::to_string).collect();
    tx.execute(
        "INSERT INTO grants (id, workspace_id, organization_id, user_id, group_id, rotation_id, verbs, from_at, until_at, hours, networks,
         needs_mfa, is_recorded, reason, granted_by, granted_at, via, under_id, by_role)
         VALUES (:id, :workspace, (SELECT organization_id FROM workspaces WHERE id = :workspace),
         :user, :group, :rotation, :verbs, :from, :until, :hours, :networks, :mfa,
         :recorded, :reason, :by, :at, :via, :under,
         :under IS NULL AND :by IS NOT NULL AND :via <> 'break_glass' AND NOT EXISTS (
           SELECT 1 FROM workspaces w LEFT JOIN service_accounts s ON s.user_id = w.owner_id
           WHERE w.id = :workspace AND :by IN (w.owner_id, s.responsible_id)))",
        named_params! {
            ":id": grant.id, ":workspace": grant.workspace_id, ":user": user, ":group": group, ":rotation": rotation,
            ":verbs": grant.verbs.bits(), ":from": grant.limits.from, ":until": grant.limits.until,
            ":hours": grant.limits.hours, ":networks": networks.join(","),
            ":mfa": grant.limits.needs_mfa, ":recorded": grant.limits.is_recorded,
            ":reason": grant.reason, ":by": grant.granted_by, ":at": grant.granted_at,
            ":via": grant.via, ":under": grant.under,
        },
    )?;
    Ok(())
}

/// Has a grant end with the shift of whom it is to.
///
/// # Errors
/// When SQLite fails.
pub fn follow_shift(tx: &WriteTx<'_>, id: GrantId, rotation: RotationId) -> Result<()> {
    tx.execute(
        "UPDATE grants SET shift_of_id = :rotation WHERE id = :id",
        named_params! { ":id": id, ":rotation": rotation },
    )?;
    Ok(())
}

/// The grants that end with a shift of a rotation, and are not over.
///
/// # Errors
/// When SQLite fails.
pub fn of_shifts(tx: &ReadTx<'_>, rotation: RotationId) -> Result<Vec<Grant>> {
    tx.list(
        "SELECT * FROM grants WHERE shift_of_id = :rotation AND ended_at IS NULL AND until_at > :now
         ORDER BY granted_at, id",
        named_params! { ":rotation": rotation, ":now": tx.now },
        from_row,
    )
}

/// The workspaces that a rotation's people reach: by what it was given, and by what they were given at
/// once for their shifts.
///
/// # Errors
/// When SQLite fails.
pub fn workspaces_of(tx: &ReadTx<'_>, rotation: RotationId) -> Result<Vec<WorkspaceId>> {
    tx.list(
        "SELECT workspace_id FROM grants WHERE rotation_id = :rotation AND ended_at IS NULL
         UNION SELECT workspace_id FROM grants WHERE shift_of_id = :rotation AND ended_at IS NULL",
        named_params! { ":rotation": rotation },
        |row| row.get("workspace_id"),
    )
}

/// Lets a grant end earlier.
///
/// # Errors
/// When SQLite fails, and when it would end before it begins.
pub fn shorten(tx: &WriteTx<'_>, id: GrantId, until: Timestamp) -> Result<()> {
    tx.execute(
        "UPDATE grants SET until_at = :until WHERE id = :id AND until_at > :until",
        named_params! { ":id": id, ":until": until },
    )?;
    Ok(())
}

/// Ends a grant by hand.
///
/// # Errors
/// When SQLite fails.
pub fn end(tx: &WriteTx<'_>, id: GrantId, by: Option<UserId>, why: EndedWhy) -> Result<()> {
    tx.execute(
        "UPDATE grants SET ended_at = :now, ended_by = :by, ended_why = :why
         WHERE id = :id AND ended_at IS NULL",
        named_params! { ":id": id, ":now": tx.now, ":by": by, ":why": why },
    )?;
    Ok(())
}

/// Lets a grant that was ended stand again.
///
/// # Errors
/// When SQLite fails.
pub fn restore(tx: &WriteTx<'_>, id: GrantId) -> Result<()> {
    tx.execute(
        "UPDATE grants SET ended_at = NULL, ended_by = NULL, ended_why = NULL WHERE id = :id",
        named_params! { ":id": id },
    )?;
    Ok(())
}

/// The grants in an organization that a mode does not let stand.
///
/// # Errors
/// When SQLite fails.
pub fn against(tx: &ReadTx<'_>, organization: OrganizationId, mode: Mode) -> Result<Vec<Grant>> {
    tx.list(
        "SELECT g.* FROM workspaces w CROSS JOIN users o ON o.id = w.owner_id
         CROSS JOIN grants g ON g.workspace_id = w.id
         WHERE w.organization_id = :organization AND w.deleted_at IS NULL AND g.ended_at IS NULL
           AND (g.until_at IS NULL OR g.until_at > :now)
           AND (:mode = 'none' OR (:mode = 'service_accounts' AND o.kind <> 'service'))
         ORDER BY w.name, g.granted_at, g.id",
        named_params! { ":organization": organization, ":mode": mode, ":now": tx.now },
        from_row,
    )
}

/// The grants in an organization that ended with a mode and would stand in another, and are not over.
///
/// # Errors
/// When SQLite fails.
pub fn restorable(tx: &ReadTx<'_>, organization: OrganizationId, mode: Mode) -> Result<Vec<Grant>> {
    tx.list(
        "SELECT g.* FROM workspaces w CROSS JOIN users o ON o.id = w.owner_id
         CROSS JOIN grants g ON g.workspace_id = w.id
         WHERE w.organization_id = :organization AND w.deleted_at IS NULL AND g.ended_why = 'mode'
           AND (g.until_at IS NULL OR g.until_at > :now)
           AND (:mode = 'everyone' OR (:mode = 'service_accounts' AND o.kind = 'service'))
         ORDER BY w.name, g.granted_at, g.id",
        named_params! { ":organization": organization, ":mode": mode, ":now": tx.now },
        from_row,
    )
}

/// Takes back what a user was granted in an organization.
///
/// # Errors
/// When SQLite fails.
pub fn remove_user(tx: &WriteTx<'_>, organization: OrganizationId, user: UserId) -> Result<usize> {
    tx.execute(
        "DELETE FROM grants WHERE user_id = :user AND EXISTS (
             SELECT 1 FROM workspaces w
             WHERE w.id = grants.workspace_id AND w.organization_id = :organization)",
        named_params! { ":user": user, ":organization": organization },
    )
}

/// Takes back what a user was granted anywhere.
///
/// # Errors
/// When SQLite fails.
pub fn remove_all(tx: &WriteTx<'_>, user: UserId) -> Result<usize> {
    tx.execute("DELETE FROM grants WHERE user_id = :user", named_params! { ":user": user })
}

/// Removes some of the grants that ended before a time. Whether there may be more of them.
///
/// # Errors
/// When SQLite fails.
pub fn forget(tx: &WriteTx<'_>, before: Timestamp, at_most: usize) -> Result<bool> {
    let removed = tx.execute(
        "DELETE FROM grants WHERE id IN (
             SELECT id FROM grants
             WHERE (ended_at IS NOT NULL OR until_at IS NOT NULL)
               AND coalesce(ended_at, until_at) < :before LIMIT :limit)",
        named_params! { ":before": before, ":limit": i64::try_from(at_most).unwrap_or(i64::MAX) },
    )?;
    Ok(removed >= at_most)
}

/// A grant that a user has directly on a workspace and that stands; those of one subject only.
///
/// # Errors
/// When SQLite fails.
pub fn of(tx: &ReadTx<'_>, workspace: WorkspaceId, to: Recipient) -> Result<Vec<Grant>> {
    let (user, group, rotation) = columns(to);
    tx.list(
        "SELECT * FROM grants WHERE workspace_id = :workspace AND user_id IS :user
           AND group_id IS :group AND rotation_id IS :rotation AND ended_at IS NULL AND (until_at IS NULL OR until_at > :now)
         ORDER BY granted_at, id",
        named_params! { ":workspace": workspace, ":user": user, ":group": group, ":rotation": rotation, ":now": tx.now },
        from_row,
    )
}

/// Whom someone's grants are to that stand under another one or on their role: what these have ends when who
/// gave it loses that.
///
/// # Errors
/// When SQLite fails.
pub fn holders_under(tx: &ReadTx<'_>, by: UserId, most: usize) -> Result<Vec<UserId>> {
    tx.list(
        "SELECT g.user_id AS holder FROM grants g
         WHERE g.granted_by = :by AND (g.under_id IS NOT NULL OR g.by_role = 1) AND g.ended_at IS NULL
           AND g.user_id IS NOT NULL
         UNION
         SELECT s.user_id FROM grants g CROSS JOIN group_members s ON s.group_id = g.group_id
         WHERE g.granted_by = :by AND (g.under_id IS NOT NULL OR g.by_role = 1) AND g.ended_at IS NULL
         UNION
         SELECT m.user_id FROM grants g CROSS JOIN memberships m ON m.organization_id = g.organization_id
         WHERE g.granted_by = :by AND (g.under_id IS NOT NULL OR g.by_role = 1) AND g.ended_at IS NULL
           AND g.user_id IS NULL AND g.group_id IS NULL AND g.rotation_id IS NULL
         UNION
         SELECT s.user_id FROM grants g CROSS JOIN on_shift s ON s.rotation_id = g.rotation_id
         WHERE g.granted_by = :by AND g.by_role = 1 AND g.ended_at IS NULL
           AND s.from_at <= :now AND s.until_at > :now
         LIMIT :most",
        named_params! { ":by": by, ":now": tx.now, ":most": bound(most) },
        |row| row.get("holder"),
    )
}
