//! Sessions: each is written when it begins, counted while it lasts, and ended with a reason.

use super::{Actor, App, Error, Page, Result, access};
use crate::model::event::Event;
use crate::model::id::{SessionId, WorkspaceId};
use crate::model::session::{EndReason, NewSession, Session};
use crate::model::verb::Verb;
use crate::server::db::{connections, workspaces};

/// Sessions that are told of at once, at most.
const MAX_PRESENT: usize = 500;
/// Sessions that are looked at for that.
const MAX_OPEN: i64 = 10_000;

impl App {
    /// Notes that a session began. The caller asked for the right to connect. The row is the record
    /// of it; the audit log is for changes.
    ///
    /// # Errors
    /// When the id is another session's, or the database fails.
    pub async fn begin_session(&self, id: SessionId, new: NewSession) -> Result<()> {
        self.db
            .write(move |tx| {
                if !connections::insert(tx, id, &new)? {
                    return Err(Error::conflict("another session has this id"));
                }
                workspaces::touch(tx, new.workspace_id)?;
                tx.emit(Event::Session(new.workspace_id, id));
                Ok(())
            })
            .await
    }

    /// Counts bytes of a session that lasts: to the person, and from them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_session(&self, id: SessionId, out: u64, inward: u64) -> Result<()> {
        let count = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        self.db
            .write(move |tx| Ok(connections::add_bytes(tx, id, count(out), count(inward))?))
            .await
    }

    /// Notes that a session ended, with the bytes not counted yet.
    ///
    /// # Errors
    /// When there is no such session.
    pub async fn end_session(
        &self,
        id: SessionId,
        reason: EndReason,
        (out, inward): (u64, u64),
    ) -> Result<()> {
        let count = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        self.db
            .write(move |tx| {
                let session = connections::find(tx, id)?.ok_or(Error::NotFound("session"))?;
                connections::add_bytes(tx, id, count(out), count(inward))?;
                if connections::end(tx, id, reason)? {
                    workspaces::touch(tx, session.workspace_id)?;
                    tx.emit(Event::Session(session.workspace_id, id));
                }
                Ok(())
            })
            .await
    }

    /// Sessions in a workspace, newest first.
    ///
    /// # Errors
    /// When there is no workspace that the actor may see.
    pub async fn sessions(
        &self,
        actor: &Actor,
        workspace: WorkspaceId,
        page: Page,
    ) -> Result<Vec<Session>> {
        let actor = actor.clone();
        self.db
            .read(move |tx| {
                access::require(tx, &actor, workspace, Verb::View)?;
                Ok(connections::list(tx, workspace, page.pair())?)
            })
            .await
    }

    /// Sessions that last, newest first, in every workspace that the actor may see; and how many more there
    /// are than are told of at once.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn presence(&self, actor: &Actor) -> Result<(Vec<Session>, usize)> {
        let actor = actor.clone();
        self.db
            .read(move |tx| {
                let mut all = connections::every_open(tx, MAX_OPEN)?;
                let mut places: Vec<WorkspaceId> = all.iter().map(|s| s.workspace_id).collect();
                places.sort_unstable();
                places.dedup();
                let may = access::allowed(tx, &actor, &places)?;
                let sees = |id| may.get(&id).is_some_and(|verbs| verbs.contains(&Verb::View));
                all.retain(|session| sees(session.workspace_id));
                Ok(told(all))
            })
            .await
    }

    /// Sessions in a workspace that last, newest first: who is in it now; and how many more there are.
    ///
    /// # Errors
    /// When there is no workspace that the actor may see.
    pub async fn open_sessions(
        &self,
        actor: &Actor,
        workspace: WorkspaceId,
    ) -> Result<(Vec<Session>, usize)> {
        let actor = actor.clone();
        self.db
            .read(move |tx| {
                access::require(tx, &actor, workspace, Verb::View)?;
                Ok(told(connections::open(tx, workspace, MAX_OPEN)?))
            })
            .await
    }

    /// Ends sessions that an earlier life of the server left open. To be called at start.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_all_sessions(&self, reason: EndReason) -> Result<usize> {
        self.db.write(move |tx| Ok(connections::end_all(tx, reason)?)).await
    }
}

/// The first of many sessions, and how many more there are.
fn told(mut all: Vec<Session>) -> (Vec<Session>, usize) {
    let more = all.len().saturating_sub(MAX_PRESENT);
    all.truncate(MAX_PRESENT);
    (all, more)
}
