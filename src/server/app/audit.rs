//! Use cases on the audit log: lists, searches, exports.

use std::collections::BTreeMap;

use super::audit_chain::require_reader;
use super::{Actor, App, Error, Result, page};
use crate::model::audit::AuditRow;
use crate::model::audit::search::AuditSearch;
use crate::model::id::{OrganizationId, UserId};
use crate::model::time::Timestamp;
use crate::model::user::{Organization, User};
use crate::server::db::audit_search::{self, Narrow};
use crate::server::db::{ReadTx, audit, organizations, users};

/// Entries in a list at most.
pub const MAX_LIST: i64 = 200;
/// Entries that one step of an export looks at. Each may hold 64 KiB of changes.
const WINDOW: i64 = 200;

/// An entry, who did it, and where.
#[derive(Clone, Debug)]
pub struct AuditView {
    /// The entry.
    pub row: AuditRow,
    /// Who; none for the program itself.
    pub user: Option<User>,
    /// The organization of the thing.
    pub organization: Option<Organization>,
}

/// How far an export has come.
#[derive(Clone, Debug)]
pub struct Export {
    /// What is wanted; none for what no entry is.
    narrow: Option<Narrow>,
    after: i64,
    last: i64,
}

impl App {
    /// Entries of the log that a search finds, newest first, and how many there are in all.
    ///
    /// # Errors
    /// [`Error::Denied`] for who is neither owner nor auditor, [`Error::Invalid`] for a search that
    /// cannot be read.
    pub async fn audit(
        &self,
        actor: &Actor,
        query: &str,
        (limit, offset): (i64, i64),
    ) -> Result<(Vec<AuditView>, i64)> {
        require_reader(self.clock.now(), actor)?;
        let (search, me) = (parse(query)?, actor.user_id());
        let limit = limit.clamp(1, MAX_LIST);
        self.db
            .read_audit(move |tx| {
                let Some(narrow) = resolve(tx, search, me)? else { return Ok((Vec::new(), 0)) };
                let rows = audit_search::list(tx, &narrow, limit, offset)?;
                let n = match page::total(rows.len(), limit, offset) {
                    Some(n) => n,
                    None => audit_search::count(tx, &narrow)?,
                };
                Ok((views(tx, rows)?, n))
            })
            .await
    }

    /// Begins an export of what a search finds, from a time on and before another.
    ///
    /// # Errors
    /// As [`App::audit`].
    pub async fn begin_export(
        &self,
        actor: &Actor,
        query: &str,
        (since, until): (Option<Timestamp>, Option<Timestamp>),
    ) -> Result<Export> {
        require_reader(self.clock.now(), actor)?;
        let (search, me) = (parse(query)?, actor.user_id());
        self.db
            .read_audit(move |tx| {
                let narrow = resolve(tx, search, me)?.map(|narrow| Narrow {
                    from: since.map_or(narrow.from, |at| at.max(narrow.from)),
                    before: until.map_or(narrow.before, |at| at.min(narrow.before)),
                    ..narrow
                });
                let (first, last) = (audit::first(tx)?, audit::head(tx)?.seq);
                Ok(Export { narrow, after: first.saturating_sub(1), last })
            })
            .await
    }

    /// The next entries of an export, oldest first, and where it goes on; none at its end. There may
    /// be steps without entries.
    ///
    /// # Errors
    /// As [`App::audit`].
    pub async fn export_step(
        &self,
        actor: &Actor,
        export: Export,
    ) -> Result<Option<(Vec<AuditView>, Export)>> {
        require_reader(self.clock.now(), actor)?;
        let Export { narrow: Some(narrow), after, last } = export else { return Ok(None) };
        if after >= last {
            return Ok(None);
        }
        let upto = after.saturating_add(WINDOW).min(last);
        self.db
            .read(move |tx| {
                let rows = audit_search::window(tx, &narrow, (after, upto))?;
                let export = Export { narrow: Some(narrow), after: upto, last };
                Ok(Some((views(tx, rows)?, export)))
            })
            .await
    }
}

pub(super) fn parse(query: &str) -> Result<AuditSearch> {
    AuditSearch::parse(query).map_err(|e| Error::invalid("q", e))
}

/// What the words of a search stand for; none when nothing can be found.
pub(super) fn resolve(
    tx: &ReadTx<'_>,
    search: AuditSearch,
    me: Option<UserId>,
) -> Result<Option<Narrow>> {
    let mut narrow = Narrow {
        action: search.action,
        target: search.target,
        target_id: search.target_id,
        target_name: search.target_name,
        build_reason: search.build_reason,
        request: search.request,
        token: search.token,
        ip: search.ip,
        result: search.result,
        words: search.words,
        ..Narrow::default()
    };
    narrow.from = search.from.unwrap_or(narrow.from);
    narrow.before = search.before.unwrap_or(narrow.before);
    if search.nothing {
        return Ok(None);
    }
    if let Some(key) = search.organization {
        let Some(id) = organization(tx, &key)? else { return Ok(None) };
        narrow.organization = Some(id);
    }
    let by_name = match search.username.as_deref() {
        None => None,
        Some("me") => Some(me),
        Some(name) => Some(named(tx, name)?),
    };
    let by_email = match search.email.as_deref() {
        None => None,
        Some(email) => Some(users::find_by_email(tx, email)?.map(|user| user.id)),
    };
    let user = match (by_name, by_email) {
        (None, None) => return Ok(Some(narrow)),
        (Some(user), None) | (None, Some(user)) => user,
        (Some(one), Some(other)) => one.filter(|_| one == other),
    };
    Ok(user.map(|user| Narrow { user: Some(user), ..narrow }))
}

/// Who has a name, or had it last.
fn named(tx: &ReadTx<'_>, name: &str) -> Result<Option<UserId>> {
    match users::find_by_name(tx, name)? {
        Some(user) => Ok(Some(user.id)),
        None => Ok(users::last_of_name(tx, name)?),
    }
}

fn organization(tx: &ReadTx<'_>, key: &str) -> Result<Option<OrganizationId>> {
    let found = match key.parse::<OrganizationId>() {
        Ok(id) => organizations::find(tx, id)?,
        Err(_) if key == super::settings::DEFAULT_ORGANIZATION => organizations::find_default(tx)?,
        Err(_) => organizations::find_by_name(tx, key)?,
    };
    Ok(found.map(|organization| organization.id))
}

/// Entries with who did it and where; each is looked up once.
pub(super) fn views(tx: &ReadTx<'_>, rows: Vec<AuditRow>) -> Result<Vec<AuditView>> {
    let mut people: BTreeMap<UserId, Option<User>> = BTreeMap::new();
    let mut places: BTreeMap<OrganizationId, Option<Organization>> = BTreeMap::new();
    let mut list = Vec::with_capacity(rows.len());
    for row in rows {
        if let Some(id) = row.source.user_id
            && !people.contains_key(&id)
        {
            people.insert(id, users::find(tx, id)?);
        }
        if let Some(id) = row.entry.organization
            && !places.contains_key(&id)
        {
            places.insert(id, organizations::find(tx, id)?);
        }
        let user = row.source.user_id.and_then(|id| people.get(&id).cloned().flatten());
        let organization = row.entry.organization.and_then(|id| places.get(&id).cloned().flatten());
        list.push(AuditView { row, user, organization });
    }
    Ok(list)
}
