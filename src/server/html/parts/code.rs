//! Text to be copied.

use maud::{Markup, html};

use super::icon::icon;

/// A line of code with a copy button; `id` is unique on the page.
#[must_use]
pub fn code(id: &str, text: &str) -> Markup {
    block("code", id, text)
}

/// A secret that is shown once.
#[must_use]
pub fn secret(id: &str, text: &str) -> Markup {
    block("code secret", id, text)
}

/// What was just made, with secrets of it that are shown this once: an id and a text each.
#[must_use]
pub fn made(what: &str, then: &str, secrets: &[(&str, &str)]) -> Markup {
    html! {
        div class="notice" data-state="ok" role="status" {
            (icon("s-ok"))
            div class="stack tight" {
                div { b { (what) " " } (then) }
                @for (id, text) in secrets { (secret(id, text)) }
            }
        }
    }
}

fn block(class: &str, id: &str, text: &str) -> Markup {
    html! {
        div class=(class) {
            code id=(id) { (text) }
            button class="button quiet small square" type="button" data-copy={ "#" (id) } aria-label="Copy" {
                (icon("copy"))
            }
        }
    }
}
