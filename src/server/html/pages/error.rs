//! The page that says what went wrong, why, and what now.

use maud::{Markup, Render, html};

use crate::server::html::layout::{Page, Section, Solo, Visit};
use crate::server::html::parts::ask::{Wanted, ask};
use crate::server::html::parts::button::link;
use crate::server::html::parts::form::Input;
use crate::server::html::parts::icon::icon;
use crate::server::html::paths;

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// The request makes no sense; why.
    Bad(String),
    /// They may look, not act; what they may not.
    Denied(String),
    /// It is not there, or not for them.
    NotFound,
    /// The state of things does not allow it; why.
    Conflict(String),
    /// Too many tries; what to wait for.
    TooMany(String),
    /// Our fault.
    Internal,
    /// Something it needs is not there; what.
    Unavailable(String),
}

impl Wrong {
    /// The status code.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Bad(_) => 400,
            Self::Denied(_) => 403,
            Self::NotFound => 404,
            Self::Conflict(_) => 409,
            Self::TooMany(_) => 429,
            Self::Internal => 500,
            Self::Unavailable(_) => 503,
        }
    }

    const fn heading(&self) -> (&'static str, &'static str) {
        match self {
            Self::Bad(_) => ("warn", "This request makes no sense"),
            Self::Denied(_) => ("lock", "You may look, not act"),
            Self::NotFound => ("search", "Nothing here that you may see"),
            Self::Conflict(_) => ("hand", "Not now"),
            Self::TooMany(_) => ("clock", "Too many tries"),
            Self::Internal => ("warn", "Steading failed here"),
            Self::Unavailable(_) => ("network", "Not ready for this"),
        }
    }
}

/// The page.
pub struct Error {
    /// Who looks; none when nobody is signed in.
    pub visit: Option<Visit>,
    /// What went wrong.
    pub wrong: Wrong,
    /// The path that was asked for.
    pub path: String,
    /// The request's number in the server's log.
    pub request: String,
    /// What can be asked for instead; none where nothing can.
    pub ask: Option<Wanted>,
}

impl Render for Error {
    fn render(&self) -> Markup {
        let (name, heading) = self.wrong.heading();
        let body = html! {
            section class="card" aria-labelledby="wrong" {
                div class="empty" {
                    (icon(name))
                    h1 id="wrong" { (heading) }
                    p { (self.reason()) }
                    div class="actions" { (self.ways_on()) }
                    p class="note" { (self.wrong.status()) " · request " code { (self.request) } }
                }
            }
            (self.asking())
        };
        match &self.visit {
            Some(visit) => {
                Page { title: heading, visit, section: Section::Elsewhere, live: None, body }
                    .render()
            }
            None => Solo { title: heading, class: "wide", body }.render(),
        }
    }
}

impl Error {
    fn reason(&self) -> Markup {
        html! {
            @match &self.wrong {
                Wrong::NotFound => {
                    "No page " code { (self.path) } ", or it is not shared with you. Steading does not say which."
                }
                Wrong::Internal => {
                    "Nothing was changed. The owner finds the cause in the server's log under this number."
                }
                Wrong::Bad(why) | Wrong::Denied(why) | Wrong::Conflict(why) | Wrong::TooMany(why) | Wrong::Unavailable(why) => (sentence(why)),
            }
        }
    }

    /// The form that asks for what the page does not show, for who is signed in.
    fn asking(&self) -> Markup {
        let (Some(visit), Some(wanted)) = (&self.visit, &self.ask) else { return html! {} };
        html! {
            section class="card" aria-labelledby="ask" {
                header { h2 id="ask" { "Ask for access" } }
                div class="body" { (ask(&visit.csrf, wanted, &Input::default())) }
            }
        }
    }

    fn ways_on(&self) -> Markup {
        let home = html! { "Your workspaces" };
        html! {
            @match &self.wrong {
                Wrong::Internal | Wrong::Unavailable(_) | Wrong::TooMany(_) => (link("", &self.path, &html! { "Try again" })),
                Wrong::Bad(_) | Wrong::Denied(_) | Wrong::NotFound | Wrong::Conflict(_) => {}
            }
            @if self.visit.is_some() || matches!(self.wrong, Wrong::Denied(_)) {
                (link("primary", paths::WORKSPACES, &home))
            } @else {
                (link("primary", &paths::login_to(&self.path), &html! { "Sign in" }))
            }
        }
    }
}

/// A reason as a sentence: with a capital and a full stop.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first: String = chars.next().map(|c| c.to_uppercase().collect()).unwrap_or_default();
    let end = if text.ends_with(['.', '?']) { "" } else { "." };
    format!("{first}{}{end}", chars.as_str())
}
