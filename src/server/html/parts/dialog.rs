//! Dialogs that open without script, as popovers.

use maud::{Markup, html};

use super::form::{Input, wrongs};
use super::icon::icon;
use crate::server::html::layout::Csrf;

/// A dialog with a form in it; a button elsewhere opens it by `popovertarget`.
pub struct Dialog<'a> {
    /// Its id, unique on the page.
    pub id: &'a str,
    /// What is done, as a heading.
    pub title: &'a str,
    /// Where the form goes.
    pub action: &'a str,
    /// The fields and what is said before.
    pub body: Markup,
    /// The class of the button that does it: `primary` or `danger primary`.
    pub class: &'a str,
    /// What the button says.
    pub deed: &'a str,
    /// The way back in a word of its own.
    pub back: &'a str,
}

impl Dialog<'_> {
    /// Draws it.
    #[must_use]
    pub fn draw(&self, csrf: &Csrf) -> Markup {
        let title = format!("{}-title", self.id);
        html! {
            dialog id=(self.id) popover aria-labelledby=(title) {
                form method="post" action=(self.action) {
                    (csrf)
                    header {
                        h2 id=(title) { (self.title) }
                        button class="button quiet square" type="button" popovertarget=(self.id) popovertargetaction="hide" aria-label="Close" { (icon("x")) }
                    }
                    div class="body fields" { (self.body) }
                    footer {
                        button class="button" type="button" popovertarget=(self.id) popovertargetaction="hide" { (self.back) }
                        button class={ "button " (self.class) } { (self.deed) }
                    }
                }
            }
        }
    }
}

/// A form that opens as a dialog, and stands in the page when something was wrong with it.
pub struct Asking<'a> {
    /// The form.
    pub dialog: Dialog<'a>,
    /// What was typed.
    pub input: &'a Input,
    /// What its fields are called, by their names.
    pub labels: &'a [(&'a str, &'a str)],
    /// The page that it stands in: its way back.
    pub page: &'a str,
}

impl Asking<'_> {
    /// Draws the dialog, as long as nothing was wrong.
    #[must_use]
    pub fn draw(&self, csrf: &Csrf) -> Markup {
        if self.input.errors.is_empty() {
            self.dialog.draw(csrf)
        } else {
            html! {}
        }
    }

    /// Draws the form in the page, when something was wrong.
    #[must_use]
    pub fn again(&self, csrf: &Csrf) -> Markup {
        let Dialog { id, title, action, body, class, deed, back } = &self.dialog;
        let heading = format!("{id}-title");
        html! {
            @if !self.input.errors.is_empty() {
                section class="card" id=(id) aria-labelledby=(heading) {
                    header { h2 id=(heading) { (title) } }
                    form class="body fields" method="post" action=(action) {
                        (csrf)
                        (body)
                        (wrongs(self.input, self.labels))
                        div class="actions" { a class="button" href=(self.page) { (back) } button class={ "button " (class) } { (deed) } }
                    }
                }
            }
        }
    }
}

/// The field that asks for a name before something is deleted.
#[must_use]
pub fn type_the_name(id: &str, name: &str) -> Markup {
    html! {
        div class="field" {
            label for=(id) { "Type " b { (name) } " to confirm" }
            input id=(id) name="confirm" required pattern=(literal_pattern(name)) autocomplete="off" autocapitalize="off" spellcheck="false";
        }
    }
}

/// A pattern that matches `text` and nothing else; names hold letters, digits, hyphens and dots.
fn literal_pattern(text: &str) -> String {
    text.replace('.', "[.]")
}
