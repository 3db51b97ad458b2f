//! Workspaces found: what a search in Coder's words asks for, as far as the actor may see it.

use std::collections::BTreeMap;

use super::{Actor, App, Error, Page, Result, access, page, recipients};
use crate::model::filter::WorkspaceFilter;
use crate::model::id::{BuildId, OrganizationId, UserId, WorkspaceId};
use crate::model::policy::ResourceType;
use crate::model::user::UserRef;
use crate::model::verb::Verb;
use crate::model::workspace::Workspace;
use crate::server::db::workspace_search::{self, Search};
use crate::server::db::{
    ReadTx, connections, favorites, organizations, resources, users, workspaces,
};

/// Workspaces whose agents are looked at in one go, where a search asks for the state of agents.
const STEP: u32 = 256;

/// What a list says of a workspace besides the workspace.
#[derive(Clone, Debug, Default)]
pub struct Beside {
    /// What the actor may do with it.
    pub may: Vec<Verb>,
    /// Who is in it now, each once.
    pub here: Vec<UserRef>,
    /// It is a favorite of the actor's.
    pub is_favorite: bool,
}

impl App {
    /// The workspaces that the actor may see and a search in Coder's words asks for, their favorites
    /// first, by owner and name, and how many there are of them in all.
    ///
    /// # Errors
    /// When the search cannot be read.
    pub async fn workspaces(
        &self,
        actor: &Actor,
        query: &str,
        page: Page,
    ) -> Result<(Vec<Workspace>, usize)> {
        let filter = WorkspaceFilter::parse(query).map_err(|e| Error::invalid("q", e))?;
        let me = actor.user_id();
        self.search(actor, filter, move |tx, found| match found {
            None => Ok((vec![], 0)),
            Some((search, filter)) if filter.asks_agents() => {
                with_agents(tx, (&search, &filter), page, Extent::All)
            }
            Some((search, _)) => {
                let first = favorites_of(tx, me)?;
                let ids = workspace_search::list_with_first(tx, &search, &first, page.pair())?;
                let (limit, offset) = (page.limit.into(), page.offset.into());
                let n = match page::total(ids.len(), limit, offset) {
                    Some(n) => usize::try_from(n).unwrap_or_default(),
                    None => workspace_search::count(tx, &search)?,
                };
                Ok((load_all(tx, &ids)?, n))
            }
        })
        .await
    }

    /// The same for a page that does not say how many there are in all.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find_workspaces(
        &self,
        actor: &Actor,
        filter: WorkspaceFilter,
        limit: u32,
    ) -> Result<Vec<Workspace>> {
        let (limit, me) = (Page::new(limit, 0).limit, actor.user_id());
        self.search(actor, filter, move |tx, found| match found {
            None => Ok(vec![]),
            Some((search, filter)) if filter.asks_agents() => {
                let page = Page::new(limit, 0);
                Ok(with_agents(tx, (&search, &filter), page, Extent::Page)?.0)
            }
            Some((search, _)) => {
                let first = favorites_of(tx, me)?;
                let ids = workspace_search::list_with_first(tx, &search, &first, (limit, 0))?;
                load_all(tx, &ids)
            }
        })
        .await
    }

    /// What a list says of these workspaces besides. Of one that the actor may not see: nothing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn beside(
        &self,
        actor: &Actor,
        ids: Vec<WorkspaceId>,
    ) -> Result<BTreeMap<WorkspaceId, Beside>> {
        let actor = actor.clone();
        self.db
            .read(move |tx| {
                let mut all: BTreeMap<_, Beside> = access::allowed(tx, &actor, &ids)?
                    .into_iter()
                    .filter(|(_, may)| may.contains(&Verb::View))
                    .map(|(id, may)| (id, Beside { may, ..Beside::default() }))
                    .collect();
                let seen: Vec<WorkspaceId> = all.keys().copied().collect();
                for (id, user) in connections::people_in(tx, &seen)? {
                    all.entry(id).or_default().here.push(user);
                }
                for id in favorites_of(tx, actor.user_id())? {
                    if let Some(beside) = all.get_mut(&id) {
                        beside.is_favorite = true;
                    }
                }
                Ok(all)
            })
            .await
    }

    /// Runs `work` with what a filter means in the database; with none when nothing can fit.
    async fn search<T: Send + 'static>(
        &self,
        actor: &Actor,
        filter: WorkspaceFilter,
        work: impl FnOnce(&ReadTx<'_>, Option<(Search, WorkspaceFilter)>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        if !matches!(actor, Actor::System) {
            actor.caller()?;
        }
        // What follows from a build or its agents, and a part of a name, is looked up workspace by
        // workspace.
        let long = filter.status.is_some()
            || filter.outdated.is_some()
            || filter.external.is_some()
            || filter.asks_agents()
            || !filter.params.is_empty()
            || !filter.parts.is_empty();
        let actor = actor.clone();
        let read = move |tx: &ReadTx<'_>| {
            let found = meaning(tx, &actor, &filter)?;
            work(tx, found.map(|search| (search, filter)))
        };
        if long { self.db.read_large(read).await } else { self.db.read(read).await }
    }
}

fn favorites_of(tx: &ReadTx<'_>, me: Option<UserId>) -> Result<Vec<WorkspaceId>> {
    Ok(me.map(|user| favorites::of(tx, user)).transpose()?.unwrap_or_default())
}

/// What a filter means in the database, unless nothing can fit.
fn meaning(tx: &ReadTx<'_>, actor: &Actor, filter: &WorkspaceFilter) -> Result<Option<Search>> {
    let me = actor.user_id();
    let mut owner: Option<UserId> = None;
    for name in &filter.owners {
        let found = if name == "me" { me } else { users::find_by_name(tx, name)?.map(|u| u.id) };
        match (found, owner) {
            (Some(found), None) => owner = Some(found),
            (Some(found), Some(before)) if found == before => {}
            _ => return Ok(None),
        }
    }
    if filter.nothing {
        return Ok(None);
    }
    let seen_by = if access::sees_all(tx, actor)? { None } else { me };
    let closed = seen_by.map_or(Ok(vec![]), |user| access::closed(tx, actor, user))?;
    let among = match actor {
        Actor::User(caller) => caller.subject.scope.only(ResourceType::Workspace),
        Actor::Agent { .. } | Actor::Scim(_) | Actor::Program(_) | Actor::System => None,
    };
    let with_user = match filter.shared_with_user.as_deref() {
        None => None,
        Some(key) => match person(tx, key, me)? {
            Some(user) => Some(user),
            None => return Ok(None),
        },
    };
    let Some(organization) = organization(tx, filter)? else { return Ok(None) };
    let with_group = match filter.shared_with_group.as_deref() {
        None => None,
        Some(key) => match recipients::group_by_key(tx, organization, key)? {
            Some(group) => Some(group),
            None => return Ok(None),
        },
    };
    let (job, transition) = filter.status.map_or((None, None), |(job, t)| (Some(job), t));
    Ok(Some(Search {
        seen_by,
        closed,
        among: among.map(|ids| ids.into_iter().map(WorkspaceId).collect()),
        apart: vec![],
        owner,
        not_owner: if filter.not_mine { me } else { None },
        parts: filter.parts.clone(),
        params: filter.params.clone(),
        template: filter.template.clone(),
        job,
        transition,
        id: filter.id,
        organization,
        outdated: filter.outdated,
        external: filter.external,
        shared: filter.shared,
        with_user,
        with_group,
        used_before: filter.used_before,
        used_after: filter.used_after,
    }))
}

/// Someone by `me`, id or name.
pub(super) fn person(tx: &ReadTx<'_>, key: &str, me: Option<UserId>) -> Result<Option<UserId>> {
    match (key, key.parse::<UserId>()) {
        ("me", _) => Ok(me),
        (_, Ok(id)) => Ok(Some(id)),
        (name, Err(_)) => Ok(users::find_by_name(tx, name)?.map(|u| u.id)),
    }
}

/// Where a filter says that a workspace belongs, if it says so; none when there is no such organization,
/// or it names two.
fn organization(
    tx: &ReadTx<'_>,
    filter: &WorkspaceFilter,
) -> Result<Option<Option<OrganizationId>>> {
    let Some(name) = &filter.organization_name else { return Ok(Some(filter.organization)) };
    // Coder's word for the one of the start, whatever its name is.
    let found = match organizations::find_by_name(tx, name)? {
        None if name == "default" => organizations::find_default(tx)?,
        found => found,
    };
    let found = found.map(|o| o.id).filter(|id| filter.organization.is_none_or(|o| o == *id));
    Ok(found.map(Some))
}

/// These workspaces in this order, with what their last builds made.
fn load_all(tx: &ReadTx<'_>, ids: &[WorkspaceId]) -> Result<Vec<Workspace>> {
    let found = workspaces::list(tx, ids)?;
    let builds: Vec<BuildId> = found.iter().map(|w| w.latest_build.id).collect();
    let mut made = resources::of(tx, &builds)?;
    let mut by_id: BTreeMap<WorkspaceId, Workspace> = BTreeMap::new();
    for mut w in found {
        w.latest_build.resources = made.remove(&w.latest_build.id).unwrap_or_default();
        by_id.insert(w.id, w);
    }
    Ok(ids.iter().filter_map(|id| by_id.remove(id)).collect())
}

/// How far a search by agents goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extent {
    /// To the end, for their number.
    All,
    /// Until the page is full.
    Page,
}

/// A page of the workspaces that fit, agents too, and how many there are. Agents' state follows
/// from the clock and is in no index; only the page is kept in memory.
fn with_agents(
    tx: &ReadTx<'_>,
    (search, filter): (&Search, &WorkspaceFilter),
    page: Page,
    extent: Extent,
) -> Result<(Vec<Workspace>, usize)> {
    let (from, to) = (page.offset as usize, page.offset as usize + page.limit as usize);
    let (mut shown, mut n, mut offset) = (Vec::new(), 0, 0);
    loop {
        let ids = workspace_search::list(tx, search, (STEP, offset))?;
        let is_last = ids.len() < STEP as usize;
        for workspace in load_all(tx, &ids)? {
            if !filter.fits_agents(&workspace, tx.now) {
                continue;
            }
            if (from..to).contains(&n) {
                shown.push(workspace);
            }
            n += 1;
        }
        if is_last || (extent == Extent::Page && n >= to) {
            return Ok((shown, n));
        }
        offset += STEP;
    }
}
