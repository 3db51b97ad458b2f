//! A review of access: each grant with what speaks for and against it, and why someone reaches a workspace.

use std::time::Duration;

use super::grant::{Grant, GrantView, Reason};
use super::time::Timestamp;
use super::user::define_words;
use super::verb::Verbs;

/// A grant that nobody used for so long is stale.
pub const STALE_S: i64 = 90 * 86_400;
/// Access is to be reviewed so long after it was last signed off: each quarter.
pub const DUE_AFTER: Duration = Duration::from_hours(90 * 24);
/// Grants that one page of a review shows.
pub const ON_A_PAGE: u32 = 100;

define_words! {
    /// What a review is narrowed to.
    ReviewOf {
        /// Every grant.
        All = "all",
        /// Those that nobody used for 90 days.
        Stale = "stale",
        /// Those without an end.
        Endless = "endless",
        /// Those of someone who is gone, suspended, left the organization, or lost the role they shared by.
        Departed = "departed",
        /// Those that go beyond what a charter foresees.
        Wider = "wider",
    }
}

/// A grant as a review has it.
#[derive(Clone, Debug)]
pub struct ReviewRow {
    /// The owner of the workspace it is on.
    pub owner: String,
    /// The workspace's name.
    pub workspace: String,
    /// The grant with the names of whom it is about.
    pub view: GrantView,
    /// When someone of those whom it is to was last in the workspace; none for never, as far as is known.
    pub last_used: Option<Timestamp>,
    /// Whether who granted it may act no more, or lost the role by which they did.
    pub departed: bool,
    /// In what it goes beyond the charter of its workspace or organization.
    pub wider: Vec<String>,
}

/// How many grants there are of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReviewCounts {
    /// All that stand.
    pub all: i64,
    /// Unused for 90 days.
    pub stale: i64,
    /// Without an end.
    pub endless: i64,
    /// By someone who may act no more, or lost the role by which they shared.
    pub departed: i64,
    /// Beyond a charter.
    pub wider: i64,
}

/// A reason for which someone reaches a workspace, or would.
#[derive(Clone, Debug)]
pub struct AccessReason {
    /// What kind of reason.
    pub reason: Reason,
    /// What it lets them do.
    pub verbs: Verbs,
    /// In a sentence: the role, the group, who granted it and why.
    pub said: String,
    /// The grant, where it is one.
    pub grant: Option<Grant>,
    /// Why it does not let them in as things are; none while it does.
    pub closed: Option<String>,
}

impl ReviewRow {
    /// Whether nobody used it for so long that it should be asked whether it is needed.
    #[must_use]
    pub fn is_stale(&self, now: Timestamp) -> bool {
        let since = self.last_used.unwrap_or(self.view.grant.granted_at);
        now.0 - since.max(self.view.grant.granted_at).0 >= STALE_S
    }
}
