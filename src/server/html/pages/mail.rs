//! How mails are sent, and those that were given up.

use maud::{Markup, Render, html};

use crate::model::mail::{MailServer, MailTls};
use crate::model::time::Timestamp;
use crate::server::html::layout::{Page, Section, Visit};
use crate::server::html::parts::button::{button, post};
use crate::server::html::parts::form::{Input, Line, wrongs};
use crate::server::html::parts::notice::{Tone, notice};
use crate::server::html::parts::table::{Column, Table, cell, row};
use crate::server::html::parts::time;
use crate::server::html::paths;

/// The page.
pub struct Mail {
    /// Who looks.
    pub visit: Visit,
    /// Whether who looks may change it.
    pub changes: bool,
    /// The server that mails go through; none where none are sent.
    pub server: Option<MailServer>,
    /// Whether it has a password.
    pub has_password: bool,
    /// The server's settings name it.
    pub is_told: bool,
    /// How many wait to be sent.
    pub waiting: usize,
    /// Those that were given up, the last one first.
    pub given_up: Vec<Lost>,
    /// What was typed.
    pub input: Input,
}

/// A mail that was given up.
pub struct Lost {
    /// To whom.
    pub to: String,
    /// What it was about.
    pub subject: String,
    /// When it was written.
    pub made_at: Timestamp,
    /// Why it was not taken.
    pub failure: String,
}

impl Render for Mail {
    fn render(&self) -> Markup {
        let body = html! {
            header class="page-head" {
                div {
                    h1 { "Mail" }
                    p { "Who may answer a request, who keeps a workspace that someone let themselves into, and whose access ends, is told by mail." }
                }
            }
            div class="split" {
                div class="stack" {
                    @if self.is_told { (self.told()) } @else { (self.form()) }
                    @if !self.given_up.is_empty() { (self.lost()) }
                }
                aside class="stack" aria-label="What holds now" { (self.now()) }
            }
        };
        Page { title: "Mail", visit: &self.visit, section: Section::Mail, live: None, body }
            .render()
    }
}

impl Mail {
    fn told(&self) -> Markup {
        html! {
            (notice(Tone::Info, &html! {
                "The server's settings name the mail server (" code { "[mail]" } "). What stands there is changed there."
            }, &html! {}))
        }
    }

    fn form(&self) -> Markup {
        let (now, input) = (self.server.as_ref(), &self.input);
        let of = |read: fn(&MailServer) -> &str| now.map(read).unwrap_or_default();
        let port = now.map(|one| one.port.to_string()).unwrap_or_default();
        let password =
            if self.has_password { "One is kept. Leave it empty to keep it." } else { "" };
        html! {
            section class="card" aria-labelledby="server" {
                header { h2 id="server" { "Mail server" } }
                form class="body fields" method="post" action=(paths::MAIL) {
                    (self.visit.csrf)
                    (Line { id: "f-server", name: "server", label: "Server", value: of(|one| one.server.as_str()), hint: "Such as smtp.example.org.", ..Line::default() }.draw(input))
                    (self.tls())
                    (Line { id: "f-port", name: "port", label: "Port", kind: "number", value: &port, hint: "587, 465 or 25 when left empty, by what is chosen above.", optional: true, ..Line::default() }.draw(input))
                    (Line { id: "f-user", name: "user", label: "User", value: of(|one| one.user.as_str()), optional: true, ..Line::default() }.draw(input))
                    (Line { id: "f-password", name: "password", label: "Password", kind: "password", hint: password, autocomplete: "new-password", optional: true, ..Line::default() }.draw(input))
                    (Line { id: "f-from", name: "from", label: "From", value: of(|one| one.from.as_str()), hint: "An address, or NAME <ADDRESS>.", ..Line::default() }.draw(input))
                    (Line { id: "f-reply-to", name: "reply_to", label: "Answers to", value: of(|one| one.reply_to.as_str()), optional: true, ..Line::default() }.draw(input))
                    (wrongs(input, &[("server", "Server"), ("tls", "Secrecy"), ("port", "Port"), ("user", "User"), ("password", "Password"), ("from", "From"), ("reply_to", "Answers to")]))
                    @if self.changes { div class="actions" { (button("primary", "check", "Save")) } }
                }
            }
        }
    }

    fn tls(&self) -> Markup {
        let now = self.server.as_ref().map_or(MailTls::Starttls, |one| one.tls);
        let chosen = self.input.value("tls", now.as_str());
        html! {
            fieldset class="field" {
                legend { "Secrecy" }
                @for tls in MailTls::ALL {
                    label class="check" {
                        input type="radio" name="tls" value=(tls) checked[tls.as_str() == chosen];
                        span { (word(*tls)) span class="hint" { (hint(*tls)) } }
                    }
                }
            }
        }
    }

    fn now(&self) -> Markup {
        let csrf = &self.visit.csrf;
        html! {
            section class="card" aria-labelledby="now" {
                header { h2 id="now" { "Now" } }
                div class="body stack tight" {
                    @match &self.server {
                        None => { p { "No mails are sent." } }
                        Some(server) => {
                            p { "Mails go through " (server.server) ", from " (server.from) "." }
                            @if self.waiting > 0 { p { (self.waiting) " wait to be sent." } }
                            @if self.changes {
                                (post(csrf, paths::MAIL_TEST, &button("", "mail", "Send me a test message")))
                                @if !self.is_told { (post(csrf, paths::MAIL_REMOVE, &html! { button class="button" { "Send no mails" } })) }
                            }
                        }
                    }
                }
            }
        }
    }

    fn lost(&self) -> Markup {
        let columns = [
            Column::Head("To"),
            Column::Head("About"),
            Column::Head("Written"),
            Column::Head("Why"),
        ];
        let rows =
            html! { @for (n, one) in self.given_up.iter().enumerate() { (self.one(n, one)) } };
        let table =
            Table { caption: "Mails that were given up", class: "", columns: &columns, rows };
        html! {
            section class="card" aria-labelledby="lost" {
                header { h2 id="lost" { "Given up" } }
                (table.render())
            }
        }
    }

    fn one(&self, n: usize, one: &Lost) -> Markup {
        let cells = [
            cell("About", &html! { (one.subject) }),
            cell("Written", &time::ago(one.made_at, self.visit.now)),
            cell("Why", &html! { (one.failure) }),
        ];
        row(&format!("lost-{n}"), &html! { (one.to) }, &cells)
    }
}

const fn word(tls: MailTls) -> &'static str {
    match tls {
        MailTls::Starttls => "STARTTLS",
        MailTls::Tls => "TLS",
        MailTls::None => "None",
    }
}

const fn hint(tls: MailTls) -> &'static str {
    match tls {
        MailTls::Starttls => {
            "The connection becomes secret before anything is said. Usual on port 587."
        }
        MailTls::Tls => "It is secret from the first byte. Usual on port 465.",
        MailTls::None => "For a server on this machine. Nobody signs in to another one this way.",
    }
}
