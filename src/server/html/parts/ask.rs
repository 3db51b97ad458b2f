//! The form that asks for access to a workspace: on a page of its own, and wherever a page says no.

use maud::{Markup, html};

use super::button::button;
use super::form::{Area, Input, Line, wrongs};
use super::may::{Lasts, May};
use crate::model::verb::Verbs;
use crate::server::html::layout::Csrf;
use crate::server::html::paths;

/// What is offered for how long: what is sent, and what is said.
const LASTS: [(&str, &str); 5] =
    [("1h", "1 hour"), ("4h", "4 hours"), ("8h", "8 hours"), ("1d", "1 day"), ("7d", "1 week")];
/// What is filled in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Owner and name of the workspace; empty when that is to be written.
    pub workspace: String,
    /// What they want to do.
    pub verbs: Verbs,
}

/// The form.
#[must_use]
pub fn ask(csrf: &Csrf, wanted: &Wanted, input: &Input) -> Markup {
    html! {
        form class="fields" method="post" action=(paths::REQUESTS) {
            (csrf)
            (Line {
                id: "f-workspace", name: "workspace", label: "Workspace", value: &wanted.workspace,
                hint: "Its owner and its name: ada/kiln.", ..Line::default()
            }.draw(input))
            (May { legend: "I want to", first: wanted.verbs, ..May::default() }.draw(input))
            (Lasts {
                field: "for", name: "for", legend: "For", offers: &LASTS, first: "4h", hint: "",
            }.draw(input, &html! {}))
            (Area {
                id: "f-reason", name: "reason", label: "Reason", needed: true,
                hint: "Whoever answers reads it, and the log keeps it.", ..Area::default()
            }.draw(input))
            (wrongs(input, &[("workspace", "Workspace"), ("verbs", "I want to"), ("for", "For"), ("reason", "Reason")]))
            div class="actions" { (button("primary", "hand", "Ask for access")) }
        }
    }
}
