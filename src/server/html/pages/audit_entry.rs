//! One entry of the audit log: what changed, how it came, and its place in the chain.

use maud::{Markup, Render, html};

use crate::model::audit::chain::GENESIS;
use crate::model::audit::shown::{Change, Neighbour, Shown, ShownEntry, changes};
use crate::model::browser;
use crate::model::user::{TokenEntry, TokenKind};
use crate::server::html::layout::{Page, Section, Visit, crumbs};
use crate::server::html::parts::badge::{Look, badge};
use crate::server::html::parts::button::link;
use crate::server::html::parts::quantity::grouped;
use crate::server::html::parts::{deed, time};
use crate::server::html::paths;

/// The page of an entry.
pub struct EntryPage {
    /// Who looks.
    pub visit: Visit,
    /// The entry, and what stands around it.
    pub entry: ShownEntry,
}

impl Render for EntryPage {
    fn render(&self) -> Markup {
        let shown = &self.entry.shown;
        let entry = &shown.row.entry;
        let result = shown.row.outcome.result();
        let words = deed::words(entry.action, entry.target, result);
        let title = format!("{}: {words}", deed::name(shown));
        let body = html! {
            header class="page-head" {
                div {
                    (crumbs(&[("Audit log", paths::AUDIT)]))
                    h1 { (capital(&words)) " " (deed::denied(result)) }
                    p {
                        "Entry " (grouped(shown.row.seq)) ": " b { (deed::name(shown)) } ", " (deed::thing(shown)) ", "
                        (time::at(shown.row.at, self.visit.now)) "."
                    }
                }
                div class="actions" { (self.neighbours()) }
            }
            div class="split reading" {
                div class="stack" { (changed(shown)) (self.chain()) }
                aside class="stack" aria-label="How it came" { (self.facts()) }
            }
        };
        let (visit, section) = (&self.visit, Section::Audit);
        Page { title: &title, visit, section, live: None, body }.render()
    }
}

impl EntryPage {
    /// The ways to the entries before and after on the same thing.
    fn neighbours(&self) -> Markup {
        let to = |entry: Option<Neighbour>, text: &str| {
            html! {
                @if let Some(entry) = entry {
                    (link("", &paths::audit_entry(entry.id), &html! { (text) span class="vh" { " on the same thing, entry " (entry.seq) } }))
                }
            }
        };
        html! { (to(self.entry.earlier, "Before on this")) (to(self.entry.later, "Next on this")) }
    }

    fn facts(&self) -> Markup {
        let (row, entry) = (&self.entry.shown.row, &self.entry.shown.row.entry);
        html! {
            section class="card" aria-labelledby="facts" {
                header { h2 id="facts" { "How it came" } }
                div class="body stack tight" {
                    dl class="kv" {
                        dt { "Who" } dd { (deed::who(&self.entry.shown)) }
                        dt { "When" } dd { code { (row.at.rfc3339()) } }
                        dt { "Result" } dd {
                            @if row.outcome.reason.is_empty() { "Done" } @else { (row.outcome.reason) }
                            " " span class="note" { (row.outcome.status) }
                        }
                        (self.origin())
                        dt { "Thing" } dd {
                            (deed::noun(entry.target)) " " (deed::thing(&self.entry.shown))
                            @if !entry.target_id.is_nil() { br; code { (entry.target_id) } }
                        }
                        @if let Some(place) = &self.entry.shown.organization { dt { "Organization" } dd { (place.name) } }
                        @if let Some(reason) = row.build_reason { dt { "Build" } dd { (reason) } }
                        dt { "Entry" } dd { code { (row.id) } }
                    }
                    (self.more())
                }
            }
        }
    }

    /// The address, the client, the token and the request.
    fn origin(&self) -> Markup {
        let source = &self.entry.shown.row.source;
        let client = browser::name(&source.user_agent);
        html! {
            @if !source.ip.is_empty() { dt { "From" } dd { code { (source.ip) } } }
            @if !source.user_agent.is_empty() {
                dt { "Client" } dd { @if !client.is_empty() { (client) br; } small { (source.user_agent) } }
            }
            @if let Some(id) = source.token_id {
                dt { "Through" } dd { (token(self.entry.shown.token.as_ref())) br; code { (id) } }
            }
            @if let Some(id) = source.agent_id { dt { "Agent" } dd { code { (id) } } }
            @if let Some(id) = source.request_id { dt { "Request" } dd { code { (id) } } }
        }
    }

    /// Searches that begin at this entry.
    fn more(&self) -> Markup {
        let (source, entry) = (&self.entry.shown.row.source, &self.entry.shown.row.entry);
        let find =
            |query: &str, text: &str| link("small", &paths::audit_where(query), &html! { (text) });
        html! {
            div class="actions" {
                @if !entry.target_id.is_nil() { (find(&format!("resource_id:{}", entry.target_id), "All on this")) }
                @if let Some(id) = source.request_id { (find(&format!("request_id:{id}"), "This request")) }
                @if let Some(id) = source.token_id { (find(&format!("token_id:{id}"), "This token")) }
                @if !source.ip.is_empty() { (find(&format!("ip:{}", source.ip), "This address")) }
                @if let Some(user) = &self.entry.shown.user { (find(&format!("username:{}", user.username), "All by them")) }
            }
        }
    }

    fn chain(&self) -> Markup {
        let (row, link) = (&self.entry.shown.row, &self.entry.link);
        html! {
            section class="card" aria-labelledby="chain" {
                header {
                    h2 id="chain" { "Chain" }
                    @if link.holds { (badge(Look::Fine, "Holds")) }
                    @else if link.previous.is_some() { (badge(Look::Failed, "Does not hold")) }
                    @else { (badge(Look::Warn, "Not known")) }
                }
                div class="body stack tight" {
                    dl class="kv" {
                        dt { "This" } dd { code { (hex::encode(row.hash)) } }
                        dt { "Before" } dd {
                            @match &link.previous {
                                Some(hash) if *hash == GENESIS => span class="note" { "none: this is the first entry" },
                                Some(hash) => code { (hex::encode(hash)) },
                                None => span class="note" { "not kept" },
                            }
                        }
                        dt { "Checkpoint" } dd { (self.checkpoint()) }
                    }
                    p class="note" {
                        @if link.holds { "The hash is that of what stands here and of the entry before. " }
                        @else if link.previous.is_some() { "The hash is not that of what stands here and of the entry before: one of them was changed. " }
                        @else { "The entry before is gone, so that this one cannot be compared. " }
                        code { "steading audit verify" } " follows the whole chain."
                    }
                }
            }
        }
    }

    fn checkpoint(&self) -> Markup {
        html! {
            @match &self.entry.link.checkpoint {
                Some(signed) => {
                    (grouped(signed.checkpoint.number)) ", signed " (time::at(signed.checkpoint.at, self.visit.now))
                    " for entries up to " (grouped(signed.checkpoint.head.seq))
                }
                None => span class="note" { "none yet: the log is signed every hour" },
            }
        }
    }
}

/// The fields that changed, as they were and as they are.
fn changed(shown: &Shown) -> Markup {
    let diff = shown.row.entry.diff.as_str();
    html! {
        section class="card" aria-labelledby="changed" {
            header { h2 id="changed" { "What changed" } }
            @match changes(diff) {
                Some(list) if list.is_empty() => p class="body note" { "No field of it." },
                Some(list) => (table(&list)),
                None => pre class="body" { (diff) },
            }
        }
    }
}

fn table(list: &[Change]) -> Markup {
    html! {
        div class="scroll" tabindex="0" role="region" aria-label="Fields that changed" {
            table class="diff" {
                caption class="vh" { "Fields that changed" }
                thead { tr { th scope="col" { "Field" } th scope="col" { "Before" } th scope="col" { "After" } } }
                tbody { @for change in list { tr { th scope="row" { (change.field) } (values(change)) } } }
            }
        }
    }
}

fn values(change: &Change) -> Markup {
    html! {
        @if change.is_secret {
            td colspan="2" class="note" { "changed; a secret is not kept" }
        } @else {
            td { @if change.old.is_empty() { span class="note" { "nothing" } } @else { del { (change.old) } } }
            td { @if change.new.is_empty() { span class="note" { "nothing" } } @else { ins { (change.new) } } }
        }
    }
}

/// What someone came with.
fn token(token: Option<&TokenEntry>) -> Markup {
    html! {
        @match token.map(|t| (t.kind, t.name.as_str())) {
            Some((TokenKind::Session, "")) => "a session",
            Some((TokenKind::Session, name)) => { "a session, " (name) },
            Some((TokenKind::Api, name)) => { "the token " b { (name) } },
            Some((TokenKind::Workspace, _)) => "a workspace’s token",
            None => span class="note" { "a session or token that has ended" },
        }
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |c| c.to_uppercase().chain(chars).collect())
}
