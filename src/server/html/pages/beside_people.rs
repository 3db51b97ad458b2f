//! A list that leads back to the people, with a form that adds to it.

use maud::{Markup, Render, html};

use crate::server::html::layout::{Page, Section, Visit, crumbs};
use crate::server::html::parts::button::{labelled, opens};
use crate::server::html::parts::dialog::Asking;
use crate::server::html::parts::notice::empty;
use crate::server::html::paths;

/// A page with such a list.
pub struct BesidePeople<'a> {
    /// Who looks.
    pub visit: &'a Visit,
    /// What the list is of.
    pub title: &'a str,
    /// What to know of them.
    pub text: &'a str,
    /// The icon and the words of the button that opens the form.
    pub button: (&'a str, &'a str),
    /// What stands above the list.
    pub above: Markup,
    /// The form.
    pub asking: Asking<'a>,
    /// The list; none when it is empty.
    pub list: Option<Markup>,
    /// The icon and the words for an empty one.
    pub none: (&'a str, &'a str),
}

impl Render for BesidePeople<'_> {
    fn render(&self) -> Markup {
        let (visit, title, section) = (self.visit, self.title, Section::People);
        let (form, (icon, words)) = (&self.asking, self.button);
        let body = html! {
            header class="page-head" {
                div { (crumbs(&[("People", paths::PEOPLE)])) h1 { (title) } p { (self.text) } }
                div class="actions" {
                    @if form.input.errors.is_empty() { (opens("primary", form.dialog.id, &labelled(icon, words))) }
                }
            }
            div class="stack" {
                (self.above)
                (form.again(&visit.csrf))
                section class="card" aria-label=(title) {
                    @match &self.list {
                        Some(list) => (list),
                        None => (empty(self.none.0, &html! { (self.none.1) }, &html! {})),
                    }
                }
            }
            (form.draw(&visit.csrf))
        };
        Page { title, visit, section, live: None, body }.render()
    }
}
