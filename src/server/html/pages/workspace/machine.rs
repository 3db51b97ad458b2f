//! The machines that the agents run on: how they are, and what to do when they are not well.

use maud::{Markup, html};

use super::WorkspacePage;
use crate::model::agent::{Agent, ConnectionStatus};
use crate::model::build::WorkspaceStatus;
use crate::model::health::History;
use crate::server::html::parts::badge::{self, Look};
use crate::server::html::parts::{machine, time};

impl WorkspacePage {
    /// A card for the machine of each agent.
    #[must_use]
    pub fn machines_cards(&self) -> Markup {
        let runs = self.workspace.status() == WorkspaceStatus::Running;
        let agents = self.all_agents();
        html! {
            div id="machines" class="stack" {
                @if runs { @for agent in &agents { (self.machine(agent, agents.len() > 1)) } }
            }
        }
    }

    fn machine(&self, agent: &Agent, is_one_of_several: bool) -> Markup {
        let id = format!("machine-{}", agent.id);
        let known =
            self.machines.iter().find(|m| m.health.name.eq_ignore_ascii_case(&agent.spec.name));
        // What was told before this build is history.
        let now = known.filter(|m| m.health.agent == agent.id);
        html! {
            section class="card" aria-labelledby=(id) {
                header {
                    h2 id=(id) { "Machine" @if is_one_of_several { " of " (agent.spec.name) } }
                    @if let Some(m) = now { (self.state(agent, m)) }
                }
                div class="body stack tight" {
                    (self.waking(agent, is_one_of_several))
                    @match now {
                        Some(m) => (self.told(&id, agent, m)),
                        None => p class="note" { "No figures yet. Its agent tells them soon after it has connected, and then every half minute." },
                    }
                    @if known.is_some() {
                        p { a href=(self.place().health()) { "History of a day and a month" } }
                    }
                }
            }
        }
    }

    fn state(&self, agent: &Agent, machine: &History) -> Markup {
        let is_here = agent.status(self.visit.now) == ConnectionStatus::Connected;
        match machine.health.verdict.is_lost && is_here {
            true => badge::badge(Look::Starting, "Back"),
            false => badge::health(machine.health.verdict.state()),
        }
    }

    fn told(&self, id: &str, agent: &Agent, told: &History) -> Markup {
        let (health, now) = (&told.health, self.visit.now);
        html! {
            (machine::troubles(health, now))
            @if let Some(figures) = &health.figures {
                (machine::figures(id, figures, &told.day, now))
                p class="note" {
                    (machine::facts(figures, &agent.version)) " Told " (time::ago(health.heard_at, now)) "."
                }
            }
        }
    }
}
