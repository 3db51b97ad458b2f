//! What a commit announces: ids, never state. Losing one loses only promptness.

use super::id::{AgentId, BuildId, SessionId, TemplateId, UserId, VersionId, WorkspaceId};

/// Something was committed; listeners read again what it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A user, its roles, keys, tokens or status.
    User(UserId),
    /// A template.
    Template(TemplateId),
    /// A template version or its import.
    Version(VersionId),
    /// A line of an import's log.
    VersionLog(VersionId),
    /// A workspace's own fields or its builds.
    Workspace(WorkspaceId),
    /// A build waits for a runner, or one was asked to stop.
    Queue,
    /// A line of a build's log.
    BuildLog(BuildId),
    /// An agent's state, with its workspace.
    Agent(WorkspaceId, AgentId),
    /// Lines of an agent's log.
    AgentLog(AgentId),
    /// An agent's metadata.
    AgentMetadata(AgentId),
    /// The figures of an agent's machine.
    AgentHealth(AgentId),
    /// A session began or ended, in this workspace.
    Session(WorkspaceId, SessionId),
    /// Who may do what changed: live sessions are to be checked.
    Grants,
    /// A way to sign in was set up, changed or removed.
    Providers,
}
