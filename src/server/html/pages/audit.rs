//! The audit log: a page of entries, what narrows them, and the searches that are kept.

use maud::{Markup, Render, html};

use crate::model::audit::quick::Quick;
use crate::model::audit::saved::{MAX_NAME, SavedFilter};
use crate::model::audit::shown::{Extent, Found, MAX_OFFSET, ON_A_PAGE, Shown};
use crate::model::audit::{AuditAction, AuditTarget};
use crate::server::html::layout::{Page, Section, Visit};
use crate::server::html::parts::button::{labelled, link, opens};
use crate::server::html::parts::dialog::Dialog;
use crate::server::html::parts::form::{Input, Line};
use crate::server::html::parts::icon::icon;
use crate::server::html::parts::notice::empty;
use crate::server::html::parts::quantity::grouped;
use crate::server::html::parts::table::{Column, Table, bare, cell, row, spare};
use crate::server::html::parts::{deed, time};
use crate::server::html::paths;

/// The page of the audit log.
pub struct Audit {
    /// Who looks.
    pub visit: Visit,
    /// What was typed into the search box.
    pub typed: String,
    /// What was chosen beside it.
    pub quick: Quick,
    /// How far the log goes.
    pub extent: Extent,
    /// One's own searches.
    pub own: Vec<SavedFilter>,
    /// Searches that others share.
    pub shared: Vec<SavedFilter>,
    /// What was found, or why the search cannot be read.
    pub found: Result<Found, String>,
}

impl Render for Audit {
    fn render(&self) -> Markup {
        let body = html! {
            header class="page-head" { div { h1 { "Audit log" } (self.extent()) } }
            (self.chips())
            (self.filters())
            (self.list())
        };
        Page { title: "Audit log", visit: &self.visit, section: Section::Audit, live: None, body }
            .render()
    }
}

impl Audit {
    fn extent(&self) -> Markup {
        let n = self.extent.n_entries;
        html! {
            p {
                (grouped(n)) @if n == 1 { " entry. " } @else { " entries. " }
                @match &self.extent.last {
                    Some(last) => {
                        "Signed up to entry " (grouped(last.checkpoint.head.seq)) ", "
                        (time::ago(last.checkpoint.at, self.visit.now)) ". "
                    }
                    None => "Nothing is signed yet: that happens every hour. ",
                }
                code { "steading audit verify" } " checks all of it."
            }
        }
    }

    /// The searches that are kept, one's own first.
    fn chips(&self) -> Markup {
        let here = self.query();
        let chip = |filter: &SavedFilter, note: &str| {
            html! {
                a href=(paths::audit_where(&filter.query)) title=(filter.query) aria-current=[(filter.query == here).then_some("true")] {
                    (filter.name) @if !note.is_empty() { " " small { (note) } }
                }
            }
        };
        html! {
            @if !self.own.is_empty() || !self.shared.is_empty() {
                nav class="chips" aria-label="Saved searches" {
                    @for filter in &self.own { (chip(filter, if filter.is_shared { "shared" } else { "" })) }
                    @for filter in &self.shared { (chip(filter, &format!("by {}", filter.owner.username))) }
                    (link("quiet small", paths::AUDIT_FILTERS, &html! { (icon("edit")) "Change" span class="vh" { " saved searches" } }))
                }
            }
        }
    }

    fn filters(&self) -> Markup {
        html! {
            form class="filters" role="search" aria-label="Filter" action=(paths::AUDIT) method="get"
                hx-get=(paths::AUDIT) hx-trigger="input delay:300ms, change" hx-target="#entries" hx-swap="outerMorph" hx-push-url="true" {
                label class="find" {
                    (icon("search"))
                    span class="vh" { "Search the log" }
                    input type="search" name="q" value=(self.typed) class="mono" autocomplete="off" autocapitalize="off" spellcheck="false"
                        placeholder="kiln  resource_type:workspace  username:me";
                }
                div class="quick" {
                    input type="text" name="who" value=(self.quick.who) aria-label="Who" placeholder="Who" autocomplete="off" autocapitalize="off" spellcheck="false";
                    (self.actions())
                    (self.targets())
                    label { span { "From" } input type="date" name="from" value=(self.quick.from) title="A day in UTC"; }
                    label { span { "to" } input type="date" name="to" value=(self.quick.to) title="A day in UTC"; }
                    label class="check" { input type="checkbox" name="denied" value="yes" checked[self.quick.is_denied]; span { "Denied only" } }
                    noscript { button class="button" { "Filter" } }
                }
            }
        }
    }

    fn actions(&self) -> Markup {
        html! {
            select name="action" aria-label="What was done" {
                option value="" { "Did anything" }
                @for action in AuditAction::ALL {
                    option value=(action) selected[self.quick.action == Some(*action)] { (deed::action_word(*action)) }
                }
            }
        }
    }

    fn targets(&self) -> Markup {
        html! {
            select name="kind" aria-label="To what" {
                option value="" { "To anything" }
                @for target in AuditTarget::ALL {
                    option value=(target) selected[self.quick.target == Some(*target)] { (deed::noun(*target)) }
                }
            }
        }
    }

    /// Everything that was asked for, as one search.
    fn query(&self) -> String {
        self.quick.and(&self.typed)
    }

    /// The part that the filter changes.
    #[must_use]
    pub fn list(&self) -> Markup {
        html! {
            div id="entries" class="stack" {
                @match &self.found {
                    Ok(found) => (self.card(found)),
                    Err(why) => (self.unreadable(why)),
                }
            }
        }
    }

    fn unreadable(&self, why: &str) -> Markup {
        html! {
            div class="notice" data-state="failed" role="alert" {
                (icon("warn"))
                div { p { b { "The search cannot be read. " } (why) } a href=(paths::AUDIT) { "Show all entries" } }
            }
        }
    }

    fn card(&self, found: &Found) -> Markup {
        let query = self.query();
        html! {
            section class="card" aria-labelledby="found" {
                header {
                    h2 id="found" { "Entries" span class="note" { " " (count(found)) } }
                    div class="actions" {
                        @if !query.is_empty() { (opens("small", "save", &labelled("plus", "Save this search"))) }
                        (link("small", &paths::audit_export("csv", &query), &html! { (icon("download")) "CSV" }))
                        (link("small", &paths::audit_export("jsonl", &query), &html! { (icon("download")) "JSON lines" }))
                    }
                }
                @if found.entries.is_empty() { (nothing(&query)) } @else { (self.table(found)) }
                (self.pages(found))
            }
            @if !query.is_empty() { (self.save(&query)) }
        }
    }

    fn table(&self, found: &Found) -> Markup {
        let columns = [
            Column::Head("When"),
            Column::Head("Who"),
            Column::Head("Did"),
            Column::Head("To"),
            Column::Spare("From"),
        ];
        let rows = html! { @for shown in &found.entries { (self.entry(shown)) } };
        html! { (Table { caption: "Entries, newest first", class: "audit", columns: &columns, rows }) }
    }

    fn entry(&self, shown: &Shown) -> Markup {
        let (row_of, entry) = (&shown.row, &shown.row.entry);
        let result = row_of.outcome.result();
        let ip = row_of.source.ip.as_str();
        row(
            &format!("e-{}", row_of.seq),
            &time::at(row_of.at, self.visit.now),
            &[
                cell("", &deed::who(shown)),
                bare(
                    "Did",
                    &html! {
                        (deed::denied(result))
                        a class="name" href=(paths::audit_entry(row_of.id)) { (deed::words(entry.action, entry.target, result)) }
                        @if !row_of.outcome.reason.is_empty() { " " small { (row_of.outcome.reason) } }
                    },
                ),
                bare("To", &deed::thing(shown)),
                spare(
                    "From",
                    &html! { @if ip.is_empty() { span class="note" { "the server" } } @else { code { (ip) } } },
                ),
            ],
        )
    }

    fn pages(&self, found: &Found) -> Markup {
        let (offset, shown) = (found.offset, i64::try_from(found.entries.len()).unwrap_or(0));
        let next = offset.saturating_add(ON_A_PAGE);
        let has_next = found.has_next && next <= MAX_OFFSET;
        html! {
            @if shown > 0 && (offset > 0 || found.has_next) {
                footer { nav class="pages" aria-label="Pages" {
                    span {
                        (grouped(offset + 1)) " to " (grouped(offset + shown)) " of " (count(found))
                        @if found.has_next && !has_next { ". For older ones, choose dates." }
                    }
                    @if offset > 0 { a class="button small" rel="prev" href=(self.at((offset - ON_A_PAGE).max(0))) { "Newer" } }
                    @if has_next { a class="button small" rel="next" href=(self.at(next)) { "Older" } }
                } }
            }
        }
    }

    /// The same search from another entry on.
    fn at(&self, offset: i64) -> String {
        let offset = if offset == 0 { String::new() } else { offset.to_string() };
        let quick = &self.quick;
        let fields = [
            ("q", self.typed.as_str()),
            ("who", &quick.who),
            ("action", quick.action.map_or("", AuditAction::as_str)),
            ("kind", quick.target.map_or("", AuditTarget::as_str)),
            ("from", &quick.from),
            ("to", &quick.to),
            ("denied", if quick.is_denied { "yes" } else { "" }),
            ("offset", &offset),
        ];
        let kept: Vec<_> = fields.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        match serde_urlencoded::to_string(kept) {
            Ok(query) if !query.is_empty() => format!("{}?{query}", paths::AUDIT),
            Ok(_) | Err(_) => paths::AUDIT.to_owned(),
        }
    }

    fn save(&self, query: &str) -> Markup {
        Dialog {
            id: "save",
            title: "Save this search",
            action: paths::AUDIT_FILTERS,
            body: html! { (save_fields("f", (query, false), &Input::default())) },
            class: "primary",
            deed: "Save search",
            back: "Keep none",
        }
        .draw(&self.visit.csrf)
    }
}

/// The fields of a search that is kept; `id` stands before their ids, `is_shared` is what it was.
#[must_use]
pub fn save_fields(id: &str, (query, is_shared): (&str, bool), input: &Input) -> Markup {
    let (name_id, query_id) = (format!("{id}-name"), format!("{id}-q"));
    let hint = format!("At most {MAX_NAME} characters.");
    let shared = if input.has_values() { input.value("shared", "") == "yes" } else { is_shared };
    html! {
        (Line { id: &name_id, name: "name", label: "Name", hint: &hint, ..Line::default() }.draw(input))
        (Line { id: &query_id, name: "q", label: "Search", value: query, ..Line::default() }.draw(input))
        label class="check" {
            input type="checkbox" name="shared" value="yes" checked[shared];
            span { "Share it" span class="hint" { "All who may read the log see it, with your name." } }
        }
    }
}

fn count(found: &Found) -> String {
    let n = grouped(found.total);
    if found.is_more { format!("{n} or more") } else { n }
}

fn nothing(query: &str) -> Markup {
    html! {
        @if query.is_empty() {
            (empty("audit", &html! { "What people, programs and the server do will be here." }, &html! {}))
        } @else {
            (empty("search", &html! { "No entry fits this search." }, &link("", paths::AUDIT, &html! { "Show all entries" })))
        }
    }
}
