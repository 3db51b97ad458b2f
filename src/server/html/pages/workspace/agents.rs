//! Agents and their apps: what opens from here.

use maud::{Markup, html};

use super::WorkspacePage;
use crate::model::agent::{Agent, App, ConnectionStatus};
use crate::model::app::{AppHealth, AppOpenIn};
use crate::model::build::{JobStatus, Transition, WorkspaceStatus};
use crate::model::editor::Editor;
use crate::model::verb::Verb;
use crate::server::html::parts::button::{labelled, link};
use crate::server::html::parts::icon::{icon, like};
use crate::server::html::parts::{badge, log};
use crate::server::html::paths;

impl WorkspacePage {
    /// A card for each agent.
    #[must_use]
    pub fn agents(&self) -> Markup {
        let agents = self.all_agents();
        html! {
            div id="agents" class="stack" {
                @if agents.is_empty() { (self.no_agents()) }
                @for agent in agents { (self.agent(agent)) }
            }
        }
    }

    fn no_agents(&self) -> Markup {
        let build = &self.workspace.latest_build;
        let text = match (self.workspace.status(), build.transition, build.job.status) {
            (WorkspaceStatus::Deleted, _, _) => {
                "This workspace is gone. Its builds and its log stay."
            }
            (_, Transition::Start, JobStatus::Succeeded) => {
                "The template declares no agent, so there is no way in."
            }
            (_, Transition::Start, JobStatus::Pending | JobStatus::Running) => {
                "Its apps will be here when the build is done."
            }
            (_, Transition::Stop, JobStatus::Succeeded) => {
                "It rests. Start it to get in; an SSH connection starts it too."
            }
            _ => "There is nothing to open now.",
        };
        html! {
            section class="card" aria-labelledby="open" {
                header { h2 id="open" { "Open" } }
                p class="body note" { (text) }
            }
        }
    }

    fn agent(&self, agent: &Agent) -> Markup {
        let spec = &agent.spec;
        let heading = format!("agent-{}", agent.id);
        let several = self.all_agents().len() > 1;
        let status = agent.status(self.visit.now);
        html! {
            section class="card" aria-labelledby=(heading) {
                header {
                    h2 id=(heading) { "Open" @if several { " in " (spec.name) } }
                    span class="note" { @if !several { "agent " (spec.name) " · " } (system(&spec.os)) " " (spec.arch) }
                    (badge::agent(status, agent.lifecycle))
                }
                div class="body stack tight" {
                    (self.trouble(agent, status))
                    (self.apps(agent, status))
                    (self.script_log(agent))
                }
            }
        }
    }

    fn trouble(&self, agent: &Agent, status: ConnectionStatus) -> Markup {
        let spec = &agent.spec;
        let away = spec.external && status != ConnectionStatus::Connected;
        let lost = matches!(status, ConnectionStatus::Timeout | ConnectionStatus::Disconnected);
        html! {
            @if away {
                p class="note" {
                    "Someone else runs this machine: it is neither started nor stopped here. "
                    @if !self.may_attach() { "Who looks after the workspace attaches it." }
                }
                @if self.may_attach() { p { (link("primary", &self.place().attach(), &labelled("board", "Attach the machine"))) } }
            }
            @if lost && safe_url(&spec.troubleshooting_url) {
                p { a href=(spec.troubleshooting_url) rel="noreferrer" { "What to do when this agent is not there" } }
            }
        }
    }

    fn apps(&self, agent: &Agent, status: ConnectionStatus) -> Markup {
        let there = status == ConnectionStatus::Connected
            && self.workspace.status() == WorkspaceStatus::Running
            && self.may(Verb::Connect);
        let shown = &agent.spec.display_apps;
        let mut apps: Vec<&App> = agent.apps.iter().filter(|a| !a.spec.hidden).collect();
        apps.sort_by_key(|a| (a.spec.order, a.spec.display_name.clone()));
        let terminal = self.place().agent_terminal(&agent.spec.name);
        html! {
            ul class="apps" {
                @if shown.web_terminal { (tile(there.then_some(terminal.as_str()), "terminal", "Terminal", "in the browser")) }
                @if shown.vscode { (self.editor(agent, Editor::Vscode, there)) }
                @if shown.vscode_insiders { (self.editor(agent, Editor::VscodeInsiders, there)) }
                @for app in apps { (self.app(agent, app, there)) }
            }
            details {
                summary { "Other editors" }
                ul class="apps" { @for editor in Editor::OTHERS { (self.editor(agent, editor, there)) } }
            }
        }
    }

    /// An editor on one's own machine: handed a token, or led to the SSH door.
    fn editor(&self, agent: &Agent, editor: Editor, there: bool) -> Markup {
        let (picture, label) = (like(editor.as_str(), "code"), editor.label());
        if !there {
            return tile(None, picture, label, "on your machine");
        }
        if !editor.takes_token() {
            return tile(Some(&self.by_ssh(agent, editor)), picture, label, "by SSH");
        }
        html! {
            li {
                form method="post" action=(self.place().open()) {
                    (self.visit.csrf)
                    input type="hidden" name="agent" value=(agent.spec.name);
                    button name="in" value=(editor.as_str()) { (icon(picture)) span { (label) small { "on your machine" } } }
                }
            }
        }
    }

    /// The SSH door and a directory behind it, as Zed's links have it.
    fn by_ssh(&self, agent: &Agent, editor: Editor) -> String {
        let (login, door) = (self.login_of(agent), &self.door);
        let host =
            if door.host.contains(':') { format!("[{}]", door.host) } else { door.host.clone() };
        let folder = agent.expanded_directory.split('/').map(paths::segment).collect::<Vec<_>>();
        format!("{}://ssh/{login}@{host}:{}{}", editor.as_str(), door.port, folder.join("/"))
    }

    fn app(&self, agent: &Agent, app: &App, there: bool) -> Markup {
        let spec = &app.spec;
        let label = if spec.display_name.is_empty() { &spec.slug } else { &spec.display_name };
        let picture = like(&spec.icon, "browser");
        let well = !matches!(app.health, AppHealth::Initializing);
        if !spec.command.is_empty() {
            let href =
                format!("{}?app={}", self.place().agent_terminal(&agent.spec.name), spec.slug);
            return tile(
                (there && well).then_some(href.as_str()),
                picture,
                label,
                badge::app_health(app.health).unwrap_or("in a terminal"),
            );
        }
        if spec.external {
            let href = Some(spec.url.as_str()).filter(|u| safe_url(u) && self.may(Verb::Connect));
            return outside(href, picture, label, spec.open_in);
        }
        let port = port_of(&spec.url)
            .map_or_else(|| "inside the workspace".to_owned(), |p| format!("port {p} inside"));
        tile(None, picture, label, badge::app_health(app.health).unwrap_or(&port))
    }

    fn script_log(&self, agent: &Agent) -> Markup {
        let lines = self.agent_logs.get(&agent.id).map(Vec::as_slice).unwrap_or_default();
        let head = format!("scripts-{}", agent.id);
        let last = lines.last().map(|l| l.output.as_str()).unwrap_or_default();
        html! {
            @if !lines.is_empty() {
                details {
                    summary id=(head) { "What its scripts said" @if !last.is_empty() { " " small class="note" { (last) } } }
                    (log::view(&format!("lines-{}", agent.id), &head, &log::agent_lines(lines)))
                }
            }
        }
    }
}

fn tile(href: Option<&str>, picture: &str, label: &str, note: &str) -> Markup {
    html! {
        li {
            @match href {
                Some(href) => a href=(href) { (icon(picture)) span { (label) small { (note) } } },
                None => a aria-disabled="true" role="link" { (icon(picture)) span { (label) small { (note) } } },
            }
        }
    }
}

fn outside(href: Option<&str>, picture: &str, label: &str, open_in: AppOpenIn) -> Markup {
    let target = match open_in {
        AppOpenIn::Tab | AppOpenIn::SlimWindow => "_blank",
    };
    html! {
        @match href {
            Some(href) => li { a href=(href) target=(target) rel="noreferrer" { (icon(picture)) span { (label) small { "elsewhere" } } } },
            None => (tile(None, picture, label, "elsewhere")),
        }
    }
}

/// An address that a template may link to: nothing that would run in our page.
fn safe_url(url: &str) -> bool {
    let Some((scheme, _)) = url.split_once(':') else { return false };
    let scheme = scheme.to_ascii_lowercase();
    let plain = scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '.' | '-'));
    plain && !matches!(scheme.as_str(), "" | "javascript" | "data" | "vbscript" | "blob" | "file")
}

fn port_of(url: &str) -> Option<u16> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next()?;
    authority.rsplit_once(':')?.1.parse().ok()
}

fn system(os: &str) -> &str {
    match os {
        "linux" => "Linux",
        "darwin" => "macOS",
        "windows" => "Windows",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_cannot_link_into_our_page() {
        assert!(safe_url("https://a.test"));
        assert!(safe_url("jetbrains-gateway://connect#x"));
        assert!(!safe_url("JavaScript:alert(1)"));
        assert!(!safe_url("data:text/html,x"));
        assert!(!safe_url("/relative"));
        assert_eq!(port_of("http://localhost:13337/?folder=x"), Some(13337));
        assert_eq!(port_of("http://localhost"), None);
    }
}
