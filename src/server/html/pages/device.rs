//! The code that people enter at GitHub to sign in here.

use maud::{Markup, Render, html};

use crate::server::html::layout::Solo;
use crate::server::html::parts::code;

/// The page that shows a code, and waits.
pub struct Device {
    /// What they enter.
    pub user_code: String,
    /// Where.
    pub at: String,
}

impl Render for Device {
    fn render(&self) -> Markup {
        let body = html! {
            section class="card" aria-labelledby="t" {
                div class="body fields" {
                    h1 id="t" { "Enter this code at GitHub" }
                    (code::secret("code", &self.user_code))
                    a class="button primary wide" href=(self.at) target="_blank" rel="noopener noreferrer" { "Open GitHub in a new tab" }
                    p role="status" class="note" { "This page goes on by itself when the code is entered." }
                }
                footer class="note" { "Someone sent you here, or gave you a code? Then close this page." }
            }
        };
        Solo { title: "Sign in at GitHub", class: "", body }.render()
    }
}
