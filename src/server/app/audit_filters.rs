//! Searches in the audit log that people keep: their own, and those that others share.

use super::access::record;
use super::accounts::entry;
use super::audit_chain::require_reader;
use super::{Actor, App, Error, Result};
use crate::model::audit::saved::{FilterText, SavedFilter};
use crate::model::audit::{AuditAction, Diff};
use crate::model::id::AuditFilterId;
use crate::server::db::{self, ReadTx, WriteTx, audit_filters};

/// Searches of one person at most: more are not found again.
pub const MAX_OWN: usize = 40;
/// Searches of others that are shown at most.
const MAX_SHARED: i64 = 40;

impl App {
    /// The actor's own searches and those that others share, each by name.
    ///
    /// # Errors
    /// [`Error::Denied`] for who is neither owner nor auditor.
    pub async fn audit_filters(
        &self,
        actor: &Actor,
    ) -> Result<(Vec<SavedFilter>, Vec<SavedFilter>)> {
        require_reader(self.clock.now(), actor)?;
        let me = actor.caller()?.user.id;
        self.db
            .read(move |tx| {
                let own = audit_filters::list_of(tx, me, most())?;
                Ok((own, audit_filters::list_shared(tx, me, MAX_SHARED)?))
            })
            .await
    }

    /// Keeps a search.
    ///
    /// # Errors
    /// [`Error::Denied`] for who is neither owner nor auditor, [`Error::Invalid`] for a name or a
    /// search that does not fit, [`Error::Conflict`] for a name that is taken or when there are too many.
    pub async fn save_audit_filter(&self, actor: &Actor, text: FilterText) -> Result<SavedFilter> {
        require_reader(self.clock.now(), actor)?;
        let (text, actor) = (checked(&text)?, actor.clone());
        self.db
            .write(move |tx| {
                let me = actor.caller()?.user.id;
                if audit_filters::list_of(tx, me, most())?.len() >= MAX_OWN {
                    let why = format!("you keep {MAX_OWN} searches; delete one first");
                    return Err(Error::Conflict(why));
                }
                let id = tx.fresh();
                audit_filters::insert(tx, id, (me, &text)).map_err(|e| taken(e, &text))?;
                written(tx, &actor, (&FilterText::default(), &text))?;
                audit_filters::find(tx, id)?.ok_or(Error::NotFound("search"))
            })
            .await
    }

    /// Changes a search of the actor's own.
    ///
    /// # Errors
    /// As [`App::save_audit_filter`], and [`Error::NotFound`] for one of someone else.
    pub async fn change_audit_filter(
        &self,
        actor: &Actor,
        id: AuditFilterId,
        text: FilterText,
    ) -> Result<SavedFilter> {
        require_reader(self.clock.now(), actor)?;
        let (text, actor) = (checked(&text)?, actor.clone());
        self.db
            .write(move |tx| {
                let old = text_of(&own(tx, &actor, id)?);
                audit_filters::update(tx, id, &text).map_err(|e| taken(e, &text))?;
                written(tx, &actor, (&old, &text))?;
                own(tx, &actor, id)
            })
            .await
    }

    /// Removes a search of the actor's own.
    ///
    /// # Errors
    /// [`Error::NotFound`] for one of someone else, [`Error::Denied`] for who may not read the log.
    pub async fn delete_audit_filter(
        &self,
        actor: &Actor,
        id: AuditFilterId,
    ) -> Result<SavedFilter> {
        require_reader(self.clock.now(), actor)?;
        let actor = actor.clone();
        self.db
            .write(move |tx| {
                let old = own(tx, &actor, id)?;
                audit_filters::delete(tx, id)?;
                written(tx, &actor, (&text_of(&old), &FilterText::default()))?;
                Ok(old)
            })
            .await
    }
}

fn most() -> i64 {
    i64::try_from(MAX_OWN).unwrap_or(i64::MAX)
}

fn checked(text: &FilterText) -> Result<FilterText> {
    text.checked().map_err(|(field, why)| Error::invalid(field, why))
}

/// Others' searches are read, and changed by nobody but their owner.
fn own(tx: &ReadTx<'_>, actor: &Actor, id: AuditFilterId) -> Result<SavedFilter> {
    let found = audit_filters::find(tx, id)?;
    let own = found.filter(|f| actor.user_id() == Some(f.owner.id));
    own.ok_or(Error::NotFound("search"))
}

fn text_of(filter: &SavedFilter) -> FilterText {
    let SavedFilter { name, query, is_shared, .. } = filter;
    FilterText { name: name.clone(), query: query.clone(), is_shared: *is_shared }
}

fn taken(error: db::Error, text: &FilterText) -> Error {
    match error.collision() {
        Some(_) => Error::invalid("name", format!("you keep a search named {}", text.name)),
        None => error.into(),
    }
}

/// A search belongs to its owner's account: its change is a change of that.
fn written(tx: &WriteTx<'_>, actor: &Actor, (old, new): (&FilterText, &FilterText)) -> Result<()> {
    let diff = Diff::new()
        .field("audit_filter", old.name.as_str(), new.name.as_str())
        .field("audit_filter_query", old.query.as_str(), new.query.as_str())
        .field("audit_filter_shared", old.is_shared, new.is_shared);
    if diff.is_empty() {
        return Ok(());
    }
    record(tx, actor, &entry(AuditAction::Write, &actor.caller()?.user, &diff))
}
