//! What the CLI opens to get a token.

use maud::{Markup, Render, html};

use crate::server::html::layout::{Csrf, Solo};
use crate::server::html::parts::button::{button, link, post};
use crate::server::html::parts::code;
use crate::server::html::paths;

/// The page, before and after the token was made.
pub struct CliAuth {
    /// For the form.
    pub csrf: Csrf,
    /// Who is signed in.
    pub username: String,
    /// The token, once.
    pub token: Option<String>,
}

impl Render for CliAuth {
    fn render(&self) -> Markup {
        let body = html! {
            section class="card" aria-labelledby="t" {
                div class="body fields" {
                    h1 id="t" { "A token for the command line" }
                    @match &self.token {
                        None => {
                            p { "The program that sent you here will act as " b { (self.username) } "." }
                            (post(&self.csrf, paths::CLI_AUTH, &button("primary wide", "token", "Make a token")))
                        }
                        Some(token) => {
                            p role="status" { "Copy it now and paste it where you were asked; it is not shown again." }
                            (code::secret("token", token))
                            (link("wide", paths::WORKSPACES, &html! { "Go to your workspaces" }))
                        }
                    }
                }
                footer class="note" { "Nobody asked you to come here? Then close this page." }
            }
        };
        Solo { title: "Command line", class: "", body }.render()
    }
}
