//! A workspace: its state, what to do with it, and the ways into it.

mod actions;
mod agents;
mod aside;
mod builds;
mod connect;
mod head;
mod log;
mod machine;
mod sessions;
mod shared;
mod terminals;
mod waking;

use std::collections::BTreeMap;

use maud::{Markup, Render, html};

use crate::model::agent::{Agent, AgentLogLine, Clash, MetadataValue};
use crate::model::build::{Build, WorkspaceStatus};
use crate::model::grant::Grant;
use crate::model::health::History;
use crate::model::id::AgentId;
use crate::model::log::LogEnd;
use crate::model::request::BreakGlassView;
use crate::model::session::Session;
use crate::model::terminal::OpenTerminal;
use crate::model::verb::Verb;
use crate::model::waking::Whereabouts;
use crate::model::workspace::Workspace;
use crate::server::html::layout::{Page, Section, Visit};
use crate::server::html::parts::badge;
use crate::server::html::parts::button::link;
use crate::server::html::parts::live::replace;
use crate::server::html::paths::{self, Place};

pub use builds::card as builds_card;
pub use builds::why as build_reason;
pub use head::advice;
pub use log::{LINES_ID, appended, stage_of};

/// Builds shown on the page; the rest has a page of its own.
pub const RECENT_BUILDS: usize = 5;
/// Sessions shown on the page: those that last, and the last ones that ended.
pub const RECENT_SESSIONS: usize = 10;

/// How to reach the server by SSH.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Door {
    /// The name or address of the server.
    pub host: String,
    /// The port of its SSH door.
    pub port: u16,
    /// The names of the keys that the one who looks has on file.
    pub keys: Vec<String>,
    /// Where the server is reached by HTTP, without a slash at the end.
    pub access_url: String,
}

/// What its template offers beyond the version in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Newer {
    /// The version's name.
    pub name: String,
    /// What changed.
    pub message: String,
}

/// The page of a workspace.
pub struct WorkspacePage {
    /// Who looks.
    pub visit: Visit,
    /// The workspace with its last build, resources and agents.
    pub workspace: Workspace,
    /// What the one who looks may do with it.
    pub may: Vec<Verb>,
    /// It is a favorite of theirs.
    pub is_favorite: bool,
    /// The version it could be updated to.
    pub newer: Option<Newer>,
    /// What its agents found out.
    pub metadata: BTreeMap<AgentId, Vec<MetadataValue>>,
    /// What the agents' scripts said.
    pub agent_logs: BTreeMap<AgentId, Vec<AgentLogLine>>,
    /// The end of the last build's log; its stream goes on after it.
    pub log: LogEnd,
    /// The last builds, the last one first; at most [`RECENT_BUILDS`].
    pub builds: Vec<Build>,
    /// Who is or was in it, the latest first; at most [`RECENT_SESSIONS`].
    pub sessions: Vec<Session>,
    /// Who is in it now, the latest first; and how many sessions more there are.
    pub present: (Vec<Session>, usize),
    /// The terminals that are open in it.
    pub terminals: Vec<OpenTerminal>,
    /// The parameters of the last build: the name shown, and the value.
    pub parameters: Vec<(String, String)>,
    /// The way in by SSH.
    pub door: Door,
    /// The grants by which the one who looks is here; none for the owner.
    pub granted: Vec<Grant>,
    /// Emergencies in it that nobody has looked into.
    pub broken: Vec<BreakGlassView>,
    /// How its machines are, and were for a day.
    pub machines: Vec<History>,
    /// Where those of them were that someone else runs, so that they can be woken.
    pub whereabouts: Vec<Whereabouts>,
    /// Second machines that came with the token of one of its agents.
    pub clashes: Vec<Clash>,
}

impl Render for WorkspacePage {
    fn render(&self) -> Markup {
        let place = self.place();
        let title = format!("{} · {}", self.workspace.name, self.workspace.owner.username);
        let body = html! {
            (self.head())
            (self.menu())
            (self.tabs())
            div class="stack" {
                (self.notices())
                div class="split" {
                    div class="stack" {
                        (self.agents())
                        (self.log_card())
                        (self.sessions_card())
                    }
                    aside class="stack" aria-label={ "State of " (self.workspace.name) } {
                        (self.here())
                        (self.connect())
                        (self.machines_cards())
                        (self.meters())
                        (self.builds_card())
                        (self.facts())
                    }
                }
            }
            (self.delete_dialog())
        };
        Page {
            title: &title,
            visit: &self.visit,
            section: Section::Workspaces,
            live: Some(&place.live(self.workspace.latest_build.number, self.log.cursor)),
            body,
        }
        .render()
    }
}

/// What is left of a page when its workspace is deleted, for its stream.
#[must_use]
pub fn gone() -> Markup {
    let status =
        html! { span id="status" role="status" { (badge::workspace(WorkspaceStatus::Deleted)) } };
    let actions = html! {
        div class="actions" id="actions" { (link("primary", paths::WORKSPACES, &html! { "Your workspaces" })) }
    };
    html! { (replace("status", &status)) (replace("actions", &actions)) }
}

impl WorkspacePage {
    fn place(&self) -> Place {
        Place::of(&self.workspace)
    }

    /// Whether someone else runs its machine.
    fn is_external(&self) -> bool {
        self.workspace.latest_build.has_external_agent
    }

    /// Whether the one who looks is shown what its machine signs in with.
    fn may_attach(&self) -> bool {
        self.may(Verb::Manage) && self.may(Verb::Connect)
    }

    fn may(&self, action: Verb) -> bool {
        self.may.contains(&action)
    }

    /// Where an agent's machine was, when someone else runs it.
    fn whereabouts(&self, agent: &Agent) -> Option<&Whereabouts> {
        self.whereabouts.iter().find(|w| w.name.eq_ignore_ascii_case(&agent.spec.name))
    }

    /// The agents of the last build, in the template's order.
    fn all_agents(&self) -> Vec<&Agent> {
        let mut agents: Vec<&Agent> =
            self.workspace.latest_build.resources.iter().flat_map(|r| &r.agents).collect();
        agents.sort_by(|a, b| (a.spec.order, &a.spec.name).cmp(&(b.spec.order, &b.spec.name)));
        agents
    }

    fn sessions_now(&self) -> impl Iterator<Item = &Session> {
        self.present.0.iter()
    }
}
