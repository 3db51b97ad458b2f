//! What the server sends to a page that is open: parts with the same ids as in the page.

use maud::{Markup, html};

/// Puts `part` where the element `#id` is.
#[must_use]
pub fn replace(id: &str, part: &Markup) -> Markup {
    html! { hx-partial hx-target={ "#" (id) } hx-swap="outerMorph" { (part) } }
}

/// Adds `part` at the end of the element `#id`.
#[must_use]
pub fn append(id: &str, part: &Markup) -> Markup {
    html! { hx-partial hx-target={ "#" (id) } hx-swap="beforeend" { (part) } }
}

/// Takes the element `#id` away.
#[must_use]
pub fn remove(id: &str) -> Markup {
    html! { hx-partial hx-target={ "#" (id) } hx-swap="delete" {} }
}
