//! Workspaces, and what their last build says about them.

use super::agent::{Agent, ConnectionStatus};
use super::build::{Build, WorkspaceStatus};
use super::id::{AgentId, OrganizationId, TemplateId, VersionId, WorkspaceId};
use super::name::{TemplateName, WorkspaceName};
use super::time::Timestamp;
use super::user::UserRef;

/// A workspace with its last build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workspace {
    /// Its id.
    pub id: WorkspaceId,
    /// Where it belongs.
    pub organization_id: OrganizationId,
    /// Whose it is.
    pub owner: UserRef,
    /// Its name, unique per owner.
    pub name: WorkspaceName,
    /// Its template.
    pub template_id: TemplateId,
    /// The name of its organization in the template's addresses; empty for the one of the start.
    pub template_home: String,
    /// The template's name.
    pub template_name: TemplateName,
    /// The template's name as shown.
    pub template_display_name: String,
    /// The template's icon.
    pub template_icon: String,
    /// The version its template offers now.
    pub template_active_version_id: VersionId,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// When someone last was in it.
    pub last_used_at: Timestamp,
    /// `CRON_TZ=Europe/Berlin 0 9 * * 1-5`; empty for none.
    pub autostart_schedule: String,
    /// Seconds it runs before it stops by itself; none for no end.
    pub ttl_s: Option<i64>,
    /// Follows its template's active version at each start.
    pub automatic_updates: bool,
    /// Its last build.
    pub latest_build: Build,
}

impl Workspace {
    /// Whether its template offers another version than its last build used.
    #[must_use]
    pub fn outdated(&self) -> bool {
        self.latest_build.version_id != self.template_active_version_id
    }

    /// What its last build says.
    #[must_use]
    pub fn status(&self) -> WorkspaceStatus {
        self.latest_build.status()
    }

    /// Its agents that are not well. They count while it runs; one that has not connected yet is not
    /// failing.
    #[must_use]
    pub fn failing_agents(&self, now: Timestamp) -> Vec<AgentId> {
        let all = self.latest_build.resources.iter().flat_map(|r| &r.agents);
        all.filter(|_| self.status() == WorkspaceStatus::Running)
            .filter(|a| a.status(now) != ConnectionStatus::Connecting)
            .filter(|a| !a.trouble(now).is_empty())
            .map(|a| a.id)
            .collect()
    }

    /// The agents of its last build whose machines someone else runs.
    pub fn external_agents(&self) -> impl Iterator<Item = &Agent> {
        let resources = self.latest_build.resources.iter();
        resources.flat_map(|r| &r.agents).filter(|a| a.spec.external)
    }
}
