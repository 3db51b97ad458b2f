//! Messages: what happened, what to know, and what is not there yet.

use maud::{Markup, html};

use super::icon::icon;

/// How a message looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// It worked.
    Good,
    /// Good to know.
    Info,
    /// Needs care.
    Warn,
    /// Did not work.
    Bad,
}

impl Tone {
    const fn look(self) -> (&'static str, &'static str) {
        match self {
            Self::Good => ("ok", "s-ok"),
            Self::Info => ("info", "info"),
            Self::Warn => ("warn", "warn"),
            Self::Bad => ("failed", "warn"),
        }
    }
}

/// What the last page did, shown once on the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flash {
    /// How it looks.
    pub tone: Tone,
    /// What to say.
    pub text: String,
}

/// A message across the page; `actions` follow it.
#[must_use]
pub fn notice(tone: Tone, text: &Markup, actions: &Markup) -> Markup {
    let (state, shape) = tone.look();
    html! { div class="notice" data-state=(state) { (icon(shape)) div { (text) } (actions) } }
}

/// The message of the last page.
#[must_use]
pub fn flash(flash: &Flash) -> Markup {
    let (state, shape) = flash.tone.look();
    let role = if flash.tone == Tone::Bad { "alert" } else { "status" };
    html! { div class="notice" data-state=(state) role=(role) { (icon(shape)) div { (flash.text) } } }
}

/// What would be here, and the first deed.
#[must_use]
pub fn empty(name: &str, text: &Markup, actions: &Markup) -> Markup {
    html! {
        div class="empty" { (icon(name)) p { (text) } div class="actions" { (actions) } }
    }
}
