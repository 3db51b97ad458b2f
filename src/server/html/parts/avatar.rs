//! People as windows; a lamp is lit where someone is.

use maud::{Markup, html};

use super::icon::icon;
use crate::model::id::UserId;
use crate::model::name::UserName;
use crate::model::user::{UserKind, UserRef};
use crate::server::html::paths;

/// A hue of six, the same for the same id.
#[must_use]
pub fn hue(id: UserId) -> u8 {
    let sum: u32 = id.0.as_bytes().iter().map(|b| u32::from(*b)).sum();
    u8::try_from(sum % 6).unwrap_or(0)
}

/// The first letter of a name, in upper case.
fn initial(name: &UserName) -> String {
    name.as_str().chars().next().map(|c| c.to_uppercase().to_string()).unwrap_or_default()
}

/// Someone's window beside their name.
#[must_use]
pub fn avatar(user: &UserRef) -> Markup {
    html! {
        span class="avatar" data-kind="person" data-hue=(hue(user.id)) aria-hidden="true" { (initial(&user.username)) }
    }
}

/// Someone's window, large or for a kind of user.
#[must_use]
pub fn of_kind(user: &UserRef, kind: UserKind, class: &str) -> Markup {
    html! {
        span class={ "avatar" @if !class.is_empty() { " " (class) } } data-kind=(kind) data-hue=(hue(user.id)) aria-hidden="true" {
            @match kind {
                UserKind::Person => (initial(&user.username)),
                UserKind::Service => (icon("service")),
            }
        }
    }
}

/// Someone's window with a light on, without a name beside it.
#[must_use]
pub fn here(user: &UserRef) -> Markup {
    html! {
        span class="avatar lit" data-kind="person" data-hue=(hue(user.id)) role="img" aria-label={ (user.username) ", here now" } {
            (initial(&user.username))
        }
    }
}

/// Someone's name with their window, and a note after it.
#[must_use]
pub fn who(user: &UserRef, note: &str) -> Markup {
    named(user, note, "avatar")
}

/// Someone who is there now, with a note.
#[must_use]
pub fn who_here(user: &UserRef, note: &str) -> Markup {
    named(user, note, "avatar lit")
}

fn named(user: &UserRef, note: &str, class: &str) -> Markup {
    html! {
        a class="who" href=(paths::person(&user.username)) {
            span class=(class) data-kind="person" data-hue=(hue(user.id)) aria-hidden="true" { (initial(&user.username)) }
            span { (user.username) @if !note.is_empty() { " " small { (note) } } }
        }
    }
}
