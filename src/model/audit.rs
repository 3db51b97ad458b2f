//! Entries of the audit log: who did what to what. Written in the transaction of the change.

use super::id::{AuditId, UserId};
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
        /// A custom role.
        CustomRole = "custom_role",
        /// A setting of the deployment.
        Setting = "health_settings",
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
    pub target_id: uuid::Uuid,
    /// The thing's name.
    pub target_name: String,
    /// JSON `{field: {old, new, secret}}`; `{}` for none. Secret values are left out.
    pub diff: String,
}

/// An entry as it stands in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// Its id.
    pub id: AuditId,
    /// When.
    pub at: Timestamp,
    /// Who; none for the program itself.
    pub user_id: Option<UserId>,
    /// From where; empty for the program itself.
    pub ip: String,
    /// What was written.
    pub entry: AuditEntry,
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
