//! A terminal over the whole window; the one page that needs script.

use maud::{Markup, Render, html};

use crate::model::id::{AgentId, TerminalId};
use crate::model::terminal::Coming;
use crate::model::workspace::Workspace;
use crate::server::html::parts::icon::icon;
use crate::server::html::paths::Place;
use crate::server::html::{assets, raw};

/// The page of a terminal.
pub struct Terminal {
    /// The workspace.
    pub workspace: Workspace,
    /// The agent it is in.
    pub agent: AgentId,
    /// That agent's name.
    pub agent_name: String,
    /// Which terminal: the same in every tab with this address.
    pub terminal: TerminalId,
    /// What runs in it instead of a shell; empty for the shell.
    pub command: String,
    /// The line that reaches it by SSH.
    pub ssh: String,
    /// Whether what it shows is recorded.
    pub is_recorded: bool,
    /// What whoever looks came for.
    pub coming: Coming,
}

impl Render for Terminal {
    fn render(&self) -> Markup {
        let w = &self.workspace;
        let title = format!("{} · {}", w.name, w.owner.username);
        let place = Place::of(w);
        let socket = format!("/api/v2/workspaceagents/{}/pty", self.agent);
        html! {
            (raw::DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="dark";
                    title { (title) " · Steading" }
                    link rel="icon" href=(assets::FAVICON_SVG) type="image/svg+xml";
                    link rel="stylesheet" href=(assets::STYLE_CSS);
                    link rel="stylesheet" href=(assets::XTERM_CSS);
                    script src=(assets::TERMINAL_JS) type="module" {}
                }
                body class="term" data-theme="dark" {
                    (self.header(&place))
                    (strip())
                    main id="main" aria-label="Terminal" data-xterm=(socket) data-terminal=(self.terminal)
                        data-coming=(self.coming) data-command=[Some(&self.command).filter(|c| !c.is_empty())] {
                        div id="screen" class="screen" {}
                        noscript { p { "The terminal needs script. Without it: " code { (self.ssh) } } }
                    }
                    footer {
                        span id="connection" class="connection" role="status" data-state="starting" { "Not connected" }
                        @if self.is_recorded { span class="recorded" { (icon("recordings")) "This session is recorded." } }
                        span id="size" {}
                        code class="end spacious" { (self.ssh) }
                    }
                }
            }
        }
    }
}

/// What is done with a terminal that others are at; the page shows what one may do now.
const DEEDS: [(&str, &str, &str); 8] = [
    ("ask", "hand", "Ask for control"),
    ("take", "hand", "Take control"),
    ("release", "hand", "Give up control"),
    ("one_at_a_time", "lock", "One at a time"),
    ("everyone", "people", "Let everyone type"),
    ("pin", "lock", "Keep this size"),
    ("unpin", "x", "Let windows give the size"),
    ("end", "stop", "End terminal"),
];

/// Who is at it, what happened last, and what can be done; filled in as it is told.
fn strip() -> Markup {
    html! {
        section class="shared" id="shared" aria-label="In this terminal" hidden {
            ul id="seats" class="seats" {}
            p id="said" class="said" role="status" {}
            div class="deeds" {
                @for (deed, name, text) in DEEDS {
                    button class={ "button small" @if deed == "end" { " danger" } } type="button" data-deed=(deed) hidden { (icon(name)) (text) }
                }
            }
        }
    }
}

impl Terminal {
    fn header(&self, place: &Place) -> Markup {
        let again = place.agent_terminal(&self.agent_name);
        html! {
            header {
                a id="leave" class="button quiet small square" href=(place.page()) aria-label={ "Back to " (self.workspace.name) } { (icon("leave")) }
                h1 { (self.workspace.owner.username) "/" (self.workspace.name) "." (self.agent_name) }
                @if !self.command.is_empty() { code { (self.command) } }
                label class="check end" {
                    input id="reader" class="switch" role="switch" type="checkbox";
                    span { "Screen reader" }
                }
                a class="button quiet small" href=(again) target="_blank" rel="noopener" aria-label="New terminal" { (icon("plus")) span { "New terminal" } }
            }
        }
    }
}
