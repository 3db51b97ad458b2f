//! Who may do what on a workspace or a template: the entire access policy, as pure functions.

use super::id::UserId;
use super::policy::Action;
use super::user::define_words;

define_words! {
    /// What someone wants to do with a workspace.
    Verb {
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

impl Verb {
    /// What it is in Coder's words; a token's scope must have one of them.
    #[must_use]
    pub const fn actions(self) -> &'static [Action] {
        match self {
            Self::View => &[Action::Read],
            Self::Connect => &[Action::Ssh, Action::ApplicationConnect],
            Self::Operate => &[Action::Start, Action::Stop],
            Self::Update => &[Action::Update],
            Self::Delete => &[Action::Delete],
        }
    }
}

/// One right as the view `effective_grants` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EffectiveGrant {
    /// Who.
    pub user_id: UserId,
    /// What.
    pub verb: Verb,
    /// Why.
    pub reason: Reason,
    /// Until when; none for no end.
    pub until: Option<super::time::Timestamp>,
}

/// Whether one of the rights allows the action at `now`.
#[must_use]
pub fn may(grants: &[EffectiveGrant], verb: Verb, now: super::time::Timestamp) -> bool {
    grants.iter().any(|g| g.verb == verb && g.until.is_none_or(|until| now < until))
}
