//! How a machine that someone else runs becomes a workspace: the line to run on it, and its arrival.

use maud::{Markup, Render, html};

use crate::model::agent::{Agent, Clash, ConnectionStatus};
use crate::model::time::Timestamp;
use crate::model::workspace::Workspace;
use crate::server::html::layout::{Page, Section, Visit, crumbs};
use crate::server::html::parts::button::{button, labelled, link, post};
use crate::server::html::parts::icon::icon;
use crate::server::html::parts::notice::{Tone, empty, notice};
use crate::server::html::parts::{badge, code, time};
use crate::server::html::paths::{self, Place};

/// What someone runs on the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lines {
    /// The agent for as long as the shell lives, by curl or PowerShell.
    pub command: String,
    /// The same without curl; none for Windows.
    pub by_wget: Option<String>,
    /// As a service that is there after a restart; none where there is none.
    pub service: Option<String>,
    /// Where the script is, to be read first.
    pub script: String,
}

/// How a machine that is here is reached.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Way {
    /// `direct`, `relay` or `local`.
    pub path: String,
    /// Milliseconds there and back, when measured.
    pub latency_ms: Option<f64>,
    /// Another machine that came with its token.
    pub clash: Option<Clash>,
}

/// An agent whose machine is attached.
#[derive(Clone, Debug)]
pub struct Machine {
    /// The agent.
    pub agent: Agent,
    /// How it is reached, when it is here.
    pub way: Option<Way>,
}

/// The page.
pub struct Attach {
    /// Who looks.
    pub visit: Visit,
    /// The workspace.
    pub workspace: Workspace,
    /// Its machines, each with what is run on it.
    pub machines: Vec<(Machine, Lines)>,
    /// The address that they must reach.
    pub host: String,
}

impl Render for Attach {
    fn render(&self) -> Markup {
        let (w, place) = (&self.workspace, Place::of(&self.workspace));
        let title = format!("Attach {}", w.name);
        let whole = format!("{}/{}", w.owner.username, w.name);
        let body = html! {
            header class="page-head" {
                div {
                    (crumbs(&[("Workspaces", paths::WORKSPACES), (whole.as_str(), place.page())]))
                    h1 { (title) }
                    p { "A board, a server or a laptop becomes a workspace. It dials out; no port is opened on it. Steading never starts, stops or wipes it." }
                }
            }
            div class="stack" {
                @if self.machines.is_empty() {
                    section class="card" aria-label="Machines" {
                        (empty("board", &html! { "There is nothing to attach: the workspace has no agent of that kind now." }, &link("", place.page(), &html! { "Back to " (w.name) })))
                    }
                }
                @for (machine, lines) in &self.machines { (self.card(machine, lines)) }
                @if !self.machines.is_empty() { (self.renewal(&place)) }
            }
        };
        let live = place.attach_live();
        Page {
            title: &title,
            visit: &self.visit,
            section: Section::Workspaces,
            live: Some(&live),
            body,
        }
        .render()
    }
}

impl Attach {
    fn card(&self, machine: &Machine, lines: &Lines) -> Markup {
        let (agent, id) = (&machine.agent, machine.agent.id);
        let spec = &agent.spec;
        let windows = spec.os == "windows";
        let service = lines.service.as_deref();
        html! {
            section class="card" aria-labelledby={ "machine-" (id) } {
                header {
                    h2 id={ "machine-" (id) } { (spec.name) }
                    span class="note" { (system(&spec.os)) " " (spec.arch) }
                }
                div class="body" {
                    ol class="steps" {
                        li data-state="ok" {
                            (done())
                            div class="stack tight" {
                                h3 { "Platform" }
                                p class="note" {
                                    (system(&spec.os)) " " (spec.arch) ", as the workspace was made. "
                                    @if !windows { code { "uname -m" } " on the machine says armv7l, aarch64 or x86_64." }
                                }
                            }
                        }
                        li {
                            span class="dot" { "2" }
                            div class="stack tight" {
                                h3 { "Run this on it" @if windows { ", in PowerShell" } }
                                (code::secret(&format!("run-{id}"), &lines.command))
                                p class="note" {
                                    @if windows { "No administrator needed; the agent runs while that window is open. " } @else { "No root needed. " }
                                    "The token passes for this machine until others are made below, or the workspace is deleted: keep it to yourself. "
                                    a href=(lines.script) { "Read the script" }
                                }
                                @if let Some(line) = service {
                                    details {
                                        summary { "As a service, there after a restart" }
                                        div class="stack tight" {
                                            (code::secret(&format!("service-{id}"), line))
                                            p class="note" { code { "sudo steading agent uninstall" } " takes all of it away again." }
                                        }
                                    }
                                }
                                @if let Some(line) = &lines.by_wget {
                                    details {
                                        summary { "Without curl" }
                                        (code::secret(&format!("wget-{id}"), line))
                                    }
                                }
                            }
                        }
                        (self.arrival(machine))
                    }
                }
            }
        }
    }

    /// For when someone knows a token who should not any more.
    fn renewal(&self, place: &Place) -> Markup {
        let renew = button("danger", "restart", "End them, and make others");
        html! {
            section class="card" aria-labelledby="renewal" {
                header { h2 id="renewal" { "New tokens" } }
                div class="body stack tight" {
                    p { "Who has a token can be this machine. When one is where it should not be, have them all end: the machine is gone from here until the new line is run on it." }
                    div class="actions" { (post(&self.visit.csrf, &place.new_tokens(), &renew)) }
                }
            }
        }
    }

    fn arrival(&self, machine: &Machine) -> Markup {
        arrival(machine, &Place::of(&self.workspace), (&self.host, self.visit.now))
    }
}

/// The id of the step that waits for an agent's machine.
#[must_use]
pub fn arrival_id(agent: &Agent) -> String {
    format!("arrival-{}", agent.id)
}

/// The step that waits for a machine, in the page and in its stream.
#[must_use]
pub fn arrival(machine: &Machine, place: &Place, (host, now): (&str, Timestamp)) -> Markup {
    let agent = &machine.agent;
    let status = agent.status(now);
    let here = status == ConnectionStatus::Connected;
    let clash = machine.way.as_ref().and_then(|way| way.clash.as_ref());
    html! {
        li id=(arrival_id(agent)) data-state=[here.then_some("ok")] aria-current=[(!here).then_some("step")] {
            @if here { (done()) } @else { span class="dot" { "3" } }
            div class="stack tight" role="status" {
                h3 { "Connect " (badge::machine(status)) }
                @if let Some(clash) = clash { (clashed(clash, now)) }
                @if here {
                    (facts(machine, now))
                    div class="actions" {
                        (link("primary", &place.agent_terminal(&agent.spec.name), &labelled("terminal", "Terminal")))
                        (link("", place.page(), &html! { "Open the workspace" }))
                    }
                } @else if status == ConnectionStatus::Disconnected {
                    p class="note" {
                        "It was here"
                        @if let Some(last) = agent.last_connected_at { ", last " (time::ago(last, now)) }
                        ". When it is on and reaches " code { (host) } ", it comes back by itself."
                    }
                } @else {
                    p class="note" {
                        "Usually under 20 s. When nothing happens in a minute: the machine must reach "
                        code { (host) } ", and its clock must be right. The line itself says what is wrong."
                    }
                }
            }
        }
    }
}

fn facts(machine: &Machine, now: Timestamp) -> Markup {
    let agent = &machine.agent;
    html! {
        dl class="kv" {
            dt { "Agent" } dd { (agent.version) }
            dt { "Directory" } dd { (agent.expanded_directory) }
            @if let Some(since) = agent.first_connected_at { dt { "First here" } dd { (time::ago(since, now)) } }
            @if let Some(way) = &machine.way {
                dt { "Path" }
                dd { (way.path) @if let Some(ms) = way.latency_ms { ", " (format!("{ms:.0}")) " ms" } }
            }
        }
    }
}

/// Two machines with one token.
#[must_use]
pub fn clashed(clash: &Clash, now: Timestamp) -> Markup {
    notice(
        Tone::Warn,
        &html! {
            p {
                b { "Two machines have one token. " } (clash.here) " is here. " (clash.other)
                " came with the same token, last " (time::ago(clash.at, now)) ", and was refused."
            }
            p class="note" { "A copied disk does that. Make a workspace of its own for the other machine, and run that one’s line there." }
        },
        &html! {},
    )
}

fn done() -> Markup {
    html! { span class="dot" { (icon("check")) span class="vh" { "Done" } } }
}

fn system(os: &str) -> &str {
    match os {
        "linux" => "Linux",
        "darwin" => "macOS",
        "windows" => "Windows",
        other => other,
    }
}
