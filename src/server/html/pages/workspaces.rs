//! The list of workspaces: one's own, then other people's.

use maud::{Markup, Render, html};

use crate::model::build::{Transition, WorkspaceStatus};
use crate::model::id::WorkspaceId;
use crate::model::time::Timestamp;
use crate::model::user::UserRef;
use crate::model::verb::Verb;
use crate::model::workspace::Workspace;
use crate::server::html::layout::{Csrf, Page, Section, Visit};
use crate::server::html::parts::button::{button, labelled, link, post};
use crate::server::html::parts::icon::icon;
use crate::server::html::parts::notice::empty;
use crate::server::html::parts::table::{Column, Table, bare, cell, deeds, row, void};
use crate::server::html::parts::{avatar, badge, time};
use crate::server::html::paths::{self, Place};

/// Whose workspaces are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Whose {
    /// All that one may see.
    #[default]
    Any,
    /// One's own.
    Mine,
    /// Other people's.
    Others,
}

impl Whose {
    /// The word in the address.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Mine => "me",
            Self::Others => "others",
        }
    }

    /// Reads the word; anything else is all.
    #[must_use]
    pub fn from_word(word: &str) -> Self {
        match word {
            "me" => Self::Mine,
            "others" => Self::Others,
            _ => Self::Any,
        }
    }
}

/// A workspace in the list.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The workspace.
    pub workspace: Workspace,
    /// Who is in it now.
    pub here: Vec<UserRef>,
    /// What the one who looks may do with it.
    pub may: Vec<Verb>,
    /// Its organization, where they see several; else empty.
    pub place: String,
    /// It is a favorite of theirs.
    pub is_favorite: bool,
}

/// The list.
pub struct Workspaces {
    /// Who looks.
    pub visit: Visit,
    /// What was typed into the filter.
    pub filter: String,
    /// Whose are listed.
    pub whose: Whose,
    /// One's own that fit the filter.
    pub mine: Vec<Entry>,
    /// Other people's that fit the filter.
    pub others: Vec<Entry>,
    /// Whether there is a template to make one from.
    pub templates: bool,
}

impl Render for Workspaces {
    fn render(&self) -> Markup {
        let body = html! {
            header class="page-head" {
                div { h1 { "Workspaces" } }
                div class="actions" {
                    @if self.templates { (link("primary", paths::TEMPLATES, &labelled("plus", "New workspace"))) }
                }
            }
            (self.filters())
            (self.list())
        };
        Page {
            title: "Workspaces",
            visit: &self.visit,
            section: Section::Workspaces,
            live: Some(paths::WORKSPACES_LIVE),
            body,
        }
        .render()
    }
}

impl Workspaces {
    fn filters(&self) -> Markup {
        html! {
            form class="filters" role="search" aria-label="Filter" action=(paths::WORKSPACES) method="get"
                hx-get=(paths::WORKSPACES) hx-trigger="input delay:250ms, change" hx-target="#list" hx-swap="outerMorph" hx-push-url="true" {
                label class="find" {
                    (icon("search"))
                    span class="vh" { "Filter workspaces" }
                    input type="search" name="q" value=(self.filter) autocomplete="off"
                        placeholder="name, or owner:grace  status:running  template:docker";
                }
                div class="segments" role="radiogroup" aria-label="Whose" {
                    @for (whose, text) in [(Whose::Any, "All"), (Whose::Mine, "Mine"), (Whose::Others, "Other people's")] {
                        label { input type="radio" name="whose" value=(whose.word()) checked[whose == self.whose]; (text) }
                    }
                }
                noscript { button class="button" { "Filter" } }
            }
        }
    }

    /// The part that the filter changes.
    #[must_use]
    pub fn list(&self) -> Markup {
        let nothing = self.mine.is_empty() && self.others.is_empty();
        html! {
            div id="list" class="stack" {
                @if nothing { (self.nothing()) }
                @if !self.mine.is_empty() {
                    (self.card("mine", "Mine", "Workspaces that you own", &self.mine))
                }
                @if !self.others.is_empty() {
                    (self.card("others", "Other people's", "Workspaces of others that you may see", &self.others))
                }
            }
        }
    }

    fn nothing(&self) -> Markup {
        let filtered = !self.filter.is_empty() || self.whose != Whose::Any;
        html! {
            section class="card" aria-label="Workspaces" {
                @if filtered {
                    (empty("search", &html! { "No workspace fits this filter." }, &link("", paths::WORKSPACES, &html! { "Show all" })))
                } @else if self.templates {
                    (empty(
                        "workspaces",
                        &html! { "Your workspaces will be here. Each is made from a template and is yours until you delete it." },
                        &link("primary", paths::TEMPLATES, &labelled("plus", "New workspace")),
                    ))
                } @else if self.visit.edits_templates() {
                    (empty(
                        "templates",
                        &html! { "Workspaces are made from templates, and there is none yet." },
                        &link("primary", paths::STARTER_TEMPLATES, &labelled("book", "Add a starter template")),
                    ))
                } @else {
                    (empty(
                        "templates",
                        &html! { "Workspaces are made from templates, and there is none that you may use. An owner or template admin adds one, or lets you use one." },
                        &html! {},
                    ))
                }
            }
        }
    }

    fn card(&self, id: &str, title: &str, caption: &str, entries: &[Entry]) -> Markup {
        let running =
            entries.iter().filter(|e| e.workspace.status() == WorkspaceStatus::Running).count();
        let columns = [
            Column::Head("Name"),
            Column::Head("Status"),
            Column::Head("Here now"),
            Column::Spare("Last used"),
            Column::Head("Next stop"),
            Column::Head("Open"),
            Column::Silent("Actions"),
        ];
        let rows = html! {
            @for entry in entries { (entry.row(&self.visit.me(), &self.visit.csrf, self.visit.now)) }
        };
        html! {
            section class="card" aria-labelledby=(id) {
                header { h2 id=(id) { (title) } span class="note" { (running) " of " (entries.len()) " running" } }
                (Table { caption, class: "workspaces", columns: &columns, rows })
            }
        }
    }
}

impl Entry {
    /// The row's id.
    #[must_use]
    pub fn row_id(&self) -> String {
        Self::row_id_of(self.workspace.id)
    }

    /// The id of a workspace's row.
    #[must_use]
    pub fn row_id_of(workspace: WorkspaceId) -> String {
        format!("ws-{workspace}")
    }

    /// Its row, in the page and in the live stream.
    #[must_use]
    pub fn row(&self, me: &UserRef, csrf: &Csrf, now: Timestamp) -> Markup {
        let w = &self.workspace;
        let place = Place::of(w);
        let template = if w.template_display_name.is_empty() {
            w.template_name.as_str()
        } else {
            &w.template_display_name
        };
        let head = html! {
            a class="name" href=(place.page()) {
                (w.name)
                @if self.is_favorite { " " span role="img" aria-label="favorite" title="Favorite" { (icon("star")) } }
            }
            small {
                @if w.owner.id != me.id { (w.owner.username) " · " }
                @if !self.place.is_empty() { (self.place) " · " }
                (template) " · " (w.latest_build.version_name)
                @if w.outdated() { " · update waits" }
            }
        };
        row(
            &self.row_id(),
            &head,
            &[
                cell("", &html! { (badge::workspace_now(w, now)) (badge::unwell(w, now)) }),
                self.presence(now),
                crate::server::html::parts::table::spare(
                    "Last used",
                    &time::ago(w.last_used_at, now),
                ),
                self.next_stop(now),
                self.open(&place),
                deeds(&self.deed(&place, csrf)),
            ],
        )
    }

    fn presence(&self, now: Timestamp) -> Markup {
        let build = &self.workspace.latest_build;
        if build.job.status.is_active() {
            let since = build.job.started_at.unwrap_or(build.job.created_at);
            let text = format!("build {}, {}", build.number, time::lasted(since, now));
            return cell("Now", &html! { span class="note" { (text) } });
        }
        if self.workspace.status() == WorkspaceStatus::Failed {
            let why = html! {
                a class="note bad" href=(Place::of(&self.workspace).build(build.number)) { (first_line(&build.job.error)) }
            };
            return cell("Now", &why);
        }
        if self.here.is_empty() {
            return void("Here now", "nobody");
        }
        let people =
            html! { span class="avatars" { @for user in &self.here { (avatar::here(user)) } } };
        cell("Here now", &people)
    }

    fn next_stop(&self, now: Timestamp) -> Markup {
        if self.workspace.latest_build.has_external_agent {
            return void("Next stop", "its owner’s to stop");
        }
        match (self.workspace.status(), self.workspace.latest_build.deadline) {
            (WorkspaceStatus::Running | WorkspaceStatus::Starting, Some(stop)) => {
                cell("Next stop", &html! { (time::at(stop, now)) " " (time::until(stop, now)) })
            }
            (WorkspaceStatus::Running | WorkspaceStatus::Starting, None) => {
                void("Next stop", "never")
            }
            (_, _) => void("Next stop", "does not run"),
        }
    }

    fn open(&self, place: &Place) -> Markup {
        let running = self.workspace.status() == WorkspaceStatus::Running;
        let agents = self.workspace.latest_build.resources.iter().flat_map(|r| &r.agents);
        let terminal = running
            && self.may.contains(&Verb::Connect)
            && agents.into_iter().any(|a| a.spec.display_apps.web_terminal);
        bare(
            "Open",
            &html! {
                @if terminal {
                    span class="dots" {
                        a href=(place.terminal()) aria-label={ "Terminal of " (self.workspace.name) } title="Terminal" { (icon("terminal")) }
                    }
                }
            },
        )
    }

    fn deed(&self, place: &Place, csrf: &Csrf) -> Markup {
        let build = &self.workspace.latest_build;
        if !self.may.contains(&Verb::Operate) {
            return html! {};
        }
        match self.workspace.status() {
            WorkspaceStatus::Running if build.has_external_agent => html! {},
            WorkspaceStatus::Running => post(csrf, &place.stop(), &button("small", "stop", "Stop")),
            WorkspaceStatus::Stopped | WorkspaceStatus::Canceled => {
                post(csrf, &place.start(), &button("small", "play", "Start"))
            }
            WorkspaceStatus::Failed if build.transition == Transition::Delete => html! {},
            WorkspaceStatus::Failed => {
                post(csrf, &place.start(), &button("small", "play", "Start again"))
            }
            WorkspaceStatus::Pending
            | WorkspaceStatus::Starting
            | WorkspaceStatus::Stopping
            | WorkspaceStatus::Deleting => {
                post(csrf, &place.cancel(build), &button("small", "x", "Cancel"))
            }
            WorkspaceStatus::Canceling | WorkspaceStatus::Deleted => html! {},
        }
    }
}

/// The first line of an error, short enough for a row.
fn first_line(text: &str) -> String {
    let line = text.lines().next().unwrap_or("see the log");
    let line = if line.is_empty() { "see the log" } else { line };
    match line.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line.to_owned(),
    }
}
