//! Where the pages and deeds of a workspace are.

use super::segment;
use crate::model::build::Build;
use crate::model::id::TerminalId;
use crate::model::name::{UserName, WorkspaceName};
use crate::model::workspace::Workspace;

/// A workspace in URLs: `/@owner/name`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place(String);

impl Place {
    /// Where the workspace `name` of `owner` is.
    #[must_use]
    pub fn new(owner: &UserName, name: &WorkspaceName) -> Self {
        Self(format!("/@{owner}/{name}"))
    }

    /// Where `workspace` is.
    #[must_use]
    pub fn of(workspace: &Workspace) -> Self {
        Self::new(&workspace.owner.username, &workspace.name)
    }

    /// Its page.
    #[must_use]
    pub fn page(&self) -> &str {
        &self.0
    }

    /// Its live stream, from line `after` of the log of build `number` on.
    #[must_use]
    pub fn live(&self, number: i64, after: i64) -> String {
        format!("{}/live?build={number}&after={after}", self.0)
    }

    /// Starts it.
    #[must_use]
    pub fn start(&self) -> String {
        self.under("start")
    }

    /// Stops it.
    #[must_use]
    pub fn stop(&self) -> String {
        self.under("stop")
    }

    /// Stops and starts it.
    #[must_use]
    pub fn restart(&self) -> String {
        self.under("restart")
    }

    /// Starts it with its template's active version.
    #[must_use]
    pub fn update(&self) -> String {
        self.under("update")
    }

    /// How machines that someone else runs are attached to it.
    #[must_use]
    pub fn attach(&self) -> String {
        self.under("attach")
    }

    /// The live stream of that.
    #[must_use]
    pub fn attach_live(&self) -> String {
        self.under("attach/live")
    }

    /// Makes it a favorite, or not.
    #[must_use]
    pub fn favorite(&self) -> String {
        self.under("favorite")
    }

    /// Ends their tokens, for others.
    #[must_use]
    pub fn new_tokens(&self) -> String {
        self.under("attach/new-tokens")
    }

    /// Hands it over to an editor.
    #[must_use]
    pub fn open(&self) -> String {
        self.under("open")
    }

    /// Removes it.
    #[must_use]
    pub fn delete(&self) -> String {
        self.under("delete")
    }

    /// The list of its builds.
    #[must_use]
    pub fn builds(&self) -> String {
        self.under("builds")
    }

    /// How its machines were.
    #[must_use]
    pub fn health(&self) -> String {
        self.under("health")
    }

    /// Wakes the machine of one of its agents.
    #[must_use]
    pub fn wake(&self, agent: &str) -> String {
        format!("{}/machines/{}/wake", self.0, segment(agent))
    }

    /// One of its builds.
    #[must_use]
    pub fn build(&self, number: i64) -> String {
        format!("{}/builds/{number}", self.0)
    }

    /// A build's live stream, from line `after` of its log on.
    #[must_use]
    pub fn build_live(&self, number: i64, after: i64) -> String {
        format!("{}/builds/{number}/live?after={after}", self.0)
    }

    /// A build's log as plain text.
    #[must_use]
    pub fn build_text(&self, number: i64) -> String {
        format!("{}/builds/{number}/log", self.0)
    }

    /// Asks a build to stop.
    #[must_use]
    pub fn cancel(&self, build: &Build) -> String {
        format!("{}/builds/{}/cancel", self.0, build.number)
    }

    /// The terminal page of its only agent.
    #[must_use]
    pub fn terminal(&self) -> String {
        self.under("terminal")
    }

    /// The terminal page of one agent.
    #[must_use]
    pub fn agent_terminal(&self, agent: &str) -> String {
        format!("{}.{}/terminal", self.0, segment(agent))
    }

    /// The terminal page of one that is open.
    #[must_use]
    pub fn open_terminal(&self, agent: &str, terminal: TerminalId) -> String {
        format!("{}?t={terminal}", self.agent_terminal(agent))
    }

    /// Ends a terminal.
    #[must_use]
    pub fn end_terminal(&self, terminal: TerminalId) -> String {
        format!("{}/terminals/{terminal}/end", self.0)
    }

    /// Its name.
    #[must_use]
    pub fn settings(&self) -> String {
        self.under("settings")
    }

    /// Its parameters.
    #[must_use]
    pub fn parameters(&self) -> String {
        self.under("settings/parameters")
    }

    /// When it starts and stops by itself.
    #[must_use]
    pub fn schedule(&self) -> String {
        self.under("settings/schedule")
    }

    pub(super) fn under(&self, rest: &str) -> String {
        format!("{}/{rest}", self.0)
    }
}
