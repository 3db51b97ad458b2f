//! How to get in from one's own machine.

use maud::{Markup, html};

use super::{Door, WorkspacePage};
use crate::model::agent::Agent;
use crate::model::build::WorkspaceStatus;
use crate::model::verb::Verb;
use crate::server::html::parts::code::code;
use crate::server::html::paths;

impl WorkspacePage {
    pub(super) fn connect(&self) -> Markup {
        let shown = self.may(Verb::Connect) && self.workspace.status() != WorkspaceStatus::Deleted;
        let (login, name) = (self.login(), self.cli_name());
        let host = &self.door.host;
        let (port, scp_port) = match self.door.port {
            22 => (String::new(), String::new()),
            other => (format!(" -p {other}"), format!(" -P {other}")),
        };
        html! {
            @if shown {
                section class="card" aria-labelledby="connect" {
                    header { h2 id="connect" { "Connect" } }
                    div class="body stack tight" {
                        div class="field" {
                            span class="label" { "SSH, no client needed" }
                            (code("c-ssh", &format!("ssh{port} {login}@{host}")))
                            (self.key_hint())
                        }
                        div class="field" {
                            span class="label" { "Command line" }
                            (code("c-cli", &format!("steading ssh {name}")))
                        }
                        (self.ssh_config())
                        details {
                            summary { "Copy files, forward a port" }
                            div class="stack tight" {
                                (code("c-scp", &format!("scp{scp_port} notes.md {login}@{host}:")))
                                (code("c-fwd", &format!("ssh{port} -L 8080:localhost:8080 {login}@{host}")))
                                (code("c-login", &format!("steading login {}", self.door.access_url)))
                            }
                        }
                    }
                }
            }
        }
    }

    fn key_hint(&self) -> Markup {
        html! {
            span class="hint" {
                @match self.door.keys.as_slice() {
                    [] => { "You have no key on file. " a href=(paths::SSH_KEYS) { "Add one" } }
                    [key] => { "Your key " code { (key) } " is on file." }
                    [key, more @ ..] => { "Your key " code { (key) } " and " (more.len()) " more are on file." }
                }
            }
        }
    }

    /// The login name that leads here: short for one's own, with the agent where there are several.
    fn login(&self) -> String {
        match self.all_agents().as_slice() {
            [first, ..] => self.login_of(first),
            [] => self.login_name(),
        }
    }

    /// The same of one agent.
    pub(super) fn login_of(&self, agent: &Agent) -> String {
        let w = &self.workspace;
        match self.all_agents().len() {
            0 | 1 => self.login_name(),
            _ => format!("{}--{}.{}", w.owner.username, w.name, agent.spec.name),
        }
    }

    fn login_name(&self) -> String {
        let w = &self.workspace;
        let mine = w.owner.id == self.visit.user.id;
        if mine { w.name.to_string() } else { format!("{}--{}", w.owner.username, w.name) }
    }

    /// What makes every SSH client and editor know it by a name.
    fn ssh_config(&self) -> Markup {
        let Door { host, port, .. } = &self.door;
        let w = &self.workspace;
        // Another's may be called as one's own.
        let name = match w.owner.id == self.visit.user.id {
            true => w.name.to_string(),
            false => format!("{}--{}", w.owner.username, w.name),
        };
        let lines = format!(
            "Host {name}.coder\n  HostName {host}\n  Port {port}\n  User {}\n",
            self.login()
        );
        html! {
            details {
                summary { "SSH config, for any editor" }
                div class="stack tight" {
                    p class="note" { "Into " code { "~/.ssh/config" } ", for every program that uses OpenSSH:" }
                    (code("c-config", &lines))
                    p class="note" { "Or let the command line keep it, for all your workspaces:" }
                    (code("c-config-ssh", "steading config-ssh"))
                }
            }
        }
    }

    fn cli_name(&self) -> String {
        let w = &self.workspace;
        let mine = w.owner.id == self.visit.user.id;
        let name =
            if mine { w.name.to_string() } else { format!("{}/{}", w.owner.username, w.name) };
        match self.all_agents().as_slice() {
            [first, _, ..] => format!("{name}.{}", first.spec.name),
            _ => name,
        }
    }
}
