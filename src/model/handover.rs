//! What becomes of a workspace that is handed over.

use super::user::UserRef;
use super::verb::Verbs;
use super::workspace::Workspace;

/// What a handover changes, or changed.
#[derive(Clone, Debug)]
pub struct HandedOver {
    /// The workspace, as it is then.
    pub workspace: Workspace,
    /// Whose it was.
    pub from: UserRef,
    /// Whose it is then.
    pub to: UserRef,
    /// Whether that is a service account.
    pub to_service: bool,
    /// Who answers for it, when it is a service account.
    pub responsible: Option<UserRef>,
    /// What its former owner may still do with it.
    pub stays: Verbs,
    /// How many grants on it stand then.
    pub kept: usize,
    /// How many end.
    pub ended: usize,
    /// How many codes give nothing any more: its former owner's, or all, when its grants end.
    pub codes: usize,
    /// Whether it runs, and restarts.
    pub restarts: bool,
}
