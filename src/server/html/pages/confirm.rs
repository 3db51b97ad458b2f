//! Asking for a second factor: after the password, and again before what is dangerous.

use maud::{Markup, Render, html};

use super::login::Kept;
use crate::server::html::layout::{Csrf, Solo};
use crate::server::html::parts::form::{Input, Line, wrongs};
use crate::server::html::parts::passkey::Ask;
use crate::server::html::paths;

/// The page that asks for a second factor.
pub struct Confirm {
    /// For the forms.
    pub csrf: Csrf,
    /// What it is asked for.
    pub step: Step,
    /// There is an app that shows codes.
    pub totp: bool,
    /// What the browser is to ask of a passkey, JSON.
    pub passkey: Option<String>,
    /// Where to go after; a path of ours, or empty.
    pub next: String,
    /// What was sent, and waits.
    pub kept: Option<Kept>,
    /// What was typed.
    pub input: Input,
}

/// What a second factor is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// To sign in.
    SignIn {
        /// What leads back to the password that was given.
        ticket: String,
        /// The name of the server, as people reach it.
        host: String,
    },
    /// To go on with something.
    Again {
        /// Who is signed in.
        username: String,
    },
}

impl Render for Confirm {
    fn render(&self) -> Markup {
        let again = matches!(self.step, Step::Again { .. });
        let title = if again { "Is it still you?" } else { "Second step" };
        let body = html! {
            section class="card" aria-labelledby="t" {
                div class="body fields" {
                    div {
                        h1 id="t" { (title) }
                        p class="note" {
                            @match &self.step {
                                Step::SignIn { host, .. } => { "to sign in to " (host) }
                                Step::Again { username } => { "This needs your second factor, " (username) ". It counts for 15 minutes." }
                            }
                        }
                    }
                    @if let Some(kept) = &self.kept { p { "Waiting: " code { (kept.to()) } ". Nothing was changed yet." } }
                    @if let Some(options) = &self.passkey {
                        (Ask { action: self.action(), options, hidden: &self.hidden(), class: "primary", text: "Use a passkey" }.draw(&self.csrf))
                    }
                    (self.code())
                }
                footer class="note" {
                    @match &self.step {
                        Step::SignIn { .. } => { a href=(paths::LOGIN) { "Begin again" } ". Lost all of it? An owner can remove your second factors." }
                        Step::Again { .. } => a href=(paths::WORKSPACES) { "Leave it" },
                    }
                }
            }
        };
        Solo { title, class: "", body }.render()
    }
}

impl Confirm {
    fn action(&self) -> &'static str {
        match self.step {
            Step::SignIn { .. } => paths::LOGIN_SECOND,
            Step::Again { .. } => paths::CONFIRM,
        }
    }

    fn hidden(&self) -> Markup {
        html! {
            @if let Step::SignIn { ticket, .. } = &self.step { input type="hidden" name="ticket" value=(ticket); }
            @if let Some(kept) = &self.kept { (kept) }
            @if !self.next.is_empty() { input type="hidden" name="next" value=(self.next); }
        }
    }

    fn code(&self) -> Markup {
        let (label, hint) = if self.totp {
            ("Code of your app", "Six digits, or one of your recovery codes.")
        } else {
            ("Recovery code", "One of those that you have kept. Each is good once.")
        };
        html! {
            form class="fields" method="post" action=(self.action()) {
                (self.csrf)
                (self.hidden())
                (Line { id: "f-code", name: "code", label, hint, autocomplete: "one-time-code", autofocus: self.totp, ..Line::default() }.draw(&self.input))
                (wrongs(&self.input, &[("code", label)]))
                @let tone = if self.passkey.is_none() { "button primary wide" } else { "button wide" };
                button class=(tone) { "Go on" }
            }
        }
    }
}
