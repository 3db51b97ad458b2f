//! The search in the table `workspaces`: a page of ids in order, and how many there are, each through
//! the index that narrows most.

use rusqlite::ToSql;

use super::codec::Json;
use super::{ReadTx, Result};
use crate::model::build::{JobStatus, Transition};
use crate::model::id::{GrantId, GroupId, OrganizationId, UserId, WorkspaceId};
use crate::model::time::Timestamp;

/// Which workspaces are looked for; what is none does not matter.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// Who looks, when they may not see every workspace.
    pub seen_by: Option<UserId>,
    /// Grants of theirs that hold at other hours only, or from elsewhere.
    pub closed: Vec<GrantId>,
    /// Of these.
    pub among: Option<Vec<WorkspaceId>>,
    /// None of these.
    pub apart: Vec<WorkspaceId>,
    /// Whose.
    pub owner: Option<UserId>,
    /// Not theirs.
    pub not_owner: Option<UserId>,
    /// Parts of the name, in lower case.
    pub parts: Vec<String>,
    /// Parameters of the last build, with the values they must have where one is given.
    pub params: Vec<(String, Option<String>)>,
    /// The template's name.
    pub template: Option<String>,
    /// The status of the last build's job.
    pub job: Option<JobStatus>,
    /// The transition of the last build.
    pub transition: Option<Transition>,
    /// This one.
    pub id: Option<WorkspaceId>,
    /// Where it belongs.
    pub organization: Option<OrganizationId>,
    /// Whether its template offers another version.
    pub outdated: Option<bool>,
    /// Whether someone else runs its machine.
    pub external: Option<bool>,
    /// Whether it is shared with anybody.
    pub shared: Option<bool>,
    /// Shared with them.
    pub with_user: Option<UserId>,
    /// Shared with a group; the id of an organization for everyone of it.
    pub with_group: Option<GroupId>,
    /// Someone was last in it before.
    pub used_before: Option<Timestamp>,
    /// Someone was last in it after.
    pub used_after: Option<Timestamp>,
}

/// What every search asks, by parameters that are null where it does not.
macro_rules! fits {
    () => {
        " w.deleted_at IS NULL
          AND (:id IS NULL OR w.id = :id)
          AND (:owner IS NULL OR w.owner_id = :owner)
          AND (:not_owner IS NULL OR w.owner_id <> :not_owner)
          AND (:organization IS NULL OR w.organization_id = :organization)
          AND (:before IS NULL OR w.last_used_at < :before)
          AND (:after IS NULL OR w.last_used_at > :after)
          AND (:template IS NULL OR w.template_id IN (
               SELECT t.id FROM organizations n CROSS JOIN templates t
               ON t.organization_id = n.id AND t.name = :template AND t.deleted_at IS NULL))
          AND (:among IS NULL OR w.id IN (SELECT x.value FROM json_each(:among) x))
          AND (:apart IS NULL OR w.id NOT IN (SELECT x.value FROM json_each(:apart) x))
          AND (:parts IS NULL OR NOT EXISTS (
               SELECT 1 FROM json_each(:parts) x WHERE instr(lower(w.name), x.value) = 0))
          AND (:params IS NULL OR NOT EXISTS (
               SELECT 1 FROM json_each(:params) x WHERE NOT EXISTS (
                 SELECT 1 FROM builds b CROSS JOIN build_parameters p
                   ON p.build_id = b.id AND p.name = x.value ->> 0
                 WHERE b.workspace_id = w.id AND (x.value ->> 1 IS NULL OR p.value = x.value ->> 1)
                   AND b.number = (SELECT max(number) FROM builds WHERE workspace_id = w.id))))
          AND (:job IS NULL OR EXISTS (
               SELECT 1 FROM builds b CROSS JOIN jobs j ON j.id = b.job_id
               WHERE b.workspace_id = w.id AND j.status = :job
                 AND (:transition IS NULL OR b.transition = :transition)
                 AND b.number = (SELECT max(number) FROM builds WHERE workspace_id = w.id)))
          AND (:shared IS NULL OR :shared = EXISTS (
               SELECT 1 FROM grants x WHERE x.workspace_id = w.id AND x.ended_at IS NULL
                 AND (x.until_at IS NULL OR x.until_at > :now)))
          AND (:with_user IS NULL OR (w.owner_id <> :with_user AND EXISTS (
               SELECT 1 FROM grants x
               WHERE x.workspace_id = w.id AND x.ended_at IS NULL
                 AND x.from_at <= :now AND (x.until_at IS NULL OR x.until_at > :now)
                 AND (EXISTS (SELECT 1 FROM grant_holders y
                     WHERE y.grant_id = x.id AND y.user_id = :with_user)
                   OR EXISTS (SELECT 1 FROM on_shift y
                     WHERE y.rotation_id = x.rotation_id AND y.user_id = :with_user
                       AND y.from_at <= :now AND y.until_at > :now)))))
          AND (:with_group IS NULL OR EXISTS (
               SELECT 1 FROM grants x WHERE x.workspace_id = w.id
                 AND coalesce(x.user_id, x.group_id, x.rotation_id, w.organization_id) = :with_group
                 AND x.ended_at IS NULL AND (x.until_at IS NULL OR x.until_at > :now)))
          AND (:outdated IS NULL OR :outdated = EXISTS (
               SELECT 1 FROM builds b CROSS JOIN templates t ON t.id = w.template_id
               WHERE b.workspace_id = w.id AND b.version_id <> t.active_version_id
                 AND b.number = (SELECT max(number) FROM builds WHERE workspace_id = w.id)))
          AND (:external IS NULL OR :external = (
               SELECT coalesce(v.imported ->> '$.has_external_agent', 0)
               FROM builds b CROSS JOIN template_versions v ON v.id = b.version_id
               WHERE b.workspace_id = w.id
                 AND b.number = (SELECT max(number) FROM builds WHERE workspace_id = w.id))) "
    };
}

/// The roads to workspaces `w` and their owners `o`, from the shortest to the longest.
macro_rules! roads {
    ($from:ident, $search:expr) => {
        if $search.seen_by.is_some() {
            // Few: one's own, and what one was granted.
            $from!(
                "FROM (SELECT DISTINCT workspace_id FROM (
                         SELECT workspace_id, grant_id FROM effective_grants
                         WHERE user_id = :viewer AND verb = 'view'
                           AND from_at <= :now AND (until_at IS NULL OR until_at > :now)
                         UNION ALL
                         SELECT workspace_id, grant_id FROM shift_grants
                         WHERE user_id = :viewer AND verb = 'view' AND from_at <= :now
                           AND shift_from_at <= :now AND shift_until_at > :now AND until_at > :now)
                       WHERE grant_id IS NULL OR :closed IS NULL
                         OR grant_id NOT IN (SELECT x.value FROM json_each(:closed) x)) g
                 CROSS JOIN workspaces w ON w.id = g.workspace_id
                 CROSS JOIN users o ON o.id = w.owner_id WHERE",
                "o.username, w.name"
            )
        } else if $search.id.is_some() {
            $from!(
                "FROM workspaces w CROSS JOIN users o ON o.id = w.owner_id WHERE w.id = :id AND",
                "w.id"
            )
        } else if $search.among.is_some() {
            // Few: one's favorites, or what a token is for.
            $from!(
                "FROM json_each(:among) q CROSS JOIN workspaces w ON w.id = q.value
                 CROSS JOIN users o ON o.id = w.owner_id WHERE",
                "o.username, w.name"
            )
        } else if $search.owner.is_some() {
            $from!(
                "FROM workspaces w CROSS JOIN users o ON o.id = w.owner_id
                 WHERE w.owner_id = :owner AND",
                "w.name"
            )
        } else if $search.job.is_some_and(|status| status != JobStatus::Succeeded) {
            // Few: most builds end well, and soon.
            $from!(
                "FROM jobs q CROSS JOIN builds r ON r.job_id = q.id
                 CROSS JOIN workspaces w ON w.id = r.workspace_id
                 CROSS JOIN users o ON o.id = w.owner_id
                 WHERE q.is_last = 1 AND q.status = :job AND",
                "o.username, w.name"
            )
        } else if $search.template.is_some() {
            $from!(
                "FROM organizations n
                 CROSS JOIN templates v ON v.organization_id = n.id AND v.name = :template
                   AND v.deleted_at IS NULL
                 CROSS JOIN workspaces w ON w.template_id = v.id
                 CROSS JOIN users o ON o.id = w.owner_id WHERE",
                "o.username, w.name"
            )
        } else {
            // A user with workspaces is not deleted: both indexes are in the order of the list.
            $from!(
                "FROM users o CROSS JOIN workspaces w ON w.owner_id = o.id
                 WHERE o.status <> 'deleted' AND",
                "o.username, w.name"
            )
        }
    };
}

macro_rules! page {
    ($road:literal, $order:literal) => {
        concat!("SELECT w.id ", $road, fits!(), "ORDER BY ", $order, " LIMIT :limit OFFSET :offset")
    };
}

macro_rules! number {
    ($road:literal, $order:literal) => {
        concat!("SELECT count(*) ", $road, fits!())
    };
}

impl Search {
    /// Whether it asks for every workspace.
    fn is_wide(&self) -> bool {
        let Self { seen_by, owner, not_owner, parts, template, job, .. } = self;
        let Self { among, transition, id, organization, used_before, used_after, .. } = self;
        let Self { outdated, external, params, .. } = self;
        let Self { shared, with_user, with_group, .. } = self;
        let people = seen_by.is_none() && owner.is_none() && not_owner.is_none();
        let build =
            job.is_none() && transition.is_none() && outdated.is_none() && external.is_none();
        let place = id.is_none() && organization.is_none() && template.is_none();
        let used = used_before.is_none() && used_after.is_none();
        let sharing = shared.is_none() && with_user.is_none() && with_group.is_none();
        let words = parts.is_empty() && params.is_empty();
        sharing && people && build && place && used && words && among.is_none()
    }

    /// Runs `work` with the parameters of [`fits`] and `more`.
    fn with<T>(
        &self,
        tx: &ReadTx<'_>,
        more: &[(&str, &dyn ToSql)],
        work: impl FnOnce(&[(&str, &dyn ToSql)]) -> T,
    ) -> T {
        let parts = (!self.parts.is_empty()).then_some(Json(&self.parts));
        let params = (!self.params.is_empty()).then_some(Json(&self.params));
        let among = self.among.as_ref().map(Json);
        let apart = (!self.apart.is_empty()).then_some(Json(&self.apart));
        let closed = (!self.closed.is_empty()).then_some(Json(&self.closed));
        let mut all: Vec<(&str, &dyn ToSql)> = vec![
            (":id", &self.id),
            (":owner", &self.owner),
            (":not_owner", &self.not_owner),
            (":organization", &self.organization),
            (":shared", &self.shared),
            (":with_user", &self.with_user),
            (":with_group", &self.with_group),
            (":now", &tx.now),
            (":before", &self.used_before),
            (":after", &self.used_after),
            (":template", &self.template),
            (":parts", &parts),
            (":params", &params),
            (":among", &among),
            (":apart", &apart),
            (":job", &self.job),
            (":transition", &self.transition),
            (":outdated", &self.outdated),
            (":external", &self.external),
        ];
        if self.seen_by.is_some() {
            all.extend([(":viewer", &self.seen_by as &dyn ToSql), (":closed", &closed)]);
        }
        all.extend(more);
        work(&all)
    }
}

/// A page of what is looked for, by owner and name.
///
/// # Errors
/// When SQLite fails.
pub fn list(
    tx: &ReadTx<'_>,
    search: &Search,
    (limit, offset): (u32, u32),
) -> Result<Vec<WorkspaceId>> {
    let sql = roads!(page, search);
    search.with(tx, &[(":limit", &limit), (":offset", &offset)], |params| {
        tx.list(sql, params, |row| row.get(0))
    })
}

/// The same with these before all others.
///
/// # Errors
/// When SQLite fails.
pub fn list_with_first(
    tx: &ReadTx<'_>,
    search: &Search,
    first: &[WorkspaceId],
    (limit, offset): (u32, u32),
) -> Result<Vec<WorkspaceId>> {
    let fits = |id: &WorkspaceId| search.among.as_ref().is_none_or(|all| all.contains(id));
    let first: Vec<WorkspaceId> = first.iter().copied().filter(fits).collect();
    if first.is_empty() {
        return list(tx, search, (limit, offset));
    }
    let before = Search { among: Some(first.clone()), ..search.clone() };
    let most = u32::try_from(first.len()).unwrap_or(u32::MAX);
    let before = list(tx, &before, (most, 0))?;
    let n_before = u32::try_from(before.len()).unwrap_or(u32::MAX);
    let skipped = usize::try_from(offset).unwrap_or(usize::MAX);
    let taken = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut found: Vec<WorkspaceId> = before.into_iter().skip(skipped).take(taken).collect();
    let left = limit.saturating_sub(u32::try_from(found.len()).unwrap_or(u32::MAX));
    if left > 0 {
        let behind = Search { apart: first, ..search.clone() };
        found.extend(list(tx, &behind, (left, offset.saturating_sub(n_before)))?);
    }
    Ok(found)
}

/// How many [`list`] would give without limit.
///
/// # Errors
/// When SQLite fails.
pub fn count(tx: &ReadTx<'_>, search: &Search) -> Result<usize> {
    let found = if search.is_wide() {
        // In the smallest index, without a look at the rows.
        let sql = "SELECT count(*) FROM workspaces WHERE deleted_at IS NULL";
        tx.find(sql, [], |row| row.get::<_, i64>(0))?
    } else {
        let sql = roads!(number, search);
        search.with(tx, &[], |params| tx.find(sql, params, |row| row.get::<_, i64>(0)))?
    };
    Ok(usize::try_from(found.unwrap_or_default()).unwrap_or_default())
}
