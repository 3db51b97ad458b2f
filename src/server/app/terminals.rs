//! Who may come to a terminal that others are at, and what they may do there.

use super::access::{self, record};
use super::agents::{is_current, require};
use super::{Actor, App, Error, Result};
use crate::model::audit::{AuditAction, AuditEntry, AuditTarget, Diff};
use crate::model::event::Event;
use crate::model::id::{AgentId, SessionId, TerminalId, WorkspaceId};
use crate::model::terminal::{Coming, Part};
use crate::model::verb::Verb;
use crate::server::db::{ReadTx, workspaces};

/// What someone may do who comes to a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// In which workspace it is.
    pub workspace: WorkspaceId,
    /// The right that they are there by, and are cut with.
    pub right: Verb,
    /// What their rights make them.
    pub rank: Part,
}

impl App {
    /// What someone may do at the terminals of an agent.
    ///
    /// # Errors
    /// When there is no agent that the actor may see, they may neither connect nor look on, or its
    /// workspace does not run by the build that made it.
    pub async fn agent_to_join(&self, actor: &Actor, id: AgentId, coming: Coming) -> Result<Place> {
        let actor = actor.clone();
        self.db
            .read(move |tx| {
                let by = |right| require(tx, &actor, id, right).map(|home| (right, home));
                let (first, second) = match coming {
                    Coming::Join => (Verb::Connect, Verb::Watch),
                    Coming::Watch => (Verb::Watch, Verb::Connect),
                };
                // What they lack is told in the word of what they came for.
                let (right, home) = by(first).or_else(|why| by(second).map_err(|_| why))?;
                if !is_current(tx, &home)? {
                    return Err(Error::conflict("the workspace does not run; start it"));
                }
                let rank = rank(tx, &actor, home.workspace)?;
                Ok(Place { workspace: home.workspace, right, rank })
            })
            .await
    }

    /// What someone's rights make them at the terminals of a workspace, now.
    ///
    /// # Errors
    /// When there is no workspace that the actor may see.
    pub async fn terminal_rank(&self, actor: &Actor, workspace: WorkspaceId) -> Result<Part> {
        let actor = actor.clone();
        self.db
            .read(move |tx| {
                access::require(tx, &actor, workspace, Verb::View)?;
                rank(tx, &actor, workspace)
            })
            .await
    }

    /// Notes that someone ends a terminal that others may be at.
    ///
    /// # Errors
    /// When the actor may not.
    pub async fn note_terminal_end(
        &self,
        actor: &Actor,
        (workspace, terminal): (WorkspaceId, TerminalId),
        began_by: String,
    ) -> Result<()> {
        let actor = actor.clone();
        self.db
            .write(move |tx| {
                access::require(tx, &actor, workspace, Verb::Manage)?;
                let found = workspaces::find(tx, workspace)?.ok_or(Error::NotFound("workspace"))?;
                let diff = Diff::new()
                    .field("terminal", terminal.to_string(), String::new())
                    .field("terminal_began_by", began_by.clone(), String::new());
                let entry = AuditEntry {
                    action: AuditAction::Write,
                    target: AuditTarget::Workspace,
                    target_id: workspace.0,
                    target_name: found.name.to_string(),
                    organization: None,
                    diff: diff.to_string(),
                };
                record(tx, &actor, &entry)
            })
            .await
    }

    /// Announces that who may do what at a terminal changed: pages read again who is there.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn announce_session(&self, workspace: WorkspaceId, id: SessionId) -> Result<()> {
        self.db
            .write(move |tx| {
                tx.emit(Event::Session(workspace, id));
                Ok(())
            })
            .await
    }
}

/// Who looks after the workspace looks after its terminals, if they may type there at all.
fn rank(tx: &ReadTx<'_>, actor: &Actor, workspace: WorkspaceId) -> Result<Part> {
    let may = access::allowed(tx, actor, &[workspace])?.remove(&workspace).unwrap_or_default();
    let has = |verb| may.contains(&verb);
    Ok(match (has(Verb::Connect), has(Verb::Manage)) {
        (true, true) => Part::Moderator,
        (true, false) => Part::Typist,
        (false, _) => Part::Watcher,
    })
}
