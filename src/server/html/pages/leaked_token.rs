//! Where whoever finds a token can end it.

use maud::{Markup, Render, html};

use crate::server::html::layout::{Csrf, Solo};
use crate::server::html::parts::notice::{Tone, notice};
use crate::server::html::paths;

/// What became of a token that was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// It is over.
    Ended,
    /// There is no such token.
    Unknown,
    /// Nothing was looked at, and why.
    Later(String),
}

/// The page to end a token that leaked.
pub struct LeakedToken {
    /// For the form.
    pub csrf: Csrf,
    /// What became of the last one.
    pub told: Option<Told>,
}

impl Render for LeakedToken {
    fn render(&self) -> Markup {
        let body = html! {
            section class="card" aria-labelledby="t" {
                div class="body fields" {
                    div {
                        h1 id="t" { "A token that leaked" }
                        p { "You found a token of this site in code, in a log or in a message? Paste it, and it is revoked at once." }
                    }
                    @match &self.told {
                        Some(Told::Ended) => (notice(Tone::Good, &html! { "It is revoked. Whose it was finds it in the audit log." }, &html! {})),
                        Some(Told::Unknown) => (notice(Tone::Info, &html! { "No such token is valid here." }, &html! {})),
                        Some(Told::Later(why)) => (notice(Tone::Bad, &html! { (why) }, &html! {})),
                        None => {}
                    }
                    form class="fields" method="post" action=(paths::LEAKED_TOKEN) {
                        (self.csrf)
                        div class="field" {
                            label for="f-token" { "The whole token" }
                            input id="f-token" name="token" type="text" autocomplete="off" autocapitalize="off" spellcheck="false" required aria-describedby="f-token-h";
                            span class="hint" id="f-token-h" { "It begins with st and has a hyphen in it." }
                        }
                        button class="button primary wide" { "Revoke it" }
                    }
                }
                footer class="note" { "Nobody is told whose it was, nor who reported it." }
            }
        };
        Solo { title: "Leaked token", class: "", body }.render()
    }
}
