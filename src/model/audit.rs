//! Entries of the audit log: who did what to what. Written in the transaction of the change.

pub mod chain;
pub mod checkpoint;
pub mod quick;
pub mod saved;
pub mod search;
pub mod shown;
pub mod verify;

use uuid::Uuid;

use super::build::BuildReason;
use super::id::{AgentId, AuditId, OrganizationId, TokenId, UserId};
use super::time::Timestamp;
use super::user::define_words;

define_words! {
    /// What was done, in Coder's words.
    AuditAction {
        /// Made.
        Create = "create",
        /// Changed.
        Write = "write",
        /// Removed.
        Delete = "delete",
        /// Started.
        Start = "start",
        /// Stopped.
        Stop = "stop",
        /// Signed in.
        Login = "login",
        /// Signed out.
        Logout = "logout",
        /// Made an account.
        Register = "register",
        /// Looked into what is private.
        Open = "open",
    }
    /// What kind of thing it was done to, in Coder's words.
    AuditTarget {
        /// A user.
        User = "user",
        /// A token.
        ApiKey = "api_key",
        /// An SSH key.
        GitSshKey = "git_ssh_key",
        /// A template.
        Template = "template",
        /// A template version.
        TemplateVersion = "template_version",
        /// A workspace.
        Workspace = "workspace",
        /// A build.
        WorkspaceBuild = "workspace_build",
        /// A group.
        Group = "group",
        /// An organization.
        Organization = "organization",
        /// Someone's part in an organization.
        OrganizationMember = "organization_member",
        /// An invitation.
        Invitation = "invitation",
        /// A custom role.
        CustomRole = "custom_role",
        /// People who take turns being on call.
        Rotation = "rotation",
        /// A recording of a session.
        Recording = "recording",
        /// Someone asks for access to a workspace.
        Request = "access_request",
        /// Someone let themselves into a workspace in an emergency.
        BreakGlass = "break_glass",
        /// A setting of the deployment.
        Setting = "health_settings",
    }
    /// What kind of actor did it.
    AuditActor {
        /// A person or a service account.
        User = "user",
        /// An agent with its token.
        Agent = "agent",
        /// The program itself.
        System = "system",
        /// An identity provider that keeps users and groups by SCIM.
        Scim = "scim",
        /// Someone who did not prove who they are.
        Nobody = "nobody",
    }
    /// What came of it, as searches have it.
    AuditResult {
        /// It was done.
        Done = "done",
        /// It was not, since the actor may not, or did not prove who they are.
        Denied = "denied",
    }
}

/// An entry to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// What was done.
    pub action: AuditAction,
    /// To what kind of thing.
    pub target: AuditTarget,
    /// The thing's id.
    pub target_id: Uuid,
    /// The thing's name.
    pub target_name: String,
    /// The organization of the thing; none for what is of the whole site. One that is not told is
    /// read from the thing when the entry is written.
    pub organization: Option<OrganizationId>,
    /// JSON `{field: {old, new, secret}}`; `{}` for none. Secret values are left out.
    pub diff: String,
}

/// Who did it, and how they came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditSource {
    /// What kind of actor.
    pub actor: AuditActor,
    /// The user, if it was one.
    pub user_id: Option<UserId>,
    /// The agent, if it was one.
    pub agent_id: Option<AgentId>,
    /// The token they showed.
    pub token_id: Option<TokenId>,
    /// From where, as trusted proxies say it; empty for the program itself.
    pub ip: String,
    /// What the client calls itself, at most [`MAX_USER_AGENT`] characters.
    pub user_agent: String,
    /// The request it was done in.
    pub request_id: Option<Uuid>,
}

impl AuditSource {
    /// An actor of whom no more is known.
    #[must_use]
    pub fn of(actor: AuditActor) -> Self {
        Self {
            actor,
            user_id: None,
            agent_id: None,
            token_id: None,
            ip: String::new(),
            user_agent: String::new(),
            request_id: None,
        }
    }
}

/// Characters of a client's name that are kept: browsers use about a hundred.
pub const MAX_USER_AGENT: usize = 256;
/// The status from which on a thing was not done.
pub const DENIED: u16 = 400;
/// Characters of a reason that are kept.
pub const MAX_REASON: usize = 512;

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditOutcome {
    /// The HTTP status that says it; 200 for what was done.
    pub status: u16,
    /// Why it was denied; empty for what was done.
    pub reason: String,
}

impl AuditOutcome {
    /// It was done.
    #[must_use]
    pub fn done() -> Self {
        Self { status: 200, reason: String::new() }
    }

    /// Whether it was done.
    #[must_use]
    pub const fn result(&self) -> AuditResult {
        if self.status < DENIED { AuditResult::Done } else { AuditResult::Denied }
    }

    /// It was not, for this reason.
    #[must_use]
    pub fn refused(status: u16, reason: &str) -> Self {
        Self { status, reason: reason.chars().take(MAX_REASON).collect() }
    }
}

/// An entry as it stands in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// Its place in the chain, from 1 and dense.
    pub seq: i64,
    /// Its id.
    pub id: AuditId,
    /// When.
    pub at: Timestamp,
    /// Who, and how they came.
    pub source: AuditSource,
    /// What was written.
    pub entry: AuditEntry,
    /// Why the build was made, for a build.
    pub build_reason: Option<BuildReason>,
    /// What came of it.
    pub outcome: AuditOutcome,
    /// The hash of this entry and all before it.
    pub hash: chain::Hash,
}

/// What changed in a thing, written as JSON `{field: {old, new, secret}}`.
#[derive(Clone, Debug, Default)]
pub struct Diff(serde_json::Map<String, serde_json::Value>);

impl Diff {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A field, unless it stayed the same.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "callers give copies and references alike")]
    pub fn field<T: serde::Serialize + PartialEq>(mut self, name: &str, old: T, new: T) -> Self {
        if old != new {
            let value = serde_json::json!({ "old": old, "new": new, "secret": false });
            self.0.insert(name.to_owned(), value);
        }
        self
    }

    /// A secret that changed; its values stay out.
    #[must_use]
    pub fn secret(mut self, name: &str) -> Self {
        let value = serde_json::json!({ "old": "", "new": "", "secret": true });
        self.0.insert(name.to_owned(), value);
        self
    }

    /// Whether nothing changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl std::fmt::Display for Diff {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        serde_json::to_string(&self.0).map_err(|_| std::fmt::Error)?.fmt(f)
    }
}
