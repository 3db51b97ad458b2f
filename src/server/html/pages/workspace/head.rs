//! The head of a workspace's page: name, status, summary, notices.

use maud::{Markup, html};

use super::WorkspacePage;
use crate::model::build::{JobStatus, Transition, WorkspaceStatus};
use crate::model::verb::Verb;
use crate::server::html::layout::crumbs;
use crate::server::html::pages::attach::clashed;
use crate::server::html::parts::break_glass::broken;
use crate::server::html::parts::button::{button, link, post};
use crate::server::html::parts::notice::{Tone, notice};
use crate::server::html::parts::{badge, time};
use crate::server::html::paths;

impl WorkspacePage {
    pub(super) fn head(&self) -> Markup {
        let w = &self.workspace;
        let owner = paths::workspaces_where(&format!("owner:{}", w.owner.username));
        html! {
            header class="page-head" {
                div {
                    (crumbs(&[("Workspaces", paths::WORKSPACES), (w.owner.username.as_str(), &owner)]))
                    h1 { (w.name) " " (self.status()) }
                    (self.summary())
                }
                (self.actions())
            }
        }
    }

    /// The status, spoken when it changes.
    #[must_use]
    pub fn status(&self) -> Markup {
        html! {
            span id="status" role="status" {
                @if self.is_external() && self.workspace.status() == WorkspaceStatus::Running {
                    @if self.is_waking() { (badge::badge(badge::Look::Starting, "Waking")) }
                    @else { (badge::workspace_now(&self.workspace, self.visit.now)) }
                } @else {
                    (badge::workspace_since(&self.workspace.latest_build, self.visit.now))
                }
            }
        }
    }

    /// What it is made of, in a line.
    #[must_use]
    pub fn summary(&self) -> Markup {
        let w = &self.workspace;
        let build = &w.latest_build;
        let now = self.visit.now;
        let label = if w.template_display_name.is_empty() {
            w.template_name.as_str()
        } else {
            &w.template_display_name
        };
        let few: Vec<String> = self
            .parameters
            .iter()
            .filter(|(_, value)| !value.is_empty() && value.len() <= 24 && !value.contains('\n'))
            .take(3)
            .map(|(name, value)| format!("{name} {value}"))
            .collect();
        html! {
            p id="summary" {
                a href=(paths::template_of(w)) { (label) } " "
                a href=(paths::version_of(w, &build.version_name)) { (build.version_name) }
                @for fact in &few { " · " (fact) }
                @if build.daily_cost > 0 { " · " (build.daily_cost) " credits a day" }
                @if let (WorkspaceStatus::Running, Some(stop)) = (w.status(), build.deadline) {
                    " · stops " (time::at(stop, now))
                }
            }
        }
    }

    pub(super) fn tabs(&self) -> Markup {
        let place = self.place();
        html! {
            nav class="tabs" aria-label={ "Sections of " (self.workspace.name) } {
                a href=(place.page()) aria-current="page" { "Overview" }
                a href="#log" { "Log" }
                a href="#sessions" { "Sessions" }
                a href=(place.builds()) { "Builds " span class="count muted" { (self.workspace.latest_build.number) } }
                @if self.may(Verb::Share) { a href=(place.sharing()) { "Sharing" } }
                @if self.may(Verb::Manage) { a href=(place.settings()) { "Settings" } }
            }
        }
    }

    /// What to know before doing anything.
    #[must_use]
    pub fn notices(&self) -> Markup {
        html! {
            div id="notices" class="stack tight" {
                (broken(&self.broken, self.visit.now))
                (self.shared())
                (self.failure())
                @for clash in &self.clashes { (clashed(clash, self.visit.now)) }
                (self.newer())
                (self.isolation())
            }
        }
    }

    fn failure(&self) -> Markup {
        let build = &self.workspace.latest_build;
        let said = match build.job.status {
            JobStatus::Failed => "failed",
            JobStatus::Canceled => "was cancelled",
            JobStatus::Pending
            | JobStatus::Running
            | JobStatus::Canceling
            | JobStatus::Succeeded => return html! {},
        };
        let tone = if build.job.status == JobStatus::Failed { Tone::Bad } else { Tone::Warn };
        let why = if build.job.error.is_empty() { "The log says why." } else { &build.job.error };
        notice(
            tone,
            &html! {
                p { b { "Build " (build.number) ", " (badge::deed(build.transition)) ", " (said) ". " } (why) }
                @if build.refused_cost.is_some() { p class="note" { a href=(self.place().build(build.number)) { "What uses the budget" } } }
                @else if build.job.status == JobStatus::Failed { p class="note" { (advice(build.transition)) } }
            },
            &html! { (link("small", "#log", &html! { "Log" })) (self.delete_again()) },
        )
    }

    fn newer(&self) -> Markup {
        let w = &self.workspace;
        let Some(newer) = &self.newer else { return html! {} };
        let label = if w.template_display_name.is_empty() {
            w.template_name.as_str()
        } else {
            &w.template_display_name
        };
        let idle = !w.latest_build.job.status.is_active() && w.status() != WorkspaceStatus::Deleted;
        let actions = html! {
            (link("small", &paths::version_of(w, &newer.name), &html! { "What changes" }))
            @if idle && self.may(Verb::Manage) {
                (post(&self.visit.csrf, &self.place().update(), &button("small", "update", &format!("Update to {}", newer.name))))
            }
        };
        notice(
            Tone::Info,
            &html! { b { (label) " " (newer.name) " is out. " } (newer.message) },
            &actions,
        )
    }

    /// A process on the server's machine may run as the server's own user.
    fn isolation(&self) -> Markup {
        let shared = self.workspace.latest_build.resources.iter().any(|r| {
            r.kind == "steading_process"
                && r.metadata.iter().any(|m| {
                    m.key == "isolated" && m.value.as_deref().is_some_and(|v| v.starts_with("no"))
                })
        });
        html! {
            @if shared {
                (notice(
                    Tone::Warn,
                    &html! { b { "Not isolated. " } "It runs as the server's own user on the server's machine and can read what the server can." },
                    &html! {},
                ))
            }
        }
    }
}

/// What to do about a build that failed.
#[must_use]
pub const fn advice(transition: Transition) -> &'static str {
    match transition {
        Transition::Start => {
            "Mend what the log names and start again: what was made so far is kept. Parameters can be changed in its settings; a fault of the template is for its author."
        }
        Transition::Stop => {
            "It may still run. Stop it again: what is stopped already is left alone."
        }
        Transition::Delete => {
            "Something may be left. Delete it again: what is gone already is passed over."
        }
    }
}
