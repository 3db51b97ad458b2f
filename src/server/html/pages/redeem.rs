//! Where a share code is redeemed: what it gives is shown before it is taken.

use maud::{Markup, Render, html};

use crate::model::code::{Code, PREFIX};
use crate::model::workspace::Workspace;
use crate::server::html::layout::{Csrf, Solo};
use crate::server::html::parts::form::{Input, notes, wrongs};
use crate::server::html::parts::time;
use crate::server::html::paths;

/// The field that a code is sent in.
pub const FIELD: &str = "share_code";
/// What is sent by who takes what was shown.
pub const TAKE: &str = "take";

/// The page.
pub struct Redeem {
    /// For the form; empty for who is not signed in, who is asked to when they send it.
    pub csrf: Csrf,
    /// Who is signed in.
    pub username: Option<String>,
    /// What the code gives, once it was sent, with the code.
    pub offer: Option<Offered>,
    /// What was typed.
    pub input: Input,
}

/// What a code gives.
pub struct Offered {
    /// The text of the code.
    pub text: String,
    /// The code.
    pub code: Code,
    /// On what.
    pub workspace: Workspace,
    /// The time that the page is for.
    pub now: crate::model::time::Timestamp,
}

impl Render for Redeem {
    fn render(&self) -> Markup {
        let body = html! {
            section class="card" aria-labelledby="t" {
                div class="body fields" {
                    h1 id="t" { "Redeem a share code" }
                    form class="fields" method="post" action=(paths::REDEEM) {
                        (self.csrf)
                        @match &self.offer {
                            Some(offer) => { (offered(offer)) }
                            None => { (self.ask()) }
                        }
                    }
                }
                footer class="note" {
                    @match &self.username {
                        Some(name) => { "You are signed in as " b { (name) } "." }
                        None => { "You sign in next; the code is kept meanwhile." }
                    }
                }
            }
        };
        Solo { title: "Redeem a code", class: "wide", body }.render()
    }
}

impl Redeem {
    fn ask(&self) -> Markup {
        let error = self.input.error(FIELD);
        html! {
            div class="field" {
                label for="f-share_code" { "Code" }
                input id="f-share_code" name=(FIELD) type="text" class="mono" required autocomplete="off" autocapitalize="off"
                    spellcheck="false" maxlength="64" data-fragment=(PREFIX)
                    aria-invalid=[error.map(|_| "true")] aria-describedby=[crate::server::html::parts::form::described("f-share_code", HINT, error)];
                (notes("f-share_code", HINT, error))
            }
            (wrongs(&self.input, &[(FIELD, "Code")]))
            button class="button primary wide" { "Show what it gives" }
        }
    }
}

const HINT: &str = "It begins with sc_.";

fn offered(offer: &Offered) -> Markup {
    let Offered { text, code, workspace, now } = offer;
    let may = code.verbs.preset().map_or_else(String::new, |p| format!(" ({})", p.says()));
    html! {
        input type="hidden" name=(FIELD) value=(text);
        input type="hidden" name=(TAKE) value="yes";
        p { b { (code.made_by.username) } " lets you into " b { (workspace.owner.username) "/" (workspace.name) } "." }
        dl class="kv" {
            dt { "You may" } dd { (code.verbs) (may) }
            dt { "Until" } dd { (time::at(now.plus(code.grant_ttl), *now)) }
            @if !code.reason.is_empty() { dt { "Reason" } dd { (code.reason) } }
        }
        @if code.is_recorded {
            p class="note" { "What you do in its terminals is recorded." }
        }
        div class="actions" {
            a class="button" href=(paths::WORKSPACES) { "Leave it" }
            button class="button primary" { "Take it" }
        }
    }
}
