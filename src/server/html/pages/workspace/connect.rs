//! How to get in from one's own machine.

use maud::{Markup, html};

use super::WorkspacePage;
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
        let w = &self.workspace;
        let mine = w.owner.id == self.visit.user.id;
        let name =
            if mine { w.name.to_string() } else { format!("{}--{}", w.owner.username, w.name) };
        match self.all_agents().as_slice() {
            [first, _, ..] if mine => {
                format!("{}--{}.{}", w.owner.username, w.name, first.spec.name)
            }
            [first, _, ..] => format!("{name}.{}", first.spec.name),
            _ => name,
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
