//! Machines that someone else runs and that are away: waking them, and whether that was asked.

use maud::{Markup, html};

use super::WorkspacePage;
use crate::model::agent::{Agent, ConnectionStatus};
use crate::model::build::WorkspaceStatus;
use crate::model::verb::Verb;
use crate::server::html::parts::button::{button, post};
use crate::server::html::parts::notice::{Tone, notice};
use crate::server::html::parts::time;

impl WorkspacePage {
    /// Whether a machine of it is away, and was called.
    pub(super) fn is_waking(&self) -> bool {
        let agents = self.all_agents();
        let mut away = agents.iter().filter(|agent| self.is_away(agent));
        away.any(|agent| {
            self.whereabouts(agent).is_some_and(|w| w.waking(self.visit.now).is_some())
        })
    }

    /// The button that wakes its machine, where there is one machine.
    pub(super) fn wake_the_only_one(&self) -> Markup {
        match &*self.all_agents() {
            [only] => self.wake(only, "primary"),
            _ => html! {},
        }
    }

    /// What is done about an agent's machine that is away.
    pub(super) fn waking(&self, agent: &Agent, is_one_of_several: bool) -> Markup {
        let known = self.whereabouts(agent).filter(|_| self.is_away(agent));
        html! {
            @if let Some(known) = known {
                @if let Some(at) = known.woken_at {
                    (notice(Tone::Info, &html! {
                        p { b { "Woken " (time::ago(at, self.visit.now)) ". " } "It usually takes a minute or two until it is here." }
                        p class="note" {
                            "When it does not come: its card must be set to wake it by a magic packet, in its firmware and with "
                            code { "ethtool -s DEVICE wol g" } "."
                        }
                    }, &html! {}))
                }
                @if known.can_be_woken() {
                    @if is_one_of_several { (self.wake(agent, "")) }
                } @else if self.may(Verb::Operate) {
                    p class="note" {
                        "It cannot be woken from here: its agent told no network card of its own. One on Linux or macOS does when it connects."
                    }
                }
            }
        }
    }

    fn wake(&self, agent: &Agent, class: &str) -> Markup {
        let known = self.whereabouts(agent).filter(|known| known.can_be_woken());
        let Some(known) = known.filter(|_| self.is_away(agent) && self.may(Verb::Operate)) else {
            return html! {};
        };
        let (class, text) = match known.waking(self.visit.now) {
            Some(_) => ("", "Wake again"),
            None => (class, "Wake"),
        };
        let action = self.place().wake(&agent.spec.name);
        post(&self.visit.csrf, &action, &button(class, "power", text))
    }

    /// Whether someone else runs an agent's machine, and it was here and is not.
    fn is_away(&self, agent: &Agent) -> bool {
        let is_gone = agent.status(self.visit.now) == ConnectionStatus::Disconnected;
        agent.spec.external && is_gone && self.workspace.status() == WorkspaceStatus::Running
    }
}
