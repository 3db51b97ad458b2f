//! The health of machines as people see it.

use std::collections::BTreeMap;

use super::{Actor, App, Result, access};
use crate::model::health::series::Step;
use crate::model::health::{Health, History};
use crate::model::id::WorkspaceId;
use crate::model::time::Timestamp;
use crate::model::verb::Verb;
use crate::server::db::agent_health;

impl App {
    /// The machines of those of these workspaces that the actor may see.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn machines(
        &self,
        actor: &Actor,
        workspaces: Vec<WorkspaceId>,
    ) -> Result<BTreeMap<WorkspaceId, Vec<Health>>> {
        let actor = actor.clone();
        self.db
            .read(move |tx| {
                let allowed = access::allowed(tx, &actor, &workspaces)?;
                let seen = allowed.into_iter().filter(|(_, may)| may.contains(&Verb::View));
                let seen: Vec<WorkspaceId> = seen.map(|(id, _)| id).collect();
                let mut all: BTreeMap<_, Vec<Health>> = BTreeMap::new();
                for (workspace, health) in agent_health::of(tx, &seen)? {
                    all.entry(workspace).or_default().push(health);
                }
                Ok(all)
            })
            .await
    }

    /// The machines of a workspace with how they were for a day, or for a month too.
    ///
    /// # Errors
    /// When there is no workspace that the actor may see.
    pub async fn machine_histories(
        &self,
        actor: &Actor,
        workspace: WorkspaceId,
        with_month: bool,
    ) -> Result<Vec<History>> {
        let actor = actor.clone();
        self.db
            .read(move |tx| {
                access::require(tx, &actor, workspace, Verb::View)?;
                let points = |name: &str, step: Step| {
                    let from = Timestamp(tx.now.0 - step.kept_secs());
                    agent_health::points(tx, (workspace, name), step, from)
                };
                let mut all = Vec::new();
                for (_, health) in agent_health::of(tx, &[workspace])? {
                    let day = points(&health.name, Step::Minute)?;
                    let month = match with_month {
                        true => points(&health.name, Step::Quarter)?,
                        false => vec![],
                    };
                    all.push(History { health, day, month });
                }
                Ok(all)
            })
            .await
    }
}
