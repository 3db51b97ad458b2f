//! What a change of groups or roles would give and take, before it is made.

use super::verb::Verbs;

/// Workspaces of which a look ahead tells; of more it says how many.
pub const MOST_TOLD: usize = 200;

/// What becomes of someone's rights on one workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shift {
    /// Who.
    pub who: String,
    /// Owner and name of the workspace.
    pub workspace: String,
    /// What they may then, and may not now.
    pub gained: Verbs,
    /// What they may now, and may not then.
    pub lost: Verbs,
}

/// What a change would give and take.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outlook {
    /// On which workspaces, the first of them.
    pub shifts: Vec<Shift>,
    /// On how many more, at least.
    pub more: usize,
    /// On how many that whoever asks may not know, or of people whom they may not.
    pub hidden: usize,
}

impl Outlook {
    /// Whether it changes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.shifts.is_empty() && self.more == 0 && self.hidden == 0
    }
}
