//! What is shown in red until someone has looked into it: who let themselves into a workspace.

use maud::{Markup, html};

use super::button::link;
use super::notice::{Tone, notice};
use super::time;
use crate::model::request::BreakGlassView;
use crate::model::time::Timestamp;
use crate::server::html::paths;

/// A notice for each.
#[must_use]
pub fn broken(all: &[BreakGlassView], now: Timestamp) -> Markup {
    html! {
        @for one in all {
            @let taken = &one.taken;
            @let text = html! {
                b { (one.by.username) " let themselves in" } ", " (time::at(taken.taken_at, now))
                @if taken.until > now { ", until " (time::at(taken.until, now)) }
                ": " (taken.reason) ". What they do is recorded, and nobody else has looked into it yet."
            };
            @let look = html! {
                @if one.may_review { (link("small", paths::REQUESTS, &html! { "Look into it" })) }
            };
            (notice(Tone::Bad, &text, &look))
        }
    }
}
