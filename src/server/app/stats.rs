//! How much there is in the deployment now, for who looks after it.

use super::{Actor, App, Result};
use crate::model::build::{WorkspaceStatus, workspace_status};
use crate::model::policy::{Action, Object, ResourceType};
use crate::model::session::SessionKind;
use crate::server::db::{connections, jobs};

/// How many workspaces and sessions there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// How many workspaces are of each status.
    pub workspaces: Vec<(WorkspaceStatus, i64)>,
    /// How many sessions of each kind last.
    pub sessions: Vec<(SessionKind, i64)>,
    /// Bytes that those have carried to people.
    pub bytes_out: i64,
    /// The same from them.
    pub bytes_in: i64,
}

impl Stats {
    /// How many workspaces have one of these statuses.
    #[must_use]
    pub fn workspaces_in(&self, wanted: &[WorkspaceStatus]) -> i64 {
        self.workspaces.iter().filter(|(status, _)| wanted.contains(status)).map(|(_, n)| n).sum()
    }

    /// How many sessions of these kinds last.
    #[must_use]
    pub fn sessions_by(&self, wanted: &[SessionKind]) -> i64 {
        self.sessions.iter().filter(|(kind, _)| wanted.contains(kind)).map(|(_, n)| n).sum()
    }
}

impl App {
    /// How much there is now.
    ///
    /// # Errors
    /// For who may not read the deployment's settings.
    pub async fn stats(&self, actor: &Actor) -> Result<Stats> {
        let settings = Object::site(ResourceType::DeploymentConfig);
        actor.require(self.clock.now(), Action::Read, &settings)?;
        self.db
            .read_large(|tx| {
                let found = jobs::last_statuses(tx)?.into_iter();
                let status = |(job, transition, n)| (workspace_status(transition, job), n);
                let mut stats =
                    Stats { workspaces: found.map(status).collect(), ..Stats::default() };
                for (kind, n, out, inward) in connections::open_by_kind(tx)? {
                    stats.sessions.push((kind, n));
                    stats.bytes_out = stats.bytes_out.saturating_add(out);
                    stats.bytes_in = stats.bytes_in.saturating_add(inward);
                }
                Ok(stats)
            })
            .await
    }
}
