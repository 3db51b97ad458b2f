//! What can be done with a workspace: only what the one who looks may do now.

use maud::{Markup, html};

use super::WorkspacePage;
use crate::model::agent::ConnectionStatus;
use crate::model::build::{Transition, WorkspaceStatus};
use crate::model::verb::Verb;
use crate::server::html::parts::button::{button, labelled, link, opens, post};
use crate::server::html::parts::dialog::{Dialog, type_the_name};
use crate::server::html::parts::icon::icon;

impl WorkspacePage {
    /// The buttons beside the name. The menu's is the last and has an id: what comes and goes
    /// before it moves neither it nor its open menu.
    #[must_use]
    pub fn actions(&self) -> Markup {
        html! {
            div class="actions" id="actions" {
                (self.terminal())
                @if self.may(Verb::Operate) { (self.deed()) }
                @if self.has_menu() {
                    button class="button square" id="more-actions" type="button" popovertarget="more" aria-label="More actions" { (icon("down")) }
                }
            }
        }
    }

    fn deed(&self) -> Markup {
        let place = self.place();
        let build = &self.workspace.latest_build;
        let send = |class: &str, action: &str, name: &str, text: &str| {
            post(&self.visit.csrf, action, &button(class, name, text))
        };
        match self.workspace.status() {
            // Someone else runs the machine.
            WorkspaceStatus::Running if build.has_external_agent => self.wake_the_only_one(),
            WorkspaceStatus::Running => send("", &place.stop(), "stop", "Stop"),
            WorkspaceStatus::Stopped => send("primary", &place.start(), "play", "Start"),
            WorkspaceStatus::Failed | WorkspaceStatus::Canceled => match build.transition {
                Transition::Start => html! {
                    @if !build.has_external_agent { (send("", &place.stop(), "stop", "Stop")) }
                    (send("primary", &place.start(), "play", "Start again"))
                },
                Transition::Stop => html! {
                    (send("", &place.start(), "play", "Start"))
                    (send("primary", &place.stop(), "stop", "Stop again"))
                },
                Transition::Delete => html! {},
            },
            WorkspaceStatus::Pending
            | WorkspaceStatus::Starting
            | WorkspaceStatus::Stopping
            | WorkspaceStatus::Deleting => send("", &place.cancel(build), "x", "Cancel"),
            WorkspaceStatus::Canceling => html! {
                button class="button" type="button" disabled aria-busy="true" { (icon("restart")) "Cancelling" }
            },
            WorkspaceStatus::Deleted => html! {},
        }
    }

    fn terminal(&self) -> Markup {
        let now = self.visit.now;
        let there = self.all_agents().into_iter().any(|a| {
            a.spec.display_apps.web_terminal && a.status(now) == ConnectionStatus::Connected
        });
        html! {
            @if there && self.may(Verb::Connect) && self.workspace.status() == WorkspaceStatus::Running {
                (link("primary", &self.place().terminal(), &labelled("terminal", "Terminal")))
            }
        }
    }

    fn has_menu(&self) -> bool {
        self.workspace.status() != WorkspaceStatus::Deleted
    }

    /// First in one's lists, or in its place.
    fn favorite(&self) -> Markup {
        let (value, text) = match self.is_favorite {
            true => ("no", "Not a favorite"),
            false => ("yes", "Favorite"),
        };
        let button = html! { button name="is" value=(value) { (icon("star")) (text) } };
        post(&self.visit.csrf, &self.place().favorite(), &button)
    }

    /// The menu stands outside of what the stream replaces, so that it stays open.
    pub(super) fn menu(&self) -> Markup {
        let place = self.place();
        html! {
            @if self.has_menu() {
                div class="menu" id="more" popover {
                    (self.favorite())
                    @if self.may(Verb::Operate) && !self.is_external() {
                        (post(&self.visit.csrf, &place.restart(), &html! { button { (icon("restart")) "Restart" } }))
                    }
                    @if self.may(Verb::Manage) {
                        @if self.is_external() && self.may_attach() { a href=(place.attach()) { (icon("board")) "Attach the machine" } }
                        a href={ (place.settings()) "#parameters" } { (icon("edit")) "Parameters" }
                        a href={ (place.settings()) "#schedule" } { (icon("calendar")) "Schedule" }
                        a href=(place.settings()) { (icon("gear")) "Rename and settings" }
                    }
                    @if self.may(Verb::Delete) {
                        hr;
                        button type="button" class="danger" popovertarget="delete" { (icon("trash")) "Delete" }
                    }
                }
            }
        }
    }

    pub(super) fn delete_dialog(&self) -> Markup {
        let name = self.workspace.name.as_str();
        let people: Vec<&str> = {
            let mut names: Vec<&str> =
                self.sessions_now().map(|s| s.user.username.as_str()).collect();
            names.sort_unstable();
            names.dedup();
            names
        };
        let resources: Vec<String> = self
            .workspace
            .latest_build
            .resources
            .iter()
            .filter(|r| !r.hide)
            .map(|r| format!("{} {}", r.kind, r.name))
            .collect();
        let body = html! {
            p {
                @if self.is_external() {
                    "Takes its agent’s token at once: the machine is cut off, and stays as it is. Nothing on it is removed; "
                    code { "steading agent uninstall" } " there removes the agent’s service. "
                } @else {
                    "Removes everything that the template made, volumes too"
                    @if !resources.is_empty() { ": " (resources.join(", ")) }
                    ". "
                }
                @match people.as_slice() {
                    [] => {}
                    [one] => { (one) " is in it and will be cut off. " }
                    many => { (many.join(", ")) " are in it and will be cut off. " }
                }
                "The log stays. There is no way back."
            }
            (type_the_name("d-name", name))
        };
        let title = format!("Delete {name}");
        html! {
            @if self.may(Verb::Delete) && self.workspace.status() != WorkspaceStatus::Deleted {
                (Dialog {
                    id: "delete",
                    title: &title,
                    action: &self.place().delete(),
                    body,
                    class: "danger primary",
                    deed: &title,
                    back: "Keep it",
                }.draw(&self.visit.csrf))
            }
        }
    }

    /// A way to delete what could not be deleted.
    pub(super) fn delete_again(&self) -> Markup {
        let failed =
            matches!(self.workspace.status(), WorkspaceStatus::Failed | WorkspaceStatus::Canceled)
                && self.workspace.latest_build.transition == Transition::Delete;
        html! {
            @if failed && self.may(Verb::Delete) { (opens("small danger", "delete", &html! { "Delete again" })) }
        }
    }
}
