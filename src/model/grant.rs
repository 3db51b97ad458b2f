//! Who may do what on a workspace or a template: the entire access policy, as pure functions.

use super::id::UserId;
use super::user::{SiteRole, define_words};

define_words! {
    /// What someone wants to do with a workspace.
    Action {
        /// Know that it exists, read its builds and logs.
        View = "view",
        /// Open a session in it.
        Connect = "connect",
        /// Start, stop, restart, cancel.
        Operate = "operate",
        /// Change its version, parameters, name and schedule.
        Update = "update",
        /// Remove it.
        Delete = "delete",
    }
    /// Why someone may.
    Reason {
        /// It is theirs.
        Owner = "owner",
        /// Their site role.
        Role = "role",
        /// A grant to them.
        Grant = "grant",
        /// A grant to a group of theirs.
        Group = "group",
    }
}

/// What a site role allows on every workspace.
#[must_use]
pub fn role_allows(role: SiteRole, action: Action) -> bool {
    match role {
        SiteRole::Owner => true,
        SiteRole::TemplateAdmin => action == Action::View,
        SiteRole::UserAdmin | SiteRole::Auditor => false,
    }
}

/// One right as the view `effective_grants` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EffectiveGrant {
    /// Who.
    pub user_id: UserId,
    /// What.
    pub action: Action,
    /// Why.
    pub reason: Reason,
    /// Until when; none for no end.
    pub until: Option<super::time::Timestamp>,
}

/// Whether one of the rights allows the action at `now`.
#[must_use]
pub fn may(grants: &[EffectiveGrant], action: Action, now: super::time::Timestamp) -> bool {
    grants.iter().any(|g| g.action == action && g.until.is_none_or(|until| now < until))
}
