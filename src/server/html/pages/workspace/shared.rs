//! What someone is told who is here by a share: what they may, until when, and how to leave.

use maud::{Markup, html};

use super::WorkspacePage;
use crate::model::grant::{Grant, Recipient};
use crate::model::time::Timestamp;
use crate::model::verb::Verbs;
use crate::server::html::parts::button::{link, post};
use crate::server::html::parts::notice::{Tone, notice};
use crate::server::html::parts::time;
use crate::server::html::paths;

/// An end so near is a warning.
const SOON_S: i64 = 10 * 60;

impl WorkspacePage {
    /// By which share the one who looks is here.
    pub(super) fn shared(&self) -> Markup {
        if self.granted.is_empty() {
            return html! {};
        }
        let verbs = self.granted.iter().fold(Verbs::default(), |all, g| all.and(g.verbs));
        let until = end(&self.granted);
        let soon = until.is_some_and(|until| until.0 - self.visit.now.0 <= SOON_S);
        let own = self.granted.iter().any(|g| matches!(g.to, Recipient::User(_)));
        let hours: Vec<&str> = self
            .granted
            .iter()
            .map(|g| g.limits.hours.as_str())
            .filter(|h| !h.is_empty())
            .collect();
        let text = html! {
            "Shared with you: " (verbs)
            @match until {
                Some(until) => { ", until " (time::at(until, self.visit.now)) }
                None => {}
            }
            @for hours in &hours { ", " (hours) }
            "."
            @if self.granted.iter().all(|g| g.limits.is_recorded) { " Terminals are recorded." }
        };
        let more = paths::ask_for(
            self.place().page().trim_start_matches("/@"),
            &verbs.preset().map_or_else(|| verbs.to_string(), |p| p.to_string()),
        );
        let leave = html! {
            @if until.is_some() { (link("small", &more, &html! { "Ask for more time" })) }
            @if own {
                (post(&self.visit.csrf, &self.place().leave(), &html! { button class="button small" { "Leave" } }))
            }
        };
        notice(if soon { Tone::Warn } else { Tone::Info }, &text, &leave)
    }
}

/// When the last of them ends; none when one has no end.
fn end(grants: &[Grant]) -> Option<Timestamp> {
    let ends: Option<Vec<Timestamp>> = grants.iter().map(|g| g.limits.until).collect();
    ends.and_then(|ends| ends.into_iter().max())
}
