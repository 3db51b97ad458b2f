//! One's own second factors: what there is, setting one up, and the codes for who has lost them.

use maud::{Markup, Render, html};

use crate::model::factor::{Factors, Passkey, RECOVERY_CODES};
use crate::server::html::layout::{Page, Section, Visit, crumbs};
use crate::server::html::parts::button::{link, opens, post};
use crate::server::html::parts::dialog::Dialog;
use crate::server::html::parts::form::{Input, Line, wrongs};
use crate::server::html::parts::icon::icon;
use crate::server::html::parts::notice::{Tone, notice};
use crate::server::html::parts::{code, qr, time};
use crate::server::html::paths;

/// Fewer recovery codes than this are too few.
const FEW_CODES: usize = 3;

/// The cards of one's own second factors.
pub(super) fn cards(visit: &Visit, factors: &Factors, takes_passkeys: bool) -> Markup {
    html! {
        (totp_card(visit, factors))
        (passkeys_card(visit, factors, takes_passkeys))
        @if factors.any() { (recovery_card(visit, factors.recovery_left)) }
    }
}

fn totp_card(visit: &Visit, factors: &Factors) -> Markup {
    html! {
        section class="card" aria-labelledby="totp" {
            header { h2 id="totp" { "Codes of an app" } @if factors.totp.is_none() { (link("small", paths::TOTP, &html! { "Set up" })) } }
            @match &factors.totp {
                None => p class="body note" { "An app on your phone shows a code that is asked for after your password." },
                Some(totp) => ul class="rows" {
                    li {
                        span class="main" {
                            "An app"
                            small class="note" {
                                "since " (time::at(totp.created_at, visit.now))
                                @if let Some(at) = totp.last_used_at { ", last used " (time::ago(at, visit.now)) }
                            }
                        }
                        (opens("small danger", "totp-remove", &html! { "Remove" span class="vh" { " the app" } }))
                    }
                }
            }
        }
        @if factors.totp.is_some() {
            (Dialog {
                id: "totp-remove", title: "Remove the app", action: paths::TOTP_REMOVE,
                body: html! { p { "Its codes are good no more. The entry in the app stays until you delete it there." } },
                class: "danger primary", deed: "Remove the app", back: "Keep it",
            }.draw(&visit.csrf))
        }
    }
}

fn passkeys_card(visit: &Visit, factors: &Factors, takes_passkeys: bool) -> Markup {
    html! {
        section class="card" aria-labelledby="passkeys" {
            header { h2 id="passkeys" { "Passkeys" } @if takes_passkeys { (link("small", paths::PASSKEYS, &html! { "Add" span class="vh" { " a passkey" } })) } }
            @if factors.passkeys.is_empty() {
                p class="body note" {
                    @if takes_passkeys { "A finger, a face or a security key instead of your password, or after it." }
                    @else { "They need the server to be reached by a name and HTTPS. Its access URL is neither." }
                }
            } @else {
                ul class="rows" { @for passkey in &factors.passkeys { (passkey_row(visit, passkey)) } }
            }
        }
        @for passkey in &factors.passkeys { (passkey_dialogs(visit, passkey)) }
    }
}

fn passkey_row(visit: &Visit, passkey: &Passkey) -> Markup {
    html! {
        li {
            span class="main" {
                (passkey.name)
                small class="note" {
                    "added " (time::at(passkey.created_at, visit.now))
                    @match passkey.last_used_at { Some(at) => { ", last used " (time::ago(at, visit.now)) } None => ", never used" }
                }
            }
            (opens("small", &format!("n-{}", passkey.id), &html! { "Rename" span class="vh" { " " (passkey.name) } }))
            (opens("small danger", &format!("r-{}", passkey.id), &html! { "Remove" span class="vh" { " " (passkey.name) } }))
        }
    }
}

fn passkey_dialogs(visit: &Visit, passkey: &Passkey) -> Markup {
    let field = format!("f-{}", passkey.id);
    html! {
        (Dialog {
            id: &format!("n-{}", passkey.id), title: "Rename a passkey", action: &paths::passkey(passkey.id),
            body: (Line { id: &field, name: "name", label: "Name", value: &passkey.name, ..Line::default() }.draw(&Input::default())),
            class: "primary", deed: "Rename", back: "Leave it",
        }.draw(&visit.csrf))
        (Dialog {
            id: &format!("r-{}", passkey.id), title: &format!("Remove {}", passkey.name), action: &paths::passkey_remove(passkey.id),
            body: html! { p { "Nobody signs in by it any more. What the device keeps of it stays until you delete it there." } },
            class: "danger primary", deed: "Remove the passkey", back: "Keep it",
        }.draw(&visit.csrf))
    }
}

fn recovery_card(visit: &Visit, left: usize) -> Markup {
    html! {
        section class="card" aria-labelledby="recovery" {
            header { h2 id="recovery" { "Recovery codes" } span class="note" { (left) " of " (RECOVERY_CODES) " left" } }
            div class="body stack tight" {
                @if left < FEW_CODES { (notice(Tone::Warn, &html! { "Make new ones before the last is used." }, &html! {})) }
                p class="note" { "For the day when you have lost the rest. Each is good once." }
                (post(&visit.csrf, paths::RECOVERY_CODES, &html! { button class="button" { "Make new codes" } }))
            }
        }
    }
}

/// The page that sets up an app that shows codes.
pub struct TotpPage {
    /// Who looks.
    pub visit: Visit,
    /// The secret as text and for a camera; none before it is made.
    pub setup: Option<(String, String)>,
    /// Whether the password is asked for first.
    pub asks_password: bool,
    /// What was typed.
    pub input: Input,
}

impl Render for TotpPage {
    fn render(&self) -> Markup {
        let body = html! {
            header class="page-head" { div { (crumbs(&[("Sign-in", paths::SECURITY)])) h1 { "An app that shows codes" } p { "Any app for one-time codes will do." } } }
            @match &self.setup { Some((secret, uri)) => (self.confirm(secret, uri)), None => (self.begin()) }
        };
        page("An app that shows codes", &self.visit, body)
    }
}

impl TotpPage {
    fn begin(&self) -> Markup {
        html! {
            section class="card" aria-labelledby="t" {
                header { h2 id="t" { "A secret for the app" } }
                form class="body fields" method="post" action=(paths::TOTP) {
                    (self.visit.csrf)
                    @if self.asks_password { (password_now(&self.visit, &self.input)) }
                    (wrongs(&self.input, &[("password_now", "Password now")]))
                    div class="actions" { a class="button" href=(paths::SECURITY) { "Leave it" } button class="button primary" { "Make a secret" } }
                }
            }
        }
    }

    fn confirm(&self, secret: &str, uri: &str) -> Markup {
        html! {
            section class="card" aria-labelledby="t" {
                header { h2 id="t" { "Show it to the app" } }
                div class="body fields" {
                    (qr::qr("The secret for a camera; it stands below as text", uri))
                    p { "Or type it:" }
                    (code::secret("secret", secret))
                    form class="fields" method="post" action=(paths::TOTP_CONFIRM) {
                        (self.visit.csrf)
                        (Line { id: "f-code", name: "code", label: "The code that it shows now", autocomplete: "one-time-code", autofocus: true, ..Line::default() }.draw(&self.input))
                        (wrongs(&self.input, &[("code", "The code that it shows now")]))
                        div class="actions" { a class="button" href=(paths::SECURITY) { "Leave it" } button class="button primary" { "Use this app" } }
                    }
                }
            }
        }
    }
}

/// The page that adds a passkey.
pub struct NewPasskey {
    /// Who looks.
    pub visit: Visit,
    /// What the browser is to make it from, JSON.
    pub options: String,
    /// Whether the password is asked for too.
    pub asks_password: bool,
    /// What was typed.
    pub input: Input,
}

impl Render for NewPasskey {
    fn render(&self) -> Markup {
        let body = html! {
            header class="page-head" { div { (crumbs(&[("Sign-in", paths::SECURITY)])) h1 { "A passkey" } p { "Kept by this device, your phone, a security key or a password manager." } } }
            section class="card" aria-labelledby="t" {
                header { h2 id="t" { "Add a passkey" } }
                div class="body fields" {
                    noscript { p { "Passkeys need JavaScript in this browser." } }
                    form class="fields" method="post" action=(paths::PASSKEYS) data-passkey="create" data-options=(self.options) hidden {
                        (self.visit.csrf)
                        input type="hidden" name="passkey";
                        (Line { id: "f-name", name: "name", label: "Name", hint: "Where it is kept: laptop, phone, blue key.", autofocus: true, ..Line::default() }.draw(&self.input))
                        @if self.asks_password { (password_now(&self.visit, &self.input)) }
                        (wrongs(&self.input, &[("name", "Name"), ("password_now", "Password now")]))
                        p class="error" role="alert" data-said hidden {}
                        div class="actions" { a class="button" href=(paths::SECURITY) { "Leave it" } button class="button primary" { (icon("access")) "Add a passkey" } }
                    }
                }
            }
        };
        page("A passkey", &self.visit, body)
    }
}

/// Recovery codes, once.
pub struct RecoveryCodes {
    /// Who looks.
    pub visit: Visit,
    /// What was done before; empty when they were made anew.
    pub done: String,
    /// The codes.
    pub codes: Vec<String>,
}

impl Render for RecoveryCodes {
    fn render(&self) -> Markup {
        let body = html! {
            header class="page-head" { div { (crumbs(&[("Sign-in", paths::SECURITY)])) h1 { "Recovery codes" } p { "Keep them where you find them without your phone." } } }
            @if !self.done.is_empty() { div class="notice" data-state="ok" role="status" { (icon("s-ok")) div { (self.done) } } }
            section class="card" aria-labelledby="t" {
                header { h2 id="t" { "They are not shown again" } }
                div class="body fields" {
                    p { "Each signs you in once when you have lost your second factor. Earlier ones are good no more." }
                    (code::secret("codes", &self.codes.join("\n")))
                    a class="button primary" href=(paths::SECURITY) { "I have kept them" }
                }
            }
        };
        page("Recovery codes", &self.visit, body)
    }
}

fn page(title: &str, visit: &Visit, body: Markup) -> Markup {
    Page { title, visit, section: Section::Settings, live: None, body }.render()
}

fn password_now(visit: &Visit, input: &Input) -> Markup {
    html! {
        input type="hidden" name="username" value=(visit.user.username) autocomplete="username";
        (Line { id: "f-password_now", name: "password_now", label: "Password now", kind: "password", autocomplete: "current-password", ..Line::default() }.draw(input))
    }
}

/// The button that removes someone else's second factors, and what it says first.
pub(super) fn remove_theirs(
    visit: &Visit,
    username: &str,
    factors: &Factors,
    action: &str,
) -> Markup {
    let n = factors.passkeys.len() + usize::from(factors.totp.is_some());
    let title = format!("Remove the second factors of {username}");
    html! {
        section class="card" aria-labelledby="factors" {
            header { h2 id="factors" { "Second factors" } span class="note" { (n) } }
            div class="body stack tight" {
                @if n == 0 { p class="note" { "None." } } @else {
                    p class="note" {
                        @if factors.totp.is_some() { "An app that shows codes" @if !factors.passkeys.is_empty() { ", and " } }
                        @if !factors.passkeys.is_empty() { (factors.passkeys.len()) " passkeys" }
                        ". " (factors.recovery_left) " recovery codes left."
                    }
                    (opens("danger", "remove-factors", &html! { "Remove all" }))
                }
            }
        }
        @if n > 0 {
            (Dialog {
                id: "remove-factors", title: &title, action,
                body: html! { p { "For who has lost them. Signs them out everywhere; the password alone lets them in until they set up another." } },
                class: "danger primary", deed: "Remove all", back: "Keep them",
            }.draw(&visit.csrf))
        }
    }
}
