//! Forms that a passkey fills in: `steading.js` asks for it and sends them.

use maud::{Markup, html};

use super::icon::icon;
use crate::server::html::layout::Csrf;

/// A form with one button, which a passkey answers. Without script it is not shown.
pub struct Ask<'a> {
    /// Where it goes.
    pub action: &'a str,
    /// What the browser is to ask, JSON.
    pub options: &'a str,
    /// What else is sent.
    pub hidden: &'a Markup,
    /// The class of its button.
    pub class: &'a str,
    /// What the button says.
    pub text: &'a str,
}

impl Ask<'_> {
    /// Draws it.
    #[must_use]
    pub fn draw(&self, csrf: &Csrf) -> Markup {
        html! {
            form class="stack tight" method="post" action=(self.action) data-passkey="get" data-options=(self.options) hidden {
                (csrf)
                (self.hidden)
                input type="hidden" name="passkey";
                p class="error" role="alert" data-said hidden {}
                button class={ "button wide " (self.class) } { (icon("access")) (self.text) }
            }
        }
    }
}
