//! The list of recordings, and of the commands that were run in them.

use std::time::Duration;

use maud::{Markup, Render, html};

use super::transfers::{moved, what};
use crate::model::recording::transfers::Transfer;
use crate::model::recording::{RanCommand, Recording, RecordingKind, RecordingStatus};
use crate::model::time::words;
use crate::server::html::layout::{Page, Section, Visit};
use crate::server::html::parts::badge::{Look, badge};
use crate::server::html::parts::icon::icon;
use crate::server::html::parts::notice::empty;
use crate::server::html::parts::table::{Column, Table, bare, cell, row, spare};
use crate::server::html::parts::{avatar, time};
use crate::server::html::paths;

/// What was typed to narrow the list.
#[derive(Clone, Debug, Default)]
pub struct Typed {
    /// A text in a command.
    pub search: String,
    /// A person.
    pub user: String,
    /// A workspace.
    pub workspace: String,
    /// From this day on.
    pub from: String,
    /// Before this day.
    pub until: String,
}

/// What is listed.
#[derive(Clone, Debug)]
pub enum Listed {
    /// Recordings.
    Recordings(Vec<Recording>),
    /// Commands.
    Commands(Vec<RanCommand>),
    /// What passed beside recordings.
    Transfers(Vec<Transfer>),
}

/// Which list it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    /// Of recordings.
    Recordings,
    /// Of commands.
    Commands,
    /// Of what passed beside them.
    Transfers,
}

impl List {
    const fn path(self) -> &'static str {
        match self {
            Self::Recordings => paths::RECORDINGS,
            Self::Commands => paths::COMMANDS,
            Self::Transfers => paths::TRANSFERS,
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Recordings => "Recordings",
            Self::Commands => "Commands",
            Self::Transfers => "Files and ports",
        }
    }
}

/// The page of recordings, of commands, or of what passed beside them.
pub struct Recordings {
    /// Who looks.
    pub visit: Visit,
    /// What narrows the list.
    pub typed: Typed,
    /// What was found, or why the search cannot be read.
    pub found: Result<Listed, String>,
    /// Which list it is.
    pub list: List,
    /// Entries before this page.
    pub offset: u32,
    /// Entries on a page at most.
    pub size: u32,
    /// Whether there are more.
    pub has_next: bool,
    /// Whether every session is recorded now.
    pub is_on: bool,
}

/// How long something took, in milliseconds.
#[must_use]
pub fn length(ms: i64) -> String {
    let ms = u64::try_from(ms).unwrap_or_default();
    if ms < 1000 { format!("{ms} ms") } else { words(Duration::from_millis(ms)) }
}

/// What is recorded, in a word.
#[must_use]
pub const fn kind(kind: RecordingKind) -> &'static str {
    match kind {
        RecordingKind::Terminal => "Terminal page",
        RecordingKind::Shell => "SSH shell",
        RecordingKind::Command => "SSH command",
    }
}

/// How a recording stands.
#[must_use]
pub fn status(recording: &Recording) -> Markup {
    match recording.status {
        RecordingStatus::Running => badge(Look::Running, "Recording"),
        RecordingStatus::Complete if recording.extent.lost_bytes > 0 => badge(Look::Warn, "Gaps"),
        RecordingStatus::Complete => badge(Look::Fine, "Complete"),
        RecordingStatus::Interrupted => badge(Look::Warn, "Interrupted"),
    }
}

/// What a command ended with.
#[must_use]
pub fn exit(command: &RanCommand) -> Markup {
    match (command.exit_code, command.length_ms) {
        (Some(0), _) => html! { small { span class="vh" { "exit " } "0" } },
        (Some(code), _) => badge(Look::Failed, &format!("exit {code}")),
        (None, Some(_)) => html! { small { "ended" } },
        (None, None) => html! { small { "no end seen" } },
    }
}

impl Render for Recordings {
    fn render(&self) -> Markup {
        let title = self.list.title();
        let body = html! {
            header class="page-head" { div {
                h1 { (title) }
                p {
                    @match self.list {
                        List::Commands => "What was run in recorded shells, as the shells said it. A program can forge that; the recording beside it stands.",
                        List::Transfers => "What passed recorded sessions and is in no recording: files by SFTP, forwarded ports, and editors that come by them. Names and sizes are kept, not the contents.",
                        List::Recordings if self.is_on => "Terminals and SSH sessions are recorded on the server. Each look into one is in the audit log.",
                        List::Recordings => "Sessions are not recorded now. What was recorded before is kept for its time.",
                    }
                }
            } }
            nav class="tabs" aria-label="Sections of recordings" {
                @for list in [List::Recordings, List::Commands, List::Transfers] {
                    a href=(self.address(list.path(), 0)) aria-current=[(self.list == list).then_some("page")] { (list.title()) }
                }
            }
            (self.filters())
            (self.list())
        };
        Page { title, visit: &self.visit, section: Section::Recordings, live: None, body }.render()
    }
}

impl Recordings {
    fn path(&self) -> &'static str {
        self.list.path()
    }

    fn filters(&self) -> Markup {
        let (path, typed) = (self.path(), &self.typed);
        html! {
            form class="filters" role="search" aria-label="Filter" action=(path) method="get"
                hx-get=(path) hx-trigger="input delay:300ms, change" hx-target="#found" hx-swap="outerMorph" hx-push-url="true" {
                label class="find" {
                    (icon("search"))
                    span class="vh" { @if self.list == List::Transfers { "Search names" } @else { "Search commands" } }
                    input type="search" name="search" value=(typed.search) class="mono" autocomplete="off" autocapitalize="off" spellcheck="false" placeholder=(if self.list == List::Transfers { "ledger.db" } else { "kubectl delete" });
                }
                div class="quick" {
                    input type="text" name="user" value=(typed.user) aria-label="Who" placeholder="Who" autocomplete="off" autocapitalize="off" spellcheck="false";
                    input type="text" name="workspace" value=(typed.workspace) aria-label="Workspace" placeholder="owner/workspace" autocomplete="off" autocapitalize="off" spellcheck="false";
                    label { span { "From" } input type="date" name="from" value=(typed.from) title="A day in UTC"; }
                    label { span { "before" } input type="date" name="until" value=(typed.until) title="A day in UTC"; }
                    noscript { button class="button" { "Filter" } }
                }
            }
        }
    }

    /// The part that the filter changes.
    #[must_use]
    pub fn list(&self) -> Markup {
        html! {
            div id="found" class="stack" {
                @match &self.found {
                    Err(why) => {
                        div class="notice" data-state="failed" role="alert" {
                            (icon("warn"))
                            div { p { b { "The search cannot be read. " } (why) } a href=(self.path()) { "Show all" } }
                        }
                    }
                    Ok(listed) => {
                        section class="card" aria-labelledby="list" {
                            header { h2 id="list" { @if self.list == List::Recordings { "Sessions, newest first" } @else { "Newest first" } } }
                            @match listed {
                                Listed::Recordings(all) if !all.is_empty() => (self.recordings(all)),
                                Listed::Commands(all) if !all.is_empty() => (self.commands(all)),
                                Listed::Transfers(all) if !all.is_empty() => (self.transfers(all)),
                                Listed::Recordings(_) => (self.nothing("No recording is found.")),
                                Listed::Commands(_) => (self.nothing("No command is found.")),
                                Listed::Transfers(_) => (self.nothing("Nothing that passed is found.")),
                            }
                            (self.pages(listed))
                        }
                    }
                }
            }
        }
    }

    fn nothing(&self, text: &str) -> Markup {
        let typed = &self.typed;
        let is_narrowed = [&typed.search, &typed.user, &typed.workspace, &typed.from, &typed.until]
            .iter()
            .any(|text| !text.is_empty());
        let all = html! { @if is_narrowed { a class="button" href=(self.path()) { "Show all" } } };
        empty("recordings", &html! { (text) }, &all)
    }

    fn recordings(&self, all: &[Recording]) -> Markup {
        let columns = [
            Column::Head("When"),
            Column::Head("Who"),
            Column::Head("Where"),
            Column::Head("What"),
            Column::Spare("Length"),
            Column::Head("State"),
        ];
        let rows = html! { @for one in all { (self.recording(one)) } };
        html! { (Table { caption: "Recordings, newest first", class: "", columns: &columns, rows }) }
    }

    fn recording(&self, one: &Recording) -> Markup {
        let n = one.extent.n_commands;
        row(
            &format!("r-{}", one.id),
            &html! { a class="name" href=(paths::recording(one.id)) { (time::at(one.began_at, self.visit.now)) } },
            &[
                cell("", &avatar::who(&one.user, "")),
                bare(
                    "Where",
                    &html! { (one.owner.username) "/" (one.workspace_name) small { " " (one.agent_name) } },
                ),
                bare(
                    "What",
                    &html! {
                        @if one.command.is_empty() { (kind(one.kind)) small { " " (n) @if n == 1 { " command" } @else { " commands" } } }
                        @else { code { (short(&one.command)) } }
                    },
                ),
                spare("Length", &html! { (length(one.extent.length_ms)) }),
                cell("", &status(one)),
            ],
        )
    }

    fn commands(&self, all: &[RanCommand]) -> Markup {
        let columns = [
            Column::Head("When"),
            Column::Head("Who"),
            Column::Head("Command"),
            Column::Head("Ended"),
            Column::Spare("Where"),
        ];
        let rows = html! { @for one in all { (self.command(one)) } };
        html! { (Table { caption: "Commands, newest first", class: "", columns: &columns, rows }) }
    }

    fn command(&self, one: &RanCommand) -> Markup {
        let at = paths::recording_at(one.recording, one.at_ms);
        row(
            &format!("c-{}-{}", one.recording, one.number),
            &html! { a href=(at) { (time::at(one.began_at, self.visit.now)) } },
            &[
                cell("", &avatar::who(&one.user, "")),
                bare("Command", &command_text(one)),
                cell(
                    "Ended",
                    &html! { (exit(one)) @if let Some(ms) = one.length_ms { small { " " (length(ms)) } } },
                ),
                spare(
                    "Where",
                    &html! { (one.owner.username) "/" (one.workspace_name) @if !one.directory.is_empty() { " " small { (one.directory) } } },
                ),
            ],
        )
    }

    fn transfers(&self, all: &[Transfer]) -> Markup {
        let columns = [
            Column::Head("When"),
            Column::Head("Who"),
            Column::Head("What"),
            Column::Head("How much"),
            Column::Spare("Where"),
        ];
        let rows = html! { @for one in all { (self.transfer(one)) } };
        html! { (Table { caption: "What passed, newest first", class: "", columns: &columns, rows }) }
    }

    fn transfer(&self, one: &Transfer) -> Markup {
        row(
            &format!("t-{}-{}", one.session, one.row.number),
            &time::at(one.row.began_at, self.visit.now),
            &[
                cell("", &avatar::who(&one.user, "")),
                bare("What", &what(one)),
                cell("How much", &moved(one)),
                spare("Where", &html! { (one.owner.username) "/" (one.workspace_name) }),
            ],
        )
    }

    fn pages(&self, listed: &Listed) -> Markup {
        let n = match listed {
            Listed::Recordings(all) => all.len(),
            Listed::Commands(all) => all.len(),
            Listed::Transfers(all) => all.len(),
        };
        let last = self.offset.saturating_add(u32::try_from(n).unwrap_or_default());
        html! {
            @if n > 0 && (self.offset > 0 || self.has_next) {
                footer { nav class="pages" aria-label="Pages" {
                    span { (self.offset + 1) " to " (last) }
                    @if self.offset > 0 { a class="button small" rel="prev" href=(self.address(self.path(), self.offset.saturating_sub(self.size))) { "Newer" } }
                    @if self.has_next { a class="button small" rel="next" href=(self.address(self.path(), last)) { "Older" } }
                } }
            }
        }
    }

    /// A list with the same search, from another entry on.
    fn address(&self, path: &str, offset: u32) -> String {
        let offset = if offset == 0 { String::new() } else { offset.to_string() };
        let typed = &self.typed;
        let fields = [
            ("search", &typed.search),
            ("user", &typed.user),
            ("workspace", &typed.workspace),
            ("from", &typed.from),
            ("until", &typed.until),
            ("offset", &offset),
        ];
        let kept: Vec<_> = fields.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        match serde_urlencoded::to_string(kept) {
            Ok(query) if !query.is_empty() => format!("{path}?{query}"),
            Ok(_) | Err(_) => path.to_owned(),
        }
    }
}

/// What was run, as far as the shell said it.
#[must_use]
pub fn command_text(one: &RanCommand) -> Markup {
    html! {
        @if one.text.is_empty() { small { "The shell did not say what." } }
        @else { code { (short(&one.text)) } }
    }
}

/// The beginning of a text: what is longer stands in the recording.
fn short(text: &str) -> String {
    const MOST: usize = 300;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{} …", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
