//! Grants as a review reads them: with their workspaces, their last use, and what became of who gave them.

use rusqlite::{Row, named_params};

use super::{ReadTx, Result, grants};
use crate::model::access_review::{ReviewCounts, ReviewOf, STALE_S};
use crate::model::grant::Grant;
use crate::model::id::{OrganizationId, UserId, WorkspaceId};
use crate::model::time::Timestamp;

/// A grant with what a review says of it.
#[derive(Clone, Debug)]
pub struct Reviewed {
    /// The grant.
    pub grant: Grant,
    /// The owner of its workspace.
    pub owner: String,
    /// The workspace's name.
    pub workspace: String,
    /// Where that belongs.
    pub organization: OrganizationId,
    /// When someone of those whom it is to was last in it.
    pub last_used: Option<Timestamp>,
    /// Whether who granted it may act no more, or lost the role by which they did.
    pub departed: bool,
}

/// What is known of each grant that stands: the last time anyone of those whom it is to was there, and
/// whether its granter is still a member who may act, and has the role that it stands on, if it does.
macro_rules! reviewed {
    ($columns:literal, $tail:literal) => {
        concat!(
            "WITH reviewed AS (
               SELECT g.*, o.username AS owner, w.name AS workspace,
                 CASE
                   WHEN g.user_id IS NOT NULL THEN (
                     SELECT max(c.began_at) FROM connections c
                     WHERE c.workspace_id = g.workspace_id AND c.user_id = g.user_id)
                   WHEN g.group_id IS NOT NULL THEN (
                     SELECT max((SELECT max(c.began_at) FROM connections c
                                 WHERE c.workspace_id = g.workspace_id AND c.user_id = s.user_id))
                     FROM group_members s WHERE s.group_id = g.group_id)
                   WHEN g.rotation_id IS NOT NULL THEN (
                     SELECT max((SELECT max(c.began_at) FROM connections c
                                 WHERE c.workspace_id = g.workspace_id AND c.user_id = s.user_id))
                     FROM rotation_members s WHERE s.rotation_id = g.rotation_id)
                   ELSE (
                     SELECT max((SELECT max(c.began_at) FROM connections c
                                 WHERE c.workspace_id = g.workspace_id AND c.user_id = s.user_id))
                     FROM memberships s
                     WHERE s.organization_id = g.organization_id AND s.user_id <> w.owner_id)
                 END AS last_used,
                 g.granted_by IS NOT NULL AND NOT EXISTS (
                   SELECT 1 FROM users u WHERE u.id = g.granted_by AND u.status IN ('active', 'dormant')
                     AND (EXISTS (SELECT 1 FROM memberships m
                         WHERE m.organization_id = g.organization_id AND m.user_id = u.id)
                       OR EXISTS (SELECT 1 FROM everywhere_grants e
                         WHERE e.user_id = u.id AND e.organization_id IS NULL
                           AND e.verb = 'share'))
                     AND ((g.via <> 'request' AND g.by_role = 0) OR g.under_id IS NOT NULL
                       OR EXISTS (SELECT 1 FROM sharers x
                         WHERE x.workspace_id = g.workspace_id AND x.user_id = u.id))) AS departed
               FROM grants g CROSS JOIN workspaces w ON w.id = g.workspace_id
                 CROSS JOIN users o ON o.id = w.owner_id
               WHERE g.ended_at IS NULL AND w.deleted_at IS NULL
                 AND (g.until_at IS NULL OR g.until_at > :now)
                 AND (:text = '' OR instr(lower(o.username || '/' || w.name), :text) > 0))
             SELECT ",
            $columns,
            " FROM reviewed /* scan: a review is of every grant */ ",
            $tail
        )
    };
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Reviewed> {
    Ok(Reviewed {
        grant: grants::from_row(row)?,
        owner: row.get("owner")?,
        workspace: row.get("workspace")?,
        organization: row.get("organization_id")?,
        last_used: row.get("last_used")?,
        departed: row.get("departed")?,
    })
}

/// A page of the grants that stand, by workspace.
///
/// # Errors
/// When SQLite fails.
pub fn list(
    tx: &ReadTx<'_>,
    (of, text): (ReviewOf, &str),
    (limit, offset): (u32, u32),
) -> Result<Vec<Reviewed>> {
    tx.list(
        reviewed!(
            "*",
            "WHERE :of = 'all' OR (:of = 'endless' AND until_at IS NULL)
               OR (:of = 'departed' AND departed)
               OR (:of = 'stale' AND max(granted_at, coalesce(last_used, 0)) <= :stale)
             ORDER BY owner, workspace, granted_at, id LIMIT :limit OFFSET :offset"
        ),
        named_params! {
            ":now": tx.now, ":text": text, ":of": of, ":stale": tx.now.0 - STALE_S,
            ":limit": limit, ":offset": offset,
        },
        from_row,
    )
}

/// How many grants stand of each kind.
///
/// # Errors
/// When SQLite fails.
pub fn counts(tx: &ReadTx<'_>, text: &str) -> Result<ReviewCounts> {
    let found = tx.find(
        reviewed!(
            "count(*) AS n, count(*) FILTER (WHERE until_at IS NULL) AS endless,
             count(*) FILTER (WHERE departed) AS departed,
             count(*) FILTER (WHERE max(granted_at, coalesce(last_used, 0)) <= :stale) AS stale",
            ""
        ),
        named_params! { ":now": tx.now, ":text": text, ":stale": tx.now.0 - STALE_S },
        |row| {
            Ok(ReviewCounts {
                all: row.get("n")?,
                stale: row.get("stale")?,
                endless: row.get("endless")?,
                departed: row.get("departed")?,
                // Charters are no matter of SQL.
                wider: 0,
            })
        },
    )?;
    Ok(found.unwrap_or_default())
}

/// The grants on a workspace that are to a user by themselves or by what they belong to, whether they let
/// them in or not.
///
/// # Errors
/// When SQLite fails.
pub fn of(tx: &ReadTx<'_>, workspace: WorkspaceId, user: UserId) -> Result<Vec<Grant>> {
    tx.list(
        "SELECT g.* FROM grants g
         WHERE g.workspace_id = :workspace AND g.ended_at IS NULL
           AND (g.until_at IS NULL OR g.until_at > :now)
           AND (g.user_id = :user
             OR (g.user_id IS NULL AND g.group_id IS NULL AND g.rotation_id IS NULL)
             OR EXISTS (SELECT 1 FROM on_shift s
                        WHERE s.rotation_id = g.rotation_id AND s.user_id = :user AND s.until_at > :now)
             OR EXISTS (SELECT 1 FROM group_members s
                        WHERE s.group_id = g.group_id AND s.user_id = :user))
         ORDER BY g.granted_at, g.id",
        named_params! { ":workspace": workspace, ":user": user, ":now": tx.now },
        grants::from_row,
    )
}
