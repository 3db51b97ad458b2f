//! The audit log as people look at it: a page of entries, and one entry with what stands around it.

use super::audit::{AuditView, parse, resolve, views};
use super::audit_chain::require_reader;
use super::audit_things::Looker;
use super::{Actor, App, Error, Result};
use crate::model::audit::AuditRow;
use crate::model::audit::chain::GENESIS;
use crate::model::audit::shown::{Extent, Found, Link, MAX_OFFSET, ON_A_PAGE, Shown, ShownEntry};
use crate::model::id::AuditId;
use crate::server::db::audit_search::{self, MOST_COUNTED, Narrow};
use crate::server::db::{ReadTx, audit, audit_checkpoints, audit_entry};

impl App {
    /// A page of entries that a search finds, newest first.
    ///
    /// # Errors
    /// As [`App::audit`].
    pub async fn audit_page(&self, actor: &Actor, query: &str, offset: i64) -> Result<Found> {
        require_reader(self.clock.now(), actor)?;
        let search = parse(query)?;
        let (actor, offset) = (actor.clone(), offset.clamp(0, MAX_OFFSET));
        self.db
            .read_audit(move |tx| {
                let Some(narrow) = resolve(tx, search, actor.user_id())? else {
                    return Ok(Found::default());
                };
                let mut rows = audit_search::list(tx, &narrow, ON_A_PAGE + 1, offset)?;
                let has_next = super::page::total(rows.len(), ON_A_PAGE + 1, 0).is_none();
                rows.truncate(usize::try_from(ON_A_PAGE).unwrap_or(25));
                let total = audit_search::count(tx, &narrow)?;
                let is_more = total >= MOST_COUNTED && narrow != Narrow::default();
                let entries = shown(tx, &actor, views(tx, rows)?)?;
                Ok(Found { entries, offset, total, is_more, has_next })
            })
            .await
    }

    /// How far the log goes, and how far that is signed.
    ///
    /// # Errors
    /// [`Error::Denied`] for who is neither owner nor auditor.
    pub async fn audit_extent(&self, actor: &Actor) -> Result<Extent> {
        require_reader(self.clock.now(), actor)?;
        self.db
            .read(|tx| {
                let n_entries = audit_search::count(tx, &Narrow::default())?;
                Ok(Extent { n_entries, last: audit_checkpoints::last(tx)? })
            })
            .await
    }

    /// One entry, by its id or its number.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none, [`Error::Denied`] for who is neither owner nor auditor.
    pub async fn audit_entry(&self, actor: &Actor, key: &str) -> Result<ShownEntry> {
        require_reader(self.clock.now(), actor)?;
        let (actor, key) = (actor.clone(), key.to_owned());
        self.db
            .read_audit(move |tx| {
                let missing = || Error::NotFound("entry");
                let row = match (key.parse::<AuditId>(), key.parse::<i64>()) {
                    (Ok(id), _) => audit_entry::find(tx, id)?,
                    (Err(_), Ok(seq)) => audit_entry::at(tx, seq)?,
                    (Err(_), Err(_)) => None,
                };
                let row = row.ok_or_else(missing)?;
                let link = link(tx, &row)?;
                let (earlier, later) = audit_entry::neighbours(tx, &row)?;
                let mut all = shown(tx, &actor, views(tx, vec![row])?)?;
                let shown = all.pop().ok_or_else(missing)?;
                Ok(ShownEntry { shown, link, earlier, later })
            })
            .await
    }
}

/// Entries with what is known of them today; whatever they share is looked up once.
fn shown(tx: &ReadTx<'_>, actor: &Actor, views: Vec<AuditView>) -> Result<Vec<Shown>> {
    let mut looker = Looker::new(tx, actor);
    views
        .into_iter()
        .map(|AuditView { row, user, organization }| {
            Ok(Shown {
                is_user_seen: user.as_ref().is_some_and(|user| looker.sees(user)),
                token: looker.token(row.source.token_id)?,
                thing: looker.thing(&row, organization.as_ref())?,
                user,
                organization,
                row,
            })
        })
        .collect()
}

/// How an entry hangs in the chain.
fn link(tx: &ReadTx<'_>, row: &AuditRow) -> Result<Link> {
    let before = row.seq.saturating_sub(1);
    let previous = match before {
        0 => Some(GENESIS),
        _ if before < audit::first(tx)? => {
            audit_checkpoints::cut_at(tx, before)?.map(|cut| cut.checkpoint.head.hash)
        }
        _ => audit_entry::hash_at(tx, before)?,
    };
    let expected = match &previous {
        Some(hash) => audit_entry::expected_hash(tx, row.seq, hash)?,
        None => None,
    };
    let checkpoint = audit_checkpoints::covering(tx, row.seq)?;
    Ok(Link { previous, holds: expected == Some(row.hash), checkpoint })
}
