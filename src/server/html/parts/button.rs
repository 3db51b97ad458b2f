//! Buttons and the forms around them.

use maud::{Markup, html};

use super::icon::icon;
use crate::server::html::layout::Csrf;

/// A button that sends the form it is in.
#[must_use]
pub fn button(class: &str, name: &str, text: &str) -> Markup {
    html! { button class={ "button" @if !class.is_empty() { " " (class) } } { (icon(name)) (text) } }
}

/// A link that looks like a button.
#[must_use]
pub fn link(class: &str, href: &str, content: &Markup) -> Markup {
    html! { a class={ "button" @if !class.is_empty() { " " (class) } } href=(href) { (content) } }
}

/// An icon with a text beside it.
#[must_use]
pub fn labelled(name: &str, text: &str) -> Markup {
    html! { (icon(name)) (text) }
}

/// A form that does one thing, around its button.
#[must_use]
pub fn post(csrf: &Csrf, action: &str, content: &Markup) -> Markup {
    html! { form method="post" action=(action) { (csrf) (content) } }
}

/// A button that opens the popover `target`.
#[must_use]
pub fn opens(class: &str, target: &str, content: &Markup) -> Markup {
    html! {
        button class={ "button" @if !class.is_empty() { " " (class) } } type="button" popovertarget=(target) { (content) }
    }
}
