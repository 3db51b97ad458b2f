//! A recording: a player, the commands beside it, and what is known of it.

use maud::{Markup, Render, html};

use super::recordings::{command_text, exit, kind, length, status};
use super::transfers::{moved, what};
use crate::model::recording::transfers::Transfer;
use crate::model::recording::{RanCommand, Recording, RecordingReason, RecordingStatus};
use crate::server::html::assets;
use crate::server::html::layout::{Page, Section, Visit, crumbs};
use crate::server::html::parts::button::link;
use crate::server::html::parts::icon::icon;
use crate::server::html::parts::quantity::{bytes, grouped};
use crate::server::html::parts::{avatar, time};
use crate::server::html::paths;

/// The page of a recording.
pub struct RecordingPage {
    /// Who looks.
    pub visit: Visit,
    /// What is shown.
    pub recording: Recording,
    /// What was run in it, first things first.
    pub commands: Vec<RanCommand>,
    /// Whether there are more.
    pub is_more: bool,
    /// What its person moved meanwhile, beside the recording.
    pub transfers: Vec<Transfer>,
}

impl Render for RecordingPage {
    fn render(&self) -> Markup {
        let one = &self.recording;
        let title = format!("{} in {}", one.user.username, one.workspace_name);
        let place = format!("{}/{}", one.owner.username, one.workspace_name);
        let there = paths::recordings_in(&place);
        let steps = [("Recordings", paths::RECORDINGS), (place.as_str(), there.as_str())];
        let file = html! { (icon("download")) "asciicast" };
        let body = html! {
            header class="page-head" {
                div {
                    (crumbs(&steps))
                    h1 { (title) }
                    p { (kind(one.kind)) " · " (one.agent_name) " · " (time::at(one.began_at, self.visit.now)) " · " (length(one.extent.length_ms)) }
                }
                div class="actions" { (status(one)) (link("", &paths::cast(one.id), &file)) }
            }
            div class="split reading" {
                div class="stack" { (self.player()) (self.known()) (self.beside()) }
                (self.list())
            }
            script src=(assets::ASCIINEMA_PLAYER_JS) defer {}
            script src=(assets::RECORDING_JS) type="module" {}
        };
        let page = Page {
            title: &title,
            visit: &self.visit,
            section: Section::Recordings,
            live: None,
            body,
        };
        page.render()
    }
}

impl RecordingPage {
    fn player(&self) -> Markup {
        let one = &self.recording;
        let length_s =
            format!("{}.{:03}", one.extent.length_ms / 1000, one.extent.length_ms % 1000);
        html! {
            section class="card" aria-labelledby="replay" {
                link rel="stylesheet" href=(assets::ASCIINEMA_PLAYER_CSS);
                h2 id="replay" class="vh" { "Replay" }
                div id="player" class="player" data-cast=(paths::cast(one.id)) data-search=(paths::search(one.id)) data-length=(one.extent.length_ms) {
                    noscript { p { "The player needs script. The file can be played by " code { "asciinema play" } "." } }
                }
                div class="body stack tight" {
                    input id="place" type="range" min="0" max=(length_s) step="0.1" value="0" aria-label="Place in the recording";
                    div class="playing" {
                        button id="toggle" class="button square" type="button" aria-label="Play" { (icon("play")) (icon("pause")) }
                        span { span id="clock" { "0:00" } span class="note" { " of " (length(one.extent.length_ms)) } }
                        label class="end" { span class="vh" { "Speed" }
                            select id="speed" { @for (value, text) in [("0.5", "½×"), ("1", "1×"), ("2", "2×"), ("4", "4×"), ("16", "16×")] {
                                option value=(value) selected[value == "1"] { (text) }
                            } }
                        }
                        label class="check" { input id="idle" type="checkbox" checked; span { "Skip idle time" } }
                    }
                    form role="search" aria-label="Text of the recording" class="playing" {
                        label class="find grow" { (icon("search")) span class="vh" { "Find text from here on" } input id="find" type="search" placeholder="Find text from here on" autocomplete="off" spellcheck="false"; }
                        button class="button" { "Find" }
                    }
                    p id="said" class="note" role="status" {}
                }
            }
        }
    }

    /// What the recording holds, and what it does not.
    fn known(&self) -> Markup {
        let one = &self.recording;
        let lost = one.extent.lost_bytes;
        html! {
            section class="card" aria-labelledby="known" {
                header { h2 id="known" { "What is kept" } }
                ul class="rows" {
                    li { (avatar::who(&one.user, "")) span class="end note" { (one.owner.username) "/" (one.workspace_name) } }
                    li { span { "Output" } span class="end note" { (bytes(one.extent.bytes)) ", stored in " (bytes(one.extent.stored_bytes)) } }
                    @if lost > 0 { li { span { b { (grouped(lost)) " bytes were not recorded" } } span class="end note" { "the session was faster than its recorder" } } }
                    li { span { "Keys typed" } span class="end note" { @if one.has_input { "kept" } @else { "not kept, but as the terminal showed them" } } }
                    li { span { "Why" } span class="end note" { @match one.reason {
                        RecordingReason::Policy => "sessions are recorded here",
                        RecordingReason::Grant => "the grant demands it",
                    } } }
                    li { span { "Hash" @if one.status != RecordingStatus::Running { ", in the audit log too" } } code class="end hash" { (hex::encode(one.hash)) } }
                }
                footer class="note" {
                    @if one.status == RecordingStatus::Interrupted { "The server stopped during this session: what was written before is here. " }
                    "A recording shows what the terminal showed. VS Code and other editors, file transfers and forwarded ports are events and no pictures: they are listed below, with names and sizes."
                }
            }
        }
    }

    /// What passed besides, in any session of the same person.
    fn beside(&self) -> Markup {
        html! {
            section class="card" aria-labelledby="beside" {
                header { h2 id="beside" { "Files and ports meanwhile" } span class="note" { (grouped(i64::try_from(self.transfers.len()).unwrap_or(i64::MAX))) } }
                @if self.transfers.is_empty() { p class="body note" { "None in this workspace, by SFTP or by forwarding." } }
                @else { ul class="rows" {
                    @for one in &self.transfers {
                        li { span { (what(one)) } span class="end note" { (moved(one)) " · " (time::clock(one.row.began_at.0.saturating_mul(1000))) } }
                    }
                } }
                footer class="note" {
                    "Of all sessions that " (self.recording.user.username) " had here during the recording. "
                    a href=(self.transfers_of()) { "Show all" }
                }
            }
        }
    }

    fn transfers_of(&self) -> String {
        let one = &self.recording;
        let place = format!("{}/{}", one.owner.username, one.workspace_name);
        paths::transfers_of(one.user.username.as_str(), &place)
    }

    fn list(&self) -> Markup {
        let n = self.recording.extent.n_commands;
        let failed = self.commands.iter().filter(|c| c.exit_code.is_some_and(|code| code != 0));
        html! {
            section class="card" aria-labelledby="cmds" {
                header { h2 id="cmds" { "Commands" } span class="note" { (grouped(n)) " · " (failed.count()) " failed" } }
                @if self.commands.is_empty() { p class="body note" { "The shell said of none. bash, zsh and fish do." } }
                ol class="commands" id="commands" {
                    @for one in &self.commands {
                        li { a href=(paths::recording_at(one.recording, one.at_ms)) data-at=(one.at_ms) {
                            (time::clock(self.recording.began_at.0.saturating_mul(1000).saturating_add(one.at_ms)))
                            (command_text(one))
                            (exit(one))
                            @if !one.directory.is_empty() || one.length_ms.is_some() {
                                small { (one.directory) @if let Some(ms) = one.length_ms { " · " (length(ms)) } }
                            }
                        } }
                    }
                }
                footer class="note" {
                    @if self.is_more { "Only the first are listed here; the search has all. " }
                    "Commands come from the shell's own marks, which a program can forge. The recording itself stands."
                }
            }
        }
    }
}
