//! Every grant with what speaks against it, to be taken back or signed off; and why one person reaches one
//! workspace.

use maud::{Markup, Render, html};

use crate::model::access_review::{
    AccessReason, DUE_AFTER, ON_A_PAGE, ReviewCounts, ReviewOf, ReviewRow,
};
use crate::model::request::BreakGlassView;
use crate::model::time::Timestamp;
use crate::model::workspace::Workspace;
use crate::server::html::layout::{Page, Section, Visit, crumbs};
use crate::server::html::parts::badge::{self, Look};
use crate::server::html::parts::break_glass::broken;
use crate::server::html::parts::button::link;
use crate::server::html::parts::icon::icon;
use crate::server::html::parts::notice::empty;
use crate::server::html::parts::table::{Column, Table, cell, row, spare};
use crate::server::html::parts::time;
use crate::server::html::paths::{self, Place};

/// The page of a review.
pub struct AccessReview {
    /// Who looks.
    pub visit: Visit,
    /// The grants of this page.
    pub rows: Vec<ReviewRow>,
    /// How many there are of each kind.
    pub counts: ReviewCounts,
    /// When access was last signed off, and by whom.
    pub signed_off: Option<(Timestamp, String)>,
    /// What is shown.
    pub of: ReviewOf,
    /// Which text the workspaces' names hold.
    pub text: String,
    /// How many grants come before this page.
    pub offset: u32,
    /// Emergencies that nobody has looked into.
    pub broken: Vec<BreakGlassView>,
}

impl Render for AccessReview {
    fn render(&self) -> Markup {
        let body = html! {
            header class="page-head" {
                div {
                    h1 { "Access review" }
                    p { "Who was granted what. Owners of workspaces and roles are not listed: they have theirs without a grant." }
                }
                div class="actions" {
                    form method="post" action=(paths::ACCESS_SIGN_OFF) {
                        (self.visit.csrf)
                        button class="button primary" { "Sign off" }
                    }
                }
            }
            div class="stack" {
                (broken(&self.broken, self.visit.now))
                (self.stats())
                (self.filters())
                (self.list())
            }
        };
        let section = Section::Access;
        Page { title: "Access review", visit: &self.visit, section, live: None, body }.render()
    }
}

impl AccessReview {
    fn stats(&self) -> Markup {
        let ReviewCounts { all, stale, endless, departed, wider } = self.counts;
        let counted = |of, n: i64, class: &str| {
            let class = Some(class).filter(|_| n > 0);
            html! { dd { a class=[class] href=(paths::access_review(of, &self.text, 0)) { (n) } } }
        };
        html! {
            dl class="stats" {
                div { dt { "Grants" } (counted(ReviewOf::All, all, "")) }
                div { dt { "Without an end" } (counted(ReviewOf::Endless, endless, "warn")) }
                div { dt { "Unused for 90 days" } (counted(ReviewOf::Stale, stale, "warn")) }
                div { dt { "By who departed" } (counted(ReviewOf::Departed, departed, "bad")) }
                div { dt { "Beyond a charter" } (counted(ReviewOf::Wider, wider, "bad")) }
                div { dt { "Last signed off" } dd { (self.last()) } }
            }
        }
    }

    fn last(&self) -> Markup {
        match &self.signed_off {
            None => html! { span class="warn" { "never" } },
            Some((at, by)) => html! {
                (time::ago(*at, self.visit.now)) " "
                small { "by " (by) @if at.plus(DUE_AFTER) <= self.visit.now { ", due" } }
            },
        }
    }

    fn filters(&self) -> Markup {
        html! {
            form class="filters" role="search" aria-label="Filter" action=(paths::ACCESS_REVIEW) method="get" {
                label class="find" {
                    (icon("search")) span class="vh" { "Owner or workspace" }
                    input type="search" name="q" value=(self.text) placeholder="owner/workspace";
                }
                div class="segments" role="radiogroup" aria-label="Show" {
                    @for of in ReviewOf::ALL {
                        label { input type="radio" name="show" value=(of) checked[*of == self.of]; (label(*of)) }
                    }
                }
                button class="button" { "Filter" }
            }
        }
    }

    fn list(&self) -> Markup {
        let columns = [
            Column::Head("Workspace"),
            Column::Head("Who"),
            Column::Head("May"),
            Column::Head("Until"),
            Column::Spare("Last used"),
            Column::Head("What is wrong"),
            Column::Silent("Take back"),
        ];
        let rows = html! { @for one in &self.rows { (self.entry(one)) } };
        let before = self.offset.saturating_sub(ON_A_PAGE);
        let is_full = self.rows.len() >= ON_A_PAGE as usize;
        html! {
            section class="card" aria-labelledby="grants" {
                header { h2 id="grants" { "Grants" } span class="note" { (label(self.of)) } }
                @if self.rows.is_empty() {
                    (empty("access", &html! { "Nothing of this kind." }, &html! {}))
                } @else {
                    form method="post" action=(paths::ACCESS_REVOKE) {
                        (self.visit.csrf)
                        (Table { caption: "Grants", class: "", columns: &columns, rows })
                        footer class="bar" { button class="button danger" { "Take back what is marked" } }
                    }
                }
                @if self.offset > 0 || is_full {
                    footer class="bar" {
                        @if self.offset > 0 { (link("small", &paths::access_review(self.of, &self.text, before), &html! { "Before" })) }
                        @if is_full { (link("small", &paths::access_review(self.of, &self.text, self.offset + ON_A_PAGE), &html! { "More" })) }
                    }
                }
            }
        }
    }

    fn entry(&self, one: &ReviewRow) -> Markup {
        let (view, now) = (&one.view, self.visit.now);
        let grant = &view.grant;
        let may = grant.verbs.preset().map_or_else(|| grant.verbs.to_string(), |p| p.to_string());
        let name = format!("{}/{}", one.owner, one.workspace);
        let until = html! {
            @match grant.limits.until {
                Some(until) => { (time::at(until, now)) }
                None => { span class="tenure none" { "no end" } }
            }
        };
        let used = html! {
            @match one.last_used { Some(at) => { (time::ago(at, now)) } None => { span class="note" { "never" } } }
        };
        let wrong = [
            (one.is_stale(now), "Unused for 90 days"),
            (one.departed, "Its giver departed"),
            (!view.holds, "Does not hold"),
        ];
        let by = view.by.as_ref().map_or("the server", |user| user.username.as_str());
        row(
            &format!("grant-{}", grant.id),
            &html! { a href={ "/@" (name) "/sharing" } { (name) } },
            &[
                cell(
                    "Who",
                    &html! { (view.name) @if view.people > 1 { " " small { (view.people) " people" } } },
                ),
                cell("May", &html! { (may) }),
                cell("Until", &until),
                spare("Last used", &used),
                cell(
                    "What is wrong",
                    &html! {
                        @for (_, words) in wrong.iter().filter(|(is_so, _)| *is_so) { (badge::badge(Look::Warn, words)) " " }
                        @for why in &one.wider { (badge::badge(Look::Failed, why)) " " }
                        span class="note" { "By " (by) @if !grant.reason.is_empty() { ": " (grant.reason) } }
                    },
                ),
                cell(
                    "Take back",
                    &html! {
                        label class="check" {
                            input type="checkbox" name="grant" value=(grant.id);
                            span class="vh" { "Take back: " (view.name) " on " (name) }
                        }
                    },
                ),
            ],
        )
    }
}

const fn label(of: ReviewOf) -> &'static str {
    match of {
        ReviewOf::All => "All",
        ReviewOf::Stale => "Unused",
        ReviewOf::Endless => "Without an end",
        ReviewOf::Departed => "By who departed",
        ReviewOf::Wider => "Beyond a charter",
    }
}

/// Why one person reaches one workspace.
pub struct WhyAccess {
    /// Who looks.
    pub visit: Visit,
    /// The workspace.
    pub workspace: Workspace,
    /// Whose access is explained.
    pub who: String,
    /// The reasons, those that let them in first.
    pub reasons: Vec<AccessReason>,
}

impl Render for WhyAccess {
    fn render(&self) -> Markup {
        let place = Place::of(&self.workspace);
        let title = format!("Why {} reaches {}", self.who, self.workspace.name);
        let body = html! {
            header class="page-head" {
                div {
                    (crumbs(&[("Workspaces", paths::WORKSPACES), (self.workspace.name.as_str(), place.page())]))
                    h1 { (title) }
                }
            }
            section class="card" aria-label="Reasons" {
                @if self.reasons.is_empty() {
                    (empty("lock", &html! { (self.who) " does not reach it: nothing was granted, and no role opens it." }, &html! {}))
                } @else {
                    ol class="steps body" {
                        @for (n, one) in self.reasons.iter().enumerate() { (self.reason(n + 1, one)) }
                    }
                }
            }
        };
        Page { title: &title, visit: &self.visit, section: Section::Workspaces, live: None, body }
            .render()
    }
}

impl WhyAccess {
    fn reason(&self, n: usize, one: &AccessReason) -> Markup {
        let state = if one.closed.is_none() { Some("ok") } else { None };
        html! {
            li data-state=[state] {
                span class="dot" { (n) }
                div {
                    b { (one.verbs) } " "
                    @if let Some(why) = &one.closed { (badge::badge(Look::Expired, "Closed")) " " span class="note" { (why) } }
                    p class="note" {
                        (one.said) "."
                        @if let Some(grant) = &one.grant {
                            @if let Some(until) = grant.limits.until { " Until " (time::at(until, self.visit.now)) "." }
                            @if !grant.limits.hours.is_empty() { " " (grant.limits.hours) "." }
                        }
                    }
                }
            }
        }
    }
}
