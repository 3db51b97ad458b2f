//! Signing in, also in the middle of something.

use maud::{Markup, Render, html};

use crate::server::html::layout::{Csrf, Solo};
use crate::server::html::parts::form::{Input, Line, is_secret, wrongs};
use crate::server::html::parts::icon::icon;
use crate::server::html::parts::notice::{Tone, notice};
use crate::server::html::parts::parameter::PREFIX;
use crate::server::html::parts::passkey::Ask;
use crate::server::html::paths;

/// The page to sign in.
pub struct Login {
    /// For the form.
    pub csrf: Csrf,
    /// What was typed.
    pub input: Input,
    /// Where to go after; a path of ours, or empty.
    pub next: String,
    /// The name of the server, as people reach it.
    pub host: String,
    /// What was sent when the session had ended.
    pub kept: Option<Kept>,
    /// Providers to sign in at.
    pub providers: Vec<Way>,
    /// Whether everyone may sign in by password; owners always may.
    pub passwords: bool,
    /// What the browser is to ask of a passkey that signs in by itself, JSON.
    pub passkey: Option<String>,
}

/// A provider to sign in at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// What stands on its button.
    pub label: String,
    /// Where it leads.
    pub href: String,
}

/// A form that was sent without a session, kept over the sign-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The path it was sent to.
    to: String,
    /// Its fields, but for secrets.
    fields: Vec<(String, String)>,
}

impl Kept {
    /// The name of the field with the path.
    pub const TO: &'static str = "kept_to";
    /// The name of the field with the fields.
    pub const FIELDS: &'static str = "kept";

    /// A form that was sent to `to`; passwords, old ones too, are not kept.
    #[must_use]
    pub fn new(to: &str, mut fields: Vec<(String, String)>) -> Self {
        fields.retain(|(name, _)| !is_secret(name));
        Self { to: to.to_owned(), fields }
    }

    /// The path it was sent to.
    #[must_use]
    pub fn to(&self) -> &str {
        &self.to
    }

    /// As the sign-in page carried it.
    #[must_use]
    pub fn read(to: &str, fields: &str) -> Self {
        Self::new(to, serde_urlencoded::from_str(fields).unwrap_or_default())
    }
}

impl Render for Kept {
    fn render(&self) -> Markup {
        let fields = serde_urlencoded::to_string(&self.fields).unwrap_or_default();
        html! {
            input type="hidden" name=(Self::TO) value=(self.to);
            input type="hidden" name=(Self::FIELDS) value=(fields);
        }
    }
}

impl Render for Login {
    fn render(&self) -> Markup {
        let body = html! {
            section class="card" aria-labelledby="t" {
                div class="body fields" {
                    div { h1 id="t" { "Sign in" } p class="note" { "to " (self.host) } }
                    @if self.kept.is_some() {
                        (notice(Tone::Info, &html! { "Your session ended. What you typed is kept: sign in and send it." }, &html! {}))
                    }
                    @if self.passwords || self.providers.is_empty() {
                        (self.form())
                        (self.by_passkey())
                        @if !self.providers.is_empty() { hr; (self.ways("Other ways to sign in")) }
                    } @else {
                        (wrongs(&self.input, &[]))
                        (self.ways("Ways to sign in"))
                        details open[self.input.has_values()] {
                            summary { "Owners sign in by password" }
                            (self.form())
                            (self.by_passkey())
                        }
                    }
                }
                footer class="note" {
                    @if !self.next.is_empty() { "You will return to " code { (self.next) } ". " }
                    @if self.passwords { "Lost your password? The owner sets a new one." }
                }
            }
        };
        Solo { title: "Sign in", class: "", body }.render()
    }
}

impl Login {
    fn form(&self) -> Markup {
        let first = self.passwords || self.providers.is_empty();
        html! {
            form class="fields" method="post" action=(paths::LOGIN) {
                (self.csrf)
                @if let Some(kept) = &self.kept { (kept) }
                @if !self.next.is_empty() { input type="hidden" name="next" value=(self.next); }
                (Line {
                    id: "f-username", name: "username", label: "User name or e-mail", autocomplete: "username",
                    autofocus: first, ..Line::default()
                }.draw(&self.input))
                (Line {
                    id: "f-password", name: "password", label: "Password", kind: "password",
                    autocomplete: "current-password", ..Line::default()
                }.draw(&self.input))
                @if first { (wrongs(&self.input, &[])) }
                @let tone = if first { "button primary wide" } else { "button wide" };
                button class=(tone) { "Sign in" }
            }
        }
    }

    fn by_passkey(&self) -> Markup {
        let hidden = html! {
            @if let Some(kept) = &self.kept { (kept) }
            @if !self.next.is_empty() { input type="hidden" name="next" value=(self.next); }
        };
        let (action, text) = (paths::LOGIN_PASSKEY, "Sign in with a passkey");
        html! {
            @if let Some(options) = &self.passkey {
                (Ask { action, options, hidden: &hidden, class: "", text }.draw(&self.csrf))
            }
        }
    }

    /// A button for each provider. Links: leaving for another site is no form of ours.
    fn ways(&self, label: &str) -> Markup {
        html! {
            div class="stack tight" role="group" aria-label=(label) {
                @for way in &self.providers {
                    a class="button wide" href=(way.href) { (icon("access")) (way.label) }
                }
            }
        }
    }
}

/// After signing in again, or giving a second factor: what was sent before, to be sent now.
pub struct Resume {
    /// For the form, of the new session.
    pub csrf: Csrf,
    /// What was sent.
    pub kept: Kept,
    /// A second factor was asked for; the session had not ended.
    pub confirmed: bool,
}

impl Render for Resume {
    fn render(&self) -> Markup {
        // Values may be secrets of a template's: they are sent, and not shown.
        let typed =
            self.kept.fields.iter().filter(|(name, value)| !name.is_empty() && !value.is_empty());
        let names: Vec<&str> =
            typed.map(|(name, _)| name.strip_prefix(PREFIX).unwrap_or(name)).collect();
        let title = if self.confirmed { "It is you" } else { "You are signed in again" };
        let body = html! {
            section class="card" aria-labelledby="t" {
                div class="body fields" {
                    div {
                        h1 id="t" { (title) }
                        p { @if self.confirmed { "This was not done yet." } @else { "Your session ended before this was done. Nothing was changed." } }
                    }
                    dl class="kv" {
                        dt { "Sent to" } dd { code { (self.kept.to) } }
                        @if !names.is_empty() { dt { "With" } dd { (names.join(", ")) } }
                    }
                    form method="post" action=(self.kept.to) {
                        (self.csrf)
                        @for (name, value) in &self.kept.fields {
                            input type="hidden" name=(name) value=(value);
                        }
                        button class="button primary wide" { (icon("s-ok")) "Send it now" }
                    }
                    a class="button wide" href=(paths::WORKSPACES) { "Leave it" }
                }
            }
        };
        Solo { title, class: "", body }.render()
    }
}
