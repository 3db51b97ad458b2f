//! One's own SSH keys.

use maud::{Markup, Render, html};

use crate::model::user::SshKey;
use crate::server::html::layout::{Page, Section, Visit, settings_tabs};
use crate::server::html::parts::form::{Input, notes};
use crate::server::html::parts::icon::icon;
use crate::server::html::parts::notice::empty;
use crate::server::html::parts::time;
use crate::server::html::paths;

/// The page of one's own SSH keys.
pub struct SshKeys {
    /// Who looks.
    pub visit: Visit,
    /// The keys on file.
    pub keys: Vec<SshKey>,
    /// What was typed.
    pub input: Input,
}

impl Render for SshKeys {
    fn render(&self) -> Markup {
        let body = html! {
            header class="page-head" { div { h1 { "SSH keys" } p { "Whoever holds the private half of one of these gets in as you, with any SSH client." } } }
            (settings_tabs(paths::SSH_KEYS))
            div class="stack" {
                section class="card" aria-labelledby="keys" {
                    header { h2 id="keys" { "SSH keys" } span class="note" { (self.keys.len()) } }
                    @if self.keys.is_empty() {
                        (empty("access", &html! { "Paste the public half of a key below: the line in " code { "~/.ssh/id_ed25519.pub" } ". None yet? " code { "ssh-keygen -t ed25519" } " makes one." }, &html! {}))
                    } @else {
                        ul class="rows" { @for key in &self.keys { (self.key(key)) } }
                    }
                    footer { (self.form()) }
                }
            }
        };
        Page { title: "SSH keys", visit: &self.visit, section: Section::Settings, live: None, body }
            .render()
    }
}

impl SshKeys {
    fn key(&self, key: &SshKey) -> Markup {
        let kind = key.public_key.split(' ').next().unwrap_or_default();
        html! {
            li id={ "key-" (key.id) } {
                (icon("access"))
                span class="main" {
                    span class="name" { (key.name) }
                    small {
                        (kind) " " code { (key.fingerprint) } " · "
                        @match key.last_used_at {
                            Some(at) => { "last used " (time::ago(at, self.visit.now)) }
                            None => { "never used" }
                        }
                    }
                }
                form method="post" action=(paths::remove_ssh_key(&key.id.to_string())) {
                    (self.visit.csrf)
                    button class="button small danger" { "Remove" span class="vh" { " " (key.name) } }
                }
            }
        }
    }

    fn form(&self) -> Markup {
        let error = self.input.error("key");
        html! {
            form class="fields" method="post" action=(paths::SSH_KEYS) {
                (self.visit.csrf)
                div class="field" {
                    label for="f-key" { "Public key" }
                    div class="bar" {
                        input id="f-key" name="key" class="mono grow" required value=(self.input.value("key", "")) placeholder="ssh-ed25519 AAAA… name"
                            autocomplete="off" autocapitalize="off" spellcheck="false" aria-invalid=[error.map(|_| "true")] aria-describedby=[error.map(|_| "f-key-e")];
                        button class="button" { "Add key" }
                    }
                    (notes("f-key", "", error))
                }
            }
        }
    }
}
