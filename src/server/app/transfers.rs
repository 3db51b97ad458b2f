//! What passed recorded sessions and is in no recording: written while it does, and told to who may
//! see recordings there.

use super::access::record;
use super::recording_views::{Asked, MAX_LIST, resolve};
use super::{Actor, App, Error, Page, Result, trail};
use crate::model::audit::{AuditAction, AuditTarget, Diff};
use crate::model::id::RecordingId;
use crate::model::recording::Recording;
use crate::model::recording::transfers::{Row, Transfer, Whose};
use crate::model::time::Timestamp;
use crate::server::db::transfers;

impl App {
    /// Writes what passed a session. The rows are the record of it; the audit log is for changes and
    /// looks.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_transfers(&self, whose: Whose, rows: Vec<Row>) -> Result<()> {
        self.db
            .write(move |tx| {
                for row in &rows {
                    transfers::put(tx, whose, row)?;
                }
                Ok::<_, Error>(())
            })
            .await
    }

    /// Ends what an earlier life of the server left open. To be called at start.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_left_transfers(&self) -> Result<usize> {
        self.db.write(move |tx| Ok(transfers::end_all(tx)?)).await
    }

    /// What passed in workspaces whose recordings the actor may see, newest first. That someone looks
    /// is told in the audit log.
    ///
    /// # Errors
    /// As [`App::recordings`].
    pub async fn transfers(
        &self,
        actor: &Actor,
        asked: Asked,
        page: Page,
    ) -> Result<Vec<Transfer>> {
        let (looker, page) = (actor.clone(), Page::new(page.limit.min(MAX_LIST), page.offset));
        let said = asked.told();
        let found: Vec<Transfer> = self
            .db
            .read_large(move |tx| -> Result<_> {
                match resolve(tx, &looker, &asked)? {
                    None => Ok(vec![]),
                    Some((within, sought)) => {
                        Ok(transfers::list(tx, within.as_deref(), &sought, page.pair())?)
                    }
                }
            })
            .await?;
        if !found.is_empty() {
            self.tell_look(actor, "transfers", said).await?;
        }
        Ok(found)
    }

    /// What its person moved while a recording was made, in the order in which it began.
    ///
    /// # Errors
    /// As [`App::recording`].
    pub async fn transfers_beside(
        &self,
        actor: &Actor,
        id: RecordingId,
        page: Page,
    ) -> Result<Vec<Transfer>> {
        let recording = self.look(actor, id).await?;
        let whose = (recording.user.id, recording.workspace_id);
        let during = (recording.began_at, last(&recording, self.clock.now()));
        let page = Page::new(page.limit.min(MAX_LIST), page.offset);
        self.db.read_large(move |tx| Ok(transfers::between(tx, whose, during, page.pair())?)).await
    }

    /// Tells in the audit log that someone looked through a list.
    pub(super) async fn tell_look(&self, actor: &Actor, what: &str, said: Diff) -> Result<()> {
        let (actor, target) = (actor.clone(), AuditTarget::Recording);
        let entry = trail::entry(AuditAction::Open, target, uuid::Uuid::nil(), what);
        let entry = trail::with(entry, &said);
        self.db.write(move |tx| record(tx, &actor, &entry)).await
    }
}

fn last(recording: &Recording, now: Timestamp) -> Timestamp {
    recording.ended_at.unwrap_or(now)
}
