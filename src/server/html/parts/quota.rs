//! Credits a day: how much of a budget is used, and by what.

use maud::{Markup, html};

use super::table::{Column, Table, figure, row};
use crate::model::quota::{Quota, QuotaView};
use crate::server::html::paths::Place;

/// How much of a budget is used; `whose` is read out.
#[must_use]
pub fn gauge(quota: Quota, whose: &str) -> Markup {
    html! {
        @match quota.budget {
            Some(budget) => {
                span class="gauge" {
                    span { (quota.consumed) " of " (budget) }
                    (meter(quota.consumed, budget, &format!("Quota of {whose}")))
                }
            }
            None => { (quota.consumed) " " span class="note" { "without limit" } }
        }
    }
}

/// A meter of what is used of a budget.
#[must_use]
pub fn meter(used: i64, budget: i64, label: &str) -> Markup {
    // A meter without a range draws nothing.
    let max = budget.max(1);
    html! {
        meter min="0" max=(max) low=(max.saturating_mul(4) / 5) high=(max.saturating_sub(1)) optimum="0" value=(used.clamp(0, max)) aria-label=(label) {
            (used) " of " (budget)
        }
    }
}

/// What uses a budget, and what stopping each would free.
#[must_use]
pub fn uses(view: &QuotaView) -> Markup {
    let columns = [
        Column::Head("Workspace"),
        Column::Figures("Counts now"),
        Column::Figures("A stop frees"),
        Column::Figures("A delete frees"),
    ];
    let rows = html! {
        @for one in &view.uses {
            @let place = Place::new(&view.owner, &one.name);
            (row(
                &format!("q-{}", one.workspace),
                &html! { a class="name" href=(place.page()) { (one.name) } },
                &[
                    figure("Counts now", &html! { (one.cost) }),
                    figure("A stop frees", &html! { (one.freed_by_stop) }),
                    figure("A delete frees", &html! { (one.cost) }),
                ],
            ))
        }
    };
    html! {
        section class="card" aria-labelledby="budget" {
            header {
                h2 id="budget" { "What uses the budget" }
                span class="note" {
                    @match view.quota.budget {
                        Some(budget) => { (view.quota.consumed) " of " (budget) " credits a day" }
                        None => { (view.quota.consumed) " credits a day, nothing is limited now" }
                    }
                }
            }
            @if view.uses.is_empty() {
                p class="body note" { "No workspace of " (view.owner) " counts anything now. A larger allowance of one of their groups would make room." }
            } @else {
                (Table { caption: "Workspaces that use the budget, in credits a day", class: "", columns: &columns, rows })
            }
        }
    }
}
