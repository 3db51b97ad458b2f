//! The log of connections: who was in which workspace, through what, from where and how long.

use super::workspace_search::person;
use super::{Actor, App, Error, Result, page};
use crate::model::connection_filter::ConnectionFilter;
use crate::model::id::{OrganizationId, SessionId, UserId, WorkspaceId};
use crate::model::policy::{Action, Object, ResourceType};
use crate::model::session::PastSession;
use crate::server::db::connection_search::{self, Search};
use crate::server::db::{ReadTx, organizations, users};

/// Entries told at once, at most.
pub const MAX_LIST: i64 = 100;
/// Where counting stops, as Coder has it.
pub const MOST_COUNTED: i64 = 2000;

impl App {
    /// Entries that a search in Coder's words finds, newest first, and how many there are, counted to
    /// [`MOST_COUNTED`].
    ///
    /// # Errors
    /// [`Error::Denied`] for who is neither owner nor auditor; when the search cannot be read.
    pub async fn connection_log(
        &self,
        actor: &Actor,
        query: &str,
        (limit, offset): (i64, i64),
    ) -> Result<(Vec<PastSession>, i64)> {
        let log = Object::site(ResourceType::ConnectionLog);
        actor.require(self.clock.now(), Action::Read, &log)?;
        let filter = ConnectionFilter::parse(query).map_err(|e| Error::invalid("q", e))?;
        let (me, limit) = (actor.user_id(), limit.clamp(1, MAX_LIST));
        self.db
            .read_large(move |tx| {
                let Some(search) = meaning(tx, filter, me)? else { return Ok((vec![], 0)) };
                let found = connection_search::list(tx, &search, (limit, offset))?;
                let n = match page::total(found.len(), limit, offset) {
                    Some(n) => n,
                    None => connection_search::count(tx, &search, MOST_COUNTED)?,
                };
                Ok((found, n))
            })
            .await
    }
}

/// What a filter means in the database, unless nothing can fit.
fn meaning(
    tx: &ReadTx<'_>,
    filter: ConnectionFilter,
    me: Option<UserId>,
) -> Result<Option<Search>> {
    let (Some(owner), Some(user), Some(by_email)) = (
        known(filter.owner.as_deref(), |key| person(tx, key, me))?,
        known(filter.user.as_deref(), |key| person(tx, key, me))?,
        known(filter.email.as_deref(), |email| Ok(users::find_by_email(tx, email)?.map(|u| u.id)))?,
    ) else {
        return Ok(None);
    };
    let Some(organization) = known(filter.organization.as_deref(), |key| place(tx, key))? else {
        return Ok(None);
    };
    let is_two = user.is_some() && by_email.is_some() && user != by_email;
    if filter.nothing || is_two {
        return Ok(None);
    }
    Ok(Some(Search {
        organization,
        owner,
        user: user.or(by_email),
        kinds: filter.kinds.unwrap_or_default(),
        after: filter.after,
        before: filter.before,
        workspace: filter.workspace.map(WorkspaceId),
        session: filter.session.map(SessionId),
        ongoing: filter.ongoing,
    }))
}

/// What a key stands for, if there is one; none when it stands for nothing.
fn known<T>(
    key: Option<&str>,
    find: impl FnOnce(&str) -> Result<Option<T>>,
) -> Result<Option<Option<T>>> {
    match key {
        None => Ok(Some(None)),
        Some(key) => Ok(find(key)?.map(Some)),
    }
}

fn place(tx: &ReadTx<'_>, key: &str) -> Result<Option<OrganizationId>> {
    match key.parse() {
        Ok(id) => Ok(Some(id)),
        Err(_) => Ok(organizations::find_by_name(tx, key)?.map(|o| o.id)),
    }
}
